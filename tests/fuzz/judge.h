// What must hold for any bytes at the front door, whoever made them: the fuzzer and the short mutation test ask the
// same. Bytes are handed over in a block of exactly their size, so that a sanitizer sees a read beyond it.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "ingest/admission.h"
#include "silver/natural_key.h"
#include "support/golden_events.h"
#include "wire/batch.h"
#include "wire/codec.h"
#include "wire/json.h"

namespace tellerd::test {

// A copy that ends where its block ends; `shift` bytes past an address divisible by sixteen.
class Exact {
 public:
  explicit Exact(std::string_view bytes, std::size_t shift = 0)
      : block_(static_cast<char*>(std::malloc(bytes.size() + shift + (bytes.empty() ? 1 : 0)))),
        shift_(shift),
        size_(bytes.size()) {
    if (size_) std::memcpy(block_.get() + shift_, bytes.data(), size_);
  }
  std::string_view view() const { return {block_.get() + shift_, size_}; }

 private:
  struct Free {
    void operator()(char* block) const { std::free(block); }
  };
  std::unique_ptr<char, Free> block_;
  std::size_t shift_, size_;
};

struct Answer {
  wire::VerdictCode code = wire::VerdictCode::kAccepted;
  std::string field, json;  // json and key: of an accepted event
  std::string key;
  bool operator==(const Answer&) const = default;
};

inline Answer answer_of(std::string_view bytes, std::size_t shift) {
  const Exact given(bytes, shift);
  wire::Decoder decoder;
  wire::Event event;
  ingest::Judgement judged = ingest::judge_content(given.view(), decoder, event);
  if (judged.is_accepted()) judged = ingest::judge_future(event, kGoldenUs);
  if (judged.is_accepted()) judged = ingest::judge_age(event, kGoldenUs);
  Answer answer{judged.code, std::string(judged.field), {}, {}};
  if (!judged.is_accepted()) return answer;
  wire::append_json(event, answer.json);
  silver::natural_key(event, 17, 2, answer.key);
  return answer;
}

// Why these bytes are treated wrongly as one event; "" when they are not. The answer must not depend on where the bytes
// lie, and what is accepted must survive being written again.
inline const char* wrong_with_event(std::string_view bytes) {
  const Answer answer = answer_of(bytes, 0);
  if (answer != answer_of(bytes, 0)) return "the same bytes got two answers";
  if (answer != answer_of(bytes, 5)) return "the answer depends on where the bytes lie";
  if (answer.code != wire::VerdictCode::kAccepted) return "";
  const Exact given(bytes);
  wire::Decoder decoder, second;
  wire::Event event, again;
  ingest::judge_content(given.view(), decoder, event);
  wire::Encoder encoder;
  const std::string written(encoder.encode(event));
  if (!ingest::judge_content(written, second, again).is_accepted())
    return "an accepted event, written again, is refused";
  if (!silver::is_same_content(event, again) || event.system != again.system || event.customer != again.customer ||
      event.version != again.version)
    return "an accepted event, written again, says something else";
  return "";
}

// The same for a frame, with each event of a batch judged on its own.
inline const char* wrong_with_frame(std::string_view bytes) {
  const Exact given(bytes), elsewhere(bytes, 8);
  wire::BatchView batch, same;
  const auto parsed = wire::parse_frame(given.view(), batch);
  const auto again = wire::parse_frame(elsewhere.view(), same);
  if (parsed.index() != again.index()) return "the same frame got two answers";
  if (!std::holds_alternative<wire::BatchView*>(parsed)) return "";
  if (batch.producer != same.producer || batch.incarnation != same.incarnation || batch.events != same.events)
    return "the same frame was read in two ways";
  for (const auto event : batch.events)
    if (const char* wrong = wrong_with_event(event); *wrong) return wrong;
  return "";
}

}  // namespace tellerd::test

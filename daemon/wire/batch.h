// The frames of the ingest endpoint: EventBatch and Hello in, BatchAck out (schema/*.fbs).
// Errors are values: a frame that is neither batch nor hello within our limits is Malformed. Views live as long as the
// frame.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tellerd::wire {

enum class AckCode : std::uint8_t { kHello, kAccepted, kDuplicate, kConflict, kGap, kRetryAfter, kInvalid };
enum class VerdictCode : std::uint8_t {
  kAccepted,
  kMalformed,
  kUnknownKind,
  kMissingField,
  kBadText,
  kBadAmount,
  kBadTime,
  kBadValue,
  kTooOld,
  kFromFuture,
  kUnreadable,
  kTooLarge
};
std::string_view name_of(AckCode code) noexcept;      // "ACCEPTED", …
std::string_view name_of(VerdictCode code) noexcept;  // "FROM_FUTURE", …

struct Verdict {
  std::uint64_t seq = 0;
  VerdictCode code = VerdictCode::kAccepted;
  std::string field;
};

struct BatchView {
  std::string_view producer;
  std::uint64_t incarnation = 0, first_seq = 0;
  bool is_backfill = false;
  std::vector<std::string_view> events;
};
struct HelloView {
  std::string_view producer;
  std::uint64_t incarnation = 0;
};
struct Malformed {
  const char* why;
};

// `frame` must lie at an address divisible by eight. Reuses events' storage of `batch`.
std::variant<BatchView*, HelloView, Malformed> parse_frame(std::string_view frame, BatchView& batch);

struct Ack {
  AckCode code = AckCode::kAccepted;
  std::uint64_t through_seq = 0, commit_seq = 0, expected_seq = 0;
  std::uint32_t retry_ms = 0;
  std::vector<Verdict> verdicts;
  std::string text;
};
std::string build_ack(const Ack& ack);
bool parse_ack(std::string_view frame, Ack& ack);  // false: not an ack

std::string build_hello(std::string_view producer, std::uint64_t incarnation);

// Collects encoded events into one frame.
class BatchBuilder {
 public:
  BatchBuilder();
  ~BatchBuilder();
  void start();
  void add(std::string_view event);
  std::size_t events() const noexcept;
  std::size_t bytes() const noexcept;  // of the events so far, with their overhead
  std::string_view finish(std::string_view producer, std::uint64_t incarnation, std::uint64_t first_seq,
                          bool is_backfill);

 private:
  struct Builder;
  std::unique_ptr<Builder> builder_;
};

}  // namespace tellerd::wire

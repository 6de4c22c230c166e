// The front door under the mutations that always run: every byte of every golden message changed, every length cut, and
// seeded random damage. tests/fuzz looks further with libFuzzer and asks the same questions.
#include <doctest/doctest.h>

#include <set>

#include "fuzz/judge.h"

namespace {

using namespace tellerd;

struct Golden {
  std::string name, bytes;
};

std::vector<Golden> golden_messages() {
  std::vector<Golden> messages;
  wire::Encoder encoder;
  for (const auto& event : test::golden_events())
    messages.push_back({std::string(wire::name_of(event.kind())), std::string(encoder.encode(event))});
  return messages;
}

std::string golden_batch() {
  wire::BatchBuilder batch;
  batch.start();
  for (const auto& message : golden_messages()) batch.add(message.bytes);
  return std::string(batch.finish("short", 7, 1, false));
}

// xorshift64*: the same damage in every run.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t bound) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::size_t>((state_ * 0x2545F4914F6CDD1Dull) >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

// Some bytes set, copied or inserted, or the middle cut out.
std::string damaged(std::string bytes, Draw& draw) {
  for (std::size_t left = 1 + draw.below(4); left > 0; --left) {
    const std::size_t at = draw.below(bytes.size());
    switch (draw.below(4)) {
      case 0:
        bytes[at] = static_cast<char>(draw.below(256));
        break;
      case 1:
        bytes.replace(at, std::min<std::size_t>(4, bytes.size() - at),
                      std::string(4, static_cast<char>(draw.below(2) * 255)));
        break;
      case 2:
        bytes.insert(at, bytes.substr(draw.below(bytes.size()), 1 + draw.below(16)));
        break;
      default:
        bytes.erase(at, 1 + draw.below(8));
        break;
    }
    if (bytes.empty()) bytes = "x";
  }
  return bytes;
}

}  // namespace

TEST_SUITE("fuzz.short") {
  TEST_CASE("the golden messages themselves are accepted, each kind once") {
    std::set<std::string> names;
    for (const auto& message : golden_messages()) {
      CAPTURE(message.name);
      names.insert(message.name);
      const auto answer = test::answer_of(message.bytes, 0);
      const bool is_refusal = message.name == "unreadable";
      CHECK(answer.code == (is_refusal ? wire::VerdictCode::kBadAmount : wire::VerdictCode::kAccepted));
      CHECK(std::string(test::wrong_with_event(message.bytes)) == "");
    }
    CHECK(names.size() == wire::kEventKinds);
    wire::BatchView batch;
    const test::Exact frame(golden_batch());
    REQUIRE(std::holds_alternative<wire::BatchView*>(wire::parse_frame(frame.view(), batch)));
    CHECK(batch.events.size() == wire::kEventKinds);
  }

  TEST_CASE("an event with any one byte changed gets one answer, wherever it lies") {
    for (const auto& message : golden_messages()) {
      for (std::size_t at = 0; at < message.bytes.size(); ++at) {
        for (const int change : {0xFF, 0x01, 0x80, 0x04}) {
          std::string bytes = message.bytes;
          bytes[at] = static_cast<char>(bytes[at] ^ change);
          const std::string wrong = test::wrong_with_event(bytes);
          if (!wrong.empty()) FAIL_CHECK(message.name << " byte " << at << " ^ " << change << ": " << wrong);
        }
      }
    }
  }

  TEST_CASE("an event cut short is refused, or the cut took nothing it says") {
    for (const auto& message : golden_messages()) {
      const auto whole = test::answer_of(message.bytes, 0);
      for (std::size_t size = 0; size < message.bytes.size(); ++size) {
        const std::string_view cut = std::string_view(message.bytes).substr(0, size);
        const std::string wrong = test::wrong_with_event(cut);
        if (!wrong.empty()) FAIL_CHECK(message.name << " cut to " << size << ": " << wrong);
        const auto answer = test::answer_of(cut, 0);
        if (answer.code != wire::VerdictCode::kMalformed && answer != whole)
          FAIL_CHECK(message.name << " cut to " << size << " says something else");
      }
    }
  }

  TEST_CASE("a frame changed in any byte or cut at any place gets one answer") {
    const std::string batch = golden_batch(), hello = wire::build_hello("short", 7);
    for (const auto* frame : {&batch, &hello}) {
      for (std::size_t at = 0; at < frame->size(); ++at) {
        std::string bytes = *frame;
        bytes[at] = static_cast<char>(~bytes[at]);
        const std::string wrong = test::wrong_with_frame(bytes);
        if (!wrong.empty()) FAIL_CHECK("frame byte " << at << ": " << wrong);
        const std::string wrong_cut = test::wrong_with_frame(std::string_view(*frame).substr(0, at));
        if (!wrong_cut.empty()) FAIL_CHECK("frame cut to " << at << ": " << wrong_cut);
      }
    }
  }

  TEST_CASE("random damage gets one answer, and some of it is still accepted") {
    Draw draw(20'261'121);
    int accepted = 0, refused = 0;
    for (const auto& message : golden_messages()) {
      for (int round = 0; round < 2000; ++round) {
        const std::string bytes = damaged(message.bytes, draw);
        const std::string wrong = test::wrong_with_event(bytes);
        if (!wrong.empty()) FAIL_CHECK(message.name << " round " << round << ": " << wrong);
        (test::answer_of(bytes, 0).code == wire::VerdictCode::kAccepted ? accepted : refused)++;
      }
    }
    CHECK(accepted > 1000);  // else the damage is too coarse to look behind the verifier
    CHECK(refused > 1000);
  }
}

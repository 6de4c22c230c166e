// A desk's question as it comes over the wire, read and bounded; schema/README.md has the protocol.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "deliver/queue_record.h"

namespace tellerd::deliver {

enum class Verb : std::uint8_t { kHello, kPull, kLease, kOutcome, kBrowse, kReplay };

struct DeskAsk {
  std::string id;  // JSON text, echoed as it came; names the question within the session
  Verb verb = Verb::kHello;
  std::string client, session;  // HELLO
  std::vector<std::string> skills;
  std::string queue;  // PULL, BROWSE, REPLAY
  std::int64_t credit = 1, wait_ms = 0;
  std::string state;                 // BROWSE
  std::int64_t from = 0, limit = 0;  // and REPLAY
  core::Instant from_us = 0;         // REPLAY: from that time on, when `from` is 0
  LeaseRecord lease;
  OutcomeRecord outcome;
};

struct BadAsk {
  std::string id = "null", code, text;
};

std::variant<DeskAsk, BadAsk> read_ask(std::string_view frame);

std::string refusal(std::string_view id, std::string_view code, std::string_view text);  // a reply that says no

}  // namespace tellerd::deliver

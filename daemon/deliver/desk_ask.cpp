#include "deliver/desk_ask.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "core/limits.h"
#include "core/money.h"
#include "decide/outcome_code.h"

namespace tellerd::deliver {
namespace {

namespace limits = core::limits;
using nlohmann::json;

struct Wrong {
  const char* code;
  std::string text;
};

std::string text_in(const json& ask, const char* name, std::size_t bytes_max, bool is_needed) {
  const auto at = ask.find(name);
  if (at == ask.end() || at->is_null()) {
    if (is_needed) throw Wrong{"BAD_REQUEST", fmt::format("{} is missing", name)};
    return {};
  }
  std::string text = at->is_string()           ? at->get<std::string>()
                     : at->is_number_integer() ? at->dump()
                                               : throw Wrong{"BAD_REQUEST", fmt::format("{} must be a text", name)};
  if (text.size() > bytes_max || (is_needed && text.empty()))
    throw Wrong{"BAD_REQUEST", fmt::format("{} must have 1 to {} bytes", name, bytes_max)};
  return text;
}

std::int64_t number_in(const json& ask, const char* name, std::int64_t low, std::int64_t high, std::int64_t otherwise) {
  const auto at = ask.find(name);
  if (at == ask.end() || at->is_null()) return otherwise;
  if (!at->is_number_integer()) throw Wrong{"BAD_REQUEST", fmt::format("{} must be a whole number", name)};
  const bool is_over = at->is_number_unsigned() && at->get<std::uint64_t>() > static_cast<std::uint64_t>(high);
  const std::int64_t number = is_over ? high : at->get<std::int64_t>();
  if (number < low) throw Wrong{"BAD_REQUEST", fmt::format("{} must be at least {}", name, low)};
  return std::min(number, high);
}

std::int64_t offer_in(const json& ask) {
  const std::int64_t offer = offer_id_of(text_in(ask, "offer_id", 16, true));
  if (offer == 0) throw Wrong{"BAD_REQUEST", "offer_id must be the sixteen digits that came with the offer"};
  return offer;
}

core::Instant instant_in(const json& ask) {
  if (ask.contains("at_us")) return number_in(ask, "at_us", 1, core::kNever, 0);
  const auto read = core::parse_instant(text_in(ask, "at", 64, true), core::Calendar());
  if (!read) throw Wrong{"BAD_REQUEST", "at must be an ISO 8601 time"};
  return *read;
}

void read_lease(const json& ask, const std::string& verb, DeskAsk& made) {
  made.verb = Verb::kLease;
  LeaseRecord& lease = made.lease;
  lease.offer_id = offer_in(ask);
  lease.epoch = number_in(ask, "epoch", 0, INT64_MAX, 0);
  lease.reason = text_in(ask, "reason", limits::kNameBytesMax, false);
  if (verb == "RELEASE") lease.verb = LeaseVerb::kRelease;
  if (verb == "FAIL") lease.verb = LeaseVerb::kFail;
  if (verb == "BURY") lease.verb = LeaseVerb::kBury;
  if (verb == "KICK") lease.verb = LeaseVerb::kKick;
  if (verb == "ACK") lease.verb = LeaseVerb::kAck;
  if (verb == "EXTEND") {
    lease.verb = LeaseVerb::kExtend;
    lease.ms = number_in(ask, "ms", 1, INT32_MAX, 0);
    if (lease.ms == 0) throw Wrong{"BAD_REQUEST", "ms is missing"};
  }
  if (verb == "SNOOZE") {
    lease.verb = LeaseVerb::kSnooze;
    lease.at_us = instant_in(ask);
    const std::string whose = text_in(ask, "for", 16, false);
    if (!whose.empty() && whose != "me" && whose != "anyone") throw Wrong{"BAD_REQUEST", "for must be me or anyone"};
    lease.is_mine = whose == "me";
  }
}

void read_outcome(const json& ask, const std::string& verb, DeskAsk& made) {
  made.verb = Verb::kOutcome;
  OutcomeRecord& outcome = made.outcome;
  outcome.is_correction = verb == "CORRECT";
  outcome.offer_id = offer_in(ask);
  outcome.epoch = number_in(ask, "epoch", 0, INT64_MAX, 0);
  outcome.code = text_in(ask, "code", 32, true);
  if (!decide::find_outcome_code(outcome.code))
    throw Wrong{"BAD_REQUEST", fmt::format("{} is no outcome: see the table of codes", outcome.code)};
  outcome.note = text_in(ask, "note", limits::kTextBytesMax, false);
  outcome.promise_date = text_in(ask, "promise_date", 10, false);
  if (!outcome.promise_date.empty() && !core::parse_date(outcome.promise_date))
    throw Wrong{"BAD_REQUEST", "promise_date must be a date, such as 2026-11-30"};
  outcome.amount_minor = number_in(ask, "amount_minor", -core::kAmountMinorMax, core::kAmountMinorMax, 0);
}

void read_verb(const json& ask, const std::string& verb, DeskAsk& made) {
  if (verb == "HELLO") {
    made.client = text_in(ask, "client", limits::kKeyBytesMax, true);
    made.session = text_in(ask, "session", limits::kKeyBytesMax, true);
    if (const auto skills = ask.find("skills"); skills != ask.end()) {
      if (!skills->is_array() || skills->size() > 32)
        throw Wrong{"BAD_REQUEST", "skills must be a list of at most 32 texts"};
      for (const auto& skill : *skills) {
        if (!skill.is_string() || skill.get_ref<const std::string&>().size() > 64)
          throw Wrong{"BAD_REQUEST", "skills must be a list of at most 32 texts"};
        made.skills.push_back(skill);
      }
    }
  } else if (verb == "PULL") {
    made.verb = Verb::kPull;
    made.queue = text_in(ask, "queue", limits::kKeyBytesMax, true);
    made.credit = number_in(ask, "credit", 1, limits::kPullOffersMax, 1);
    made.wait_ms = number_in(ask, "wait_ms", 0, limits::kPullWaitMsMax, 0);
  } else if (verb == "BROWSE") {
    made.verb = Verb::kBrowse;
    made.queue = text_in(ask, "queue", limits::kKeyBytesMax, true);
    made.state = text_in(ask, "state", 16, false);
    made.from = number_in(ask, "from", 0, INT64_MAX - 1, 0);
    made.limit = number_in(ask, "limit", 1, 1000, 100);
  } else if (verb == "REPLAY") {
    made.verb = Verb::kReplay;
    made.queue = text_in(ask, "queue", limits::kKeyBytesMax, true);
    made.from = number_in(ask, "from", 0, INT64_MAX - 1, 0);
    if (made.from == 0 && (ask.contains("at") || ask.contains("at_us"))) made.from_us = instant_in(ask);
    made.limit = number_in(ask, "limit", 1, 1000, 100);
  } else if (verb == "DISPOSE" || verb == "CORRECT") {
    read_outcome(ask, verb, made);
  } else if (verb == "RELEASE" || verb == "FAIL" || verb == "BURY" || verb == "KICK" || verb == "SNOOZE" ||
             verb == "EXTEND" || verb == "ACK") {
    read_lease(ask, verb, made);
  } else {
    throw Wrong{"UNKNOWN_VERB", fmt::format("{} is not a verb of this endpoint", verb)};
  }
}

}  // namespace

std::variant<DeskAsk, BadAsk> read_ask(std::string_view frame) {
  DeskAsk made;
  BadAsk bad{"null", "BAD_REQUEST", "expected {\"id\": …, \"verb\": …}"};
  if (frame.size() > limits::kEventBytesMax) return bad;
  const json ask = json::parse(frame, nullptr, false);
  if (!ask.is_object() || !ask.contains("id") || !ask.contains("verb") || !ask["verb"].is_string()) return bad;
  bad.id = made.id = ask["id"].dump(-1, ' ', false, json::error_handler_t::replace);
  if (made.id.size() > limits::kKeyBytesMax || ask["id"].is_structured()) return bad;
  try {
    read_verb(ask, ask["verb"], made);
    return made;
  } catch (const Wrong& wrong) {
    bad.code = wrong.code;
    bad.text = wrong.text;
    return bad;
  }
}

std::string refusal(std::string_view id, std::string_view code, std::string_view text) {
  return fmt::format(R"({{"id":{},"ok":false,"code":"{}","text":{}}})", id, code,
                     json(text).dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace tellerd::deliver

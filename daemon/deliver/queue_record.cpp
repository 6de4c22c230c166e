#include "deliver/queue_record.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace tellerd::deliver {
namespace {

using nlohmann::json;
constexpr std::array<std::string_view, 7> kVerbs{"RELEASE", "FAIL", "BURY", "KICK", "SNOOZE", "EXTEND", "ACK"};
constexpr std::array<std::string_view, 3> kTimers{"lease", "delay", "reserve"};

json asker_json(const Asker& asker) {
  return {{"client", asker.client}, {"session", asker.session}, {"request", asker.request}};
}

Asker asker_of(const json& from) {
  return {from.value("client", ""), from.value("session", ""), from.value("request", "")};
}

std::string text_of(const json& made) { return made.dump(-1, ' ', false, json::error_handler_t::replace); }

void put_text(json& into, const char* name, const std::string& text) {
  if (!text.empty()) into[name] = text;
}

}  // namespace

std::string_view name_of(LeaseVerb verb) noexcept { return kVerbs[static_cast<std::size_t>(verb)]; }

std::string_view name_of(Timer timer) noexcept { return kTimers[static_cast<std::size_t>(timer)]; }

std::string to_payload(const SessionRecord& record) {
  return text_of({{"client", record.client}, {"session", record.session}, {"skills", record.skills}});
}

void from_payload(std::string_view payload, SessionRecord& record) {
  const json from = json::parse(payload);
  record.client = from.value("client", "");
  record.session = from.value("session", "");
  record.skills = from.value("skills", std::vector<std::string>());
}

std::string to_payload(const GrantRecord& record) {
  json made = asker_json(record.asker);
  made["lease_ms"] = record.lease_ms;
  json& offers = made["offers"] = json::array();
  for (const auto& offer : record.offers) offers.push_back({offer.number, offer.customer, offer.epoch});
  if (record.is_promised) made["promised"] = true;
  return text_of(made);
}

void from_payload(std::string_view payload, GrantRecord& record) {
  const json from = json::parse(payload);
  record.asker = asker_of(from);
  record.lease_ms = from.value("lease_ms", std::int64_t{0});
  record.is_promised = from.value("promised", false);
  record.offers.clear();
  for (const auto& offer : from.at("offers")) record.offers.push_back({offer.at(0), offer.at(1), offer.at(2)});
}

std::string to_payload(const LeaseRecord& record) {
  json made = asker_json(record.asker);
  made["verb"] = std::string(name_of(record.verb));
  made["offer_id"] = offer_hex(record.offer_id);
  made["epoch"] = record.epoch;
  put_text(made, "reason", record.reason);
  if (record.ms) made["ms"] = record.ms;
  if (record.at_us) made["at_us"] = record.at_us;
  if (record.is_mine) made["mine"] = true;
  return text_of(made);
}

void from_payload(std::string_view payload, LeaseRecord& record) {
  const json from = json::parse(payload);
  record.asker = asker_of(from);
  const std::string verb = from.value("verb", "");
  for (std::size_t at = 0; at < kVerbs.size(); ++at)
    if (kVerbs[at] == verb) record.verb = static_cast<LeaseVerb>(at);
  record.offer_id = offer_id_of(from.value("offer_id", ""));
  record.epoch = from.value("epoch", std::int64_t{0});
  record.reason = from.value("reason", "");
  record.ms = from.value("ms", std::int64_t{0});
  record.at_us = from.value("at_us", core::Instant{0});
  record.is_mine = from.value("mine", false);
}

std::string to_payload(const OutcomeRecord& record) {
  json made = asker_json(record.asker);
  made["verb"] = record.is_correction ? "CORRECT" : "DISPOSE";
  made["offer_id"] = offer_hex(record.offer_id);
  made["epoch"] = record.epoch;
  made["code"] = record.code;
  put_text(made, "note", record.note);
  put_text(made, "promise_date", record.promise_date);
  if (record.amount_minor) made["amount_minor"] = record.amount_minor;
  if (record.is_promised) made["promised"] = true;
  return text_of(made);
}

void from_payload(std::string_view payload, OutcomeRecord& record) {
  const json from = json::parse(payload);
  record.asker = asker_of(from);
  record.is_correction = from.value("verb", "") == "CORRECT";
  record.offer_id = offer_id_of(from.value("offer_id", ""));
  record.epoch = from.value("epoch", std::int64_t{0});
  record.code = from.value("code", "");
  record.note = from.value("note", "");
  record.promise_date = from.value("promise_date", "");
  record.amount_minor = from.value("amount_minor", std::int64_t{0});
  record.is_promised = from.value("promised", false);
}

std::string to_payload(const TimerRecord& record) {
  return text_of({{"number", record.number}, {"epoch", record.epoch}, {"ended", std::string(name_of(record.ended))}});
}

void from_payload(std::string_view payload, TimerRecord& record) {
  const json from = json::parse(payload);
  record.number = from.value("number", std::int64_t{0});
  record.epoch = from.value("epoch", std::int64_t{0});
  const std::string ended = from.value("ended", "");
  for (std::size_t at = 0; at < kTimers.size(); ++at)
    if (kTimers[at] == ended) record.ended = static_cast<Timer>(at);
}

std::string offer_hex(std::int64_t offer_id) { return fmt::format("{:016x}", offer_id); }

std::int64_t offer_id_of(std::string_view hex) noexcept {
  std::int64_t id = 0;
  if (hex.size() != 16) return 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), id, 16);
  return error == std::errc() && end == hex.data() + hex.size() ? id : 0;
}

}  // namespace tellerd::deliver

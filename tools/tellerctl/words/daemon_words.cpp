#include "tellerctl/words/daemon_words.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "core/time.h"
#include "tellerctl/load/report.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr int kStripWeeks = 52;
constexpr std::size_t kOffersShown = 8, kMovesShown = 6, kPaymentsShown = 6;

std::int64_t whole(const json& of, const char* name) {
  const auto found = of.find(name);
  return found != of.end() && found->is_number() ? found->get<std::int64_t>() : 0;
}
std::string text(const json& of, const char* name) {
  const auto found = of.find(name);
  return found != of.end() && found->is_string() ? found->get<std::string>() : std::string();
}
double real(const json& of, const char* name) {
  const auto found = of.find(name);
  return found != of.end() && found->is_number() ? found->get<double>() : 0.0;
}
json part(const json& of, const char* name) { return of.contains(name) ? of[name] : json(); }

std::string number(std::int64_t value) {
  const std::string digits = with_commas(static_cast<std::uint64_t>(value < 0 ? -value : value));
  return value < 0 ? "-" + digits : digits;
}
std::string money(std::int64_t minor) {
  const std::int64_t size = minor < 0 ? -minor : minor;
  return fmt::format("{}{}.{:02}", minor < 0 ? "-" : "", number(size / 100), size % 100);
}
std::string moment(std::int64_t us) {
  std::string at = core::format_instant(us).substr(0, 19);
  at[10] = ' ';
  return at + " UTC";
}
std::string bytes(std::int64_t count) {
  return count < 1'000'000'000 ? fmt::format("{:.1f} MB", static_cast<double>(count) / 1e6)
                               : fmt::format("{:.1f} GB", static_cast<double>(count) / 1e9);
}
std::string line(const char* label, const std::string& words) {
  return words.empty() ? std::string() : fmt::format("  {:<12}{}\n", label, words);
}

// "VIP 391, Premium 1,121" of a list of {name, count}.
std::string counts(const json& list, const char* name, const char* count = "count") {
  std::string words;
  if (list.is_array())
    for (const json& one : list)
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", text(one, name), number(whole(one, count)));
  return words;
}

std::string rooms(const json& status) {
  std::string words;
  const json list = part(status, "rooms");
  if (list.is_array())
    for (const json& room : list)
      words += fmt::format("  {:<12}{:<6} {:>14} {:<10} {}\n", text(room, "name"), text(room, "light"),
                           number(whole(room, "value")), text(room, "unit"), text(room, "text"));
  return words;
}

// A week a character, the running one last.
std::string strip(const json& customer, const char* bits) {
  const std::int64_t weeks = whole(customer, bits);
  std::string words;
  for (int week = kStripWeeks - 1; week >= 0; --week) words += (weeks >> week) & 1 ? '#' : '.';
  return words;
}

std::string portrait(const json& customer) {
  std::string words = text(customer, "key");
  for (const char* name : {"name", "city"})
    if (const std::string value = text(customer, name); !value.empty())
      words += (std::string_view(name) == "name" ? "  " : ", ") + value;
  if (const std::string day = text(customer, "registered_on"); !day.empty()) words += ", registered on " + day;
  words += "\n";
  if (const std::string segment = text(customer, "combined_segment"); !segment.empty())
    words += line("segment", fmt::format("{} ({}) since {}", segment, text(customer, "tier"),
                                         moment(whole(customer, "tier_since_us"))));
  else
    words += line("segment", "none yet");
  if (const std::string churn = text(customer, "churn_state"); !churn.empty())
    words +=
        line("churn", part(customer, "inactive_weeks").is_null()
                          ? churn
                          : fmt::format("{}, last transaction {} weeks ago", churn, whole(customer, "inactive_weeks")));
  words +=
      line("turnover",
           fmt::format("{} in {} transactions, the largest {}", money(whole(customer, "transaction_total_minor")),
                       number(whole(customer, "transaction_count")), money(whole(customer, "transaction_max_minor"))));
  words += line("on line",
                fmt::format("{} logins ({} successful), {} activities, {} minutes, {} page views",
                            number(whole(customer, "login_count")), number(whole(customer, "successful_login_count")),
                            number(whole(customer, "activity_count")), number(whole(customer, "activity_minutes")),
                            number(whole(customer, "page_views"))));
  words += line("bills", fmt::format("{} in {} payments", money(whole(customer, "bill_total_minor")),
                                     number(whole(customer, "bill_count"))));
  words += line("portfolio", fmt::format("{} in {} holdings", money(whole(customer, "portfolio_value_minor")),
                                         number(whole(customer, "holding_count"))));
  words += line("spends on", text(customer, "priority_category"));
  words += line("loans", fmt::format("{} overdue, {} days past due", number(whole(customer, "overdue_loans")),
                                     number(whole(customer, "dpd"))));
  words += fmt::format("\n  {:<15}{} weeks, the running one last\n", "", kStripWeeks);
  for (const auto& [label, bits] : {std::pair{"transactions", "tx_weeks"},
                                    {"support", "sup_weeks"},
                                    {"competitor SMS", "sms_weeks"},
                                    {"competitor web", "host_weeks"}})
    words += fmt::format("  {:<15}{}\n", label, strip(customer, bits));
  return words;
}

// The rows of a list as lines under a title; `say` words one.
template <class Say>
std::string section(const json& answer, const char* name, const char* title, std::size_t most, const Say& say) {
  const json list = part(answer, name);
  if (!list.is_array() || list.empty()) return {};
  std::string words = fmt::format("\n{}\n", title);
  for (std::size_t at = 0; at < std::min(most, list.size()); ++at) words += "  " + say(list[at]) + "\n";
  if (list.size() > most) words += "  ... the others with --json\n";
  return words;
}

// How likely it is that the customer leaves, and why.
std::string leaving(const json& churn) {
  if (!churn.is_object() || part(churn, "probability").is_null()) return {};
  std::string words =
      fmt::format("\nLeaves within {} weeks with probability {:.0f} % (model {})\n", whole(churn, "horizon_weeks"),
                  100 * real(churn, "probability"), text(churn, "model"));
  for (const char* language : {"reasons_en", "reasons_ru"}) {
    const json reasons = part(churn, language);
    if (!reasons.is_array()) continue;
    for (const json& reason : reasons) words += "  " + reason.get<std::string>() + "\n";
  }
  return words;
}

}  // namespace

std::string status_words(const json& status) {
  std::string words =
      fmt::format("tellerd {}, branch \"{}\", {}: {}\n\n{}\n", text(status, "version"), text(status, "branch"),
                  text(status, "timezone"), text(status, "light"), rooms(status));
  words += line("since", moment(whole(status, "started_us")));
  words += line("clock", text(status, "clock"));
  const json ingest = part(status, "ingest"), disk = part(status, "disk"), overdue = part(status, "overdue"),
             policy = part(status, "policy");
  words += line("lag", number(whole(part(status, "lag"), "records")) + " records");
  words += line("commit",
                fmt::format("p50 {:.1f} ms, p99 {:.1f} ms; acknowledgement p99 {:.1f} ms", real(ingest, "fsync_ms_p50"),
                            real(ingest, "fsync_ms_p99"), real(ingest, "ack_ms_p99")));
  words += line("disk", fmt::format("{} free, {} of data, {} weeks of log (kept: {})", bytes(whole(disk, "free_bytes")),
                                    bytes(whole(disk, "data_bytes")), whole(disk, "bronze_weeks"),
                                    whole(disk, "retention_weeks")));
  const json coming = part(policy, "coming");
  words +=
      line("rules", text(policy, "name") + " " + text(policy, "hash").substr(0, 12) +
                        (coming.empty() ? std::string()
                                        : fmt::format("; {} {} is to decide: {} % derived", text(coming, "name"),
                                                      text(coming, "hash").substr(0, 12), whole(coming, "percent"))));
  words += line("queues", counts(part(status, "queues"), "queue", "ready"));
  words += line("tiers", counts(part(status, "tiers"), "name"));
  words += line("segments", counts(part(status, "segments"), "name"));
  words += line("churn", counts(part(status, "churn"), "state"));
  words += line("loans", fmt::format("{} of {} overdue", number(whole(overdue, "overdue_loans")),
                                     number(whole(overdue, "loans"))));
  const std::string refused = counts(part(status, "quarantine"), "reason");
  words += line("quarantine", refused.empty() ? "empty" : refused);
  return words + section(status, "errors", "Last errors", 5,
                         [](const json& error) { return moment(whole(error, "at_us")) + "  " + text(error, "text"); });
}

std::string customer_words(const json& answer) {
  std::string words = portrait(part(answer, "customer"));
  words += leaving(part(answer, "churn"));
  words += section(answer, "offers", "Offers", kOffersShown, [](const json& offer) {
    return fmt::format("{}  {:<10} {:>12}  until {}  {}", text(offer, "offer_id"), text(offer, "state"),
                       money(whole(offer, "expected_revenue_minor")), moment(whole(offer, "expires_us")),
                       text(offer, "offer_type"));
  });
  words += section(answer, "segment_history", "Segments", kMovesShown, [](const json& stay) {
    return fmt::format("{}  {:<18} {}", moment(whole(stay, "from_us")), text(stay, "combined_segment"),
                       text(stay, "reason"));
  });
  return words + section(answer, "payments", "Instalments", kPaymentsShown, [](const json& payment) {
           const std::string paid = text(payment, "payment_fact_date");
           return fmt::format("{}  {:<8} {:>12} planned  {:>12} {:<14} {}", text(payment, "payment_date"),
                              text(payment, "loan_name"), money(whole(payment, "planned_minor")),
                              money(whole(payment, "paid_fact_amount_minor")), paid.empty() ? "not paid" : "on " + paid,
                              whole(payment, "is_overdue") ? "overdue" : "");
         });
}

}  // namespace tellerd::tellerctl

#include "decide/pack_parts.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "core/fault.h"
#include "core/limits.h"

namespace tellerd::decide {
namespace {

[[noreturn]] void fail(const PlacedText& at, const std::string& problem) {
  throw core::Fault(core::Exit::kConfig, at.place + ": " + problem);
}

std::vector<std::string> plain(const std::vector<PlacedText>& texts) {
  std::vector<std::string> out;
  for (const PlacedText& text : texts) out.push_back(text.text);
  return out;
}

struct CodeRange {
  int first = 0, last = 0;
};

// "5411" or "5815-5818".
CodeRange parse_codes(const PlacedText& text) {
  CodeRange range;
  const char* const end = text.text.data() + text.text.size();
  auto parsed = std::from_chars(text.text.data(), end, range.first);
  range.last = range.first;
  if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '-')
    parsed = std::from_chars(parsed.ptr + 1, end, range.last);
  if (parsed.ec != std::errc() || parsed.ptr != end || range.first < 0 || range.last > 9999 || range.first > range.last)
    fail(text, Section::quoted(text.text) + " is no code or range of codes, as 5411 or 5815-5818");
  return range;
}

void add_category(const Section& section, MccTable& table) {
  const std::string name = section.text("name");
  if (std::find(table.names.begin(), table.names.end(), name) != table.names.end())
    section.fail("name", "a second category " + Section::quoted(name));
  if (table.names.size() >= kNoCategory) section.fail("name", "more than 255 categories");
  const auto index = static_cast<std::uint8_t>(table.names.size());
  table.names.push_back(name);
  for (const PlacedText& codes : section.texts("mcc")) {
    const CodeRange range = parse_codes(codes);
    for (int code = range.first; code <= range.last; ++code) {
      std::uint8_t& category = table.category_of_code[static_cast<std::size_t>(code)];
      if (category != kNoCategory)
        fail(codes, "code " + std::to_string(code) + " is already in " + Section::quoted(table.names[category]));
      category = index;
    }
  }
}

std::vector<core::Day> parse_days(const Section& section, std::string_view key) {
  std::vector<core::Day> days;
  for (const PlacedText& text : section.texts(key)) {
    const auto day = core::parse_date(text.text);
    if (!day) fail(text, Section::quoted(text.text) + " is no date as 2026-11-21");
    days.push_back(*day);
  }
  std::sort(days.begin(), days.end());
  days.erase(std::unique(days.begin(), days.end()), days.end());
  return days;
}

// Braces belong to {1} and {2}, which the daemon fills in.
bool is_weekend(core::Day day) noexcept { return day - core::first_day_of_week(core::week_of_day(day)) >= 5; }

}  // namespace

std::optional<std::vector<std::string>> names_in_braces(std::string_view words) {
  std::vector<std::string> names;
  for (std::size_t at = words.find_first_of("{}"); at != std::string_view::npos; at = words.find_first_of("{}", at)) {
    const std::size_t end = words.find('}', at);
    if (words[at] == '}' || end == std::string_view::npos) return std::nullopt;
    const std::string_view name = words.substr(at + 1, end - at - 1);
    if (name.empty() || !Section::is_short_name(name)) return std::nullopt;
    if (name != "1" && name != "2") names.emplace_back(name);
    at = end + 1;
  }
  return names;
}

Terms terms_of(const Section& section) {
  constexpr std::size_t kParametersMax = 20;
  Terms terms;
  if (section.has("treatment")) terms.treatment = section.short_name("treatment");
  if (!section.has("parameters")) return terms;
  const Section values = section.section("parameters", {});
  for (const std::string& name : values.keys()) {  // in the order of names
    if (!Section::is_short_name(name)) values.fail(name, Section::quoted(name) + " is made of a-z, 0-9 and _");
    terms.parameters.emplace_back(name, values.text(name));
  }
  if (terms.parameters.size() > kParametersMax) section.fail("parameters", "\"parameters\" are at most 20");
  return terms;
}

Competitors parse_competitors(const std::string& place, const toml::table& table) {
  const Section file(place, table, {"sms_patterns", "hosts"});
  const auto patterns = file.texts("sms_patterns");
  const auto hosts = file.texts("hosts");
  for (const PlacedText& pattern : patterns)
    if (core::casefold(pattern.text).empty()) fail(pattern, "not a text to look for");
  for (const PlacedText& host : hosts)
    if (core::host_ascii(host.text).empty()) fail(host, Section::quoted(host.text) + " is no host name");
  Competitors out;
  out.sms_texts = plain(patterns);
  out.host_names = plain(hosts);
  out.sms = core::SubstringPatterns(out.sms_texts);
  out.hosts = core::HostPatterns(out.host_names);
  return out;
}

MccTable parse_mcc(const std::string& place, const toml::table& table) {
  const Section file(place, table, {"money_category", "money_divisor", "category"});
  MccTable out;
  out.category_of_code.fill(kNoCategory);
  for (const Section& section : file.sections("category", {"name", "mcc"})) add_category(section, out);
  const auto money = std::find(out.names.begin(), out.names.end(), file.text("money_category"));
  if (money == out.names.end()) file.fail("money_category", "\"money_category\" is none of the categories");
  out.money_category = static_cast<std::uint8_t>(money - out.names.begin());
  out.money_divisor = file.integer("money_divisor", 1, 1'000'000);
  return out;
}

Merchants parse_merchants(const std::string& place, const toml::table& table) {
  const Section file(place, table, {"protection", "audience", "forecast"});
  Merchants out;
  const Section protection =
      file.section("protection", {"min_customers", "min_other_merchants", "largest_share_percent",
                                  "largest_two_share_percent", "significant_digits", "competitor_delay_weeks"});
  out.min_customers = protection.count("min_customers", 1, 1'000'000);
  out.min_other_merchants = protection.count("min_other_merchants", 1, 1'000'000);
  out.largest_share_percent = protection.count("largest_share_percent", 1, 100);
  out.largest_two_share_percent = protection.count("largest_two_share_percent", out.largest_share_percent, 100);
  out.significant_digits = protection.count("significant_digits", 1, 15);
  out.competitor_delay_weeks = protection.count("competitor_delay_weeks", 0, 52);
  const Section audience = file.section("audience", {"age_bands", "power_weeks"});
  out.age_bands = audience.counts("age_bands", 0, 150);
  if (std::adjacent_find(out.age_bands.begin(), out.age_bands.end(), std::greater_equal<>()) != out.age_bands.end())
    audience.fail("age_bands", "\"age_bands\" do not ascend");
  out.power_weeks = audience.count("power_weeks", 1, core::limits::kActivityWeeksKept);
  const Section forecast = file.section("forecast", {"weeks_ahead", "season_weeks", "lead_time_weeks"});
  out.weeks_ahead = forecast.count("weeks_ahead", 1, 52);
  out.season_weeks = forecast.count("season_weeks", 1, 53);
  out.lead_time_weeks = forecast.count("lead_time_weeks", 0, 52);
  return out;
}

Holidays parse_holidays(const std::string& place, const toml::table& table) {
  const Section file(place, table, {"holidays", "working_weekends"});
  Holidays out{parse_days(file, "holidays"), parse_days(file, "working_weekends")};
  for (const core::Day day : out.working_weekends) {
    if (!is_weekend(day)) file.fail("working_weekends", core::format_date(day) + " is no Saturday or Sunday");
    if (std::binary_search(out.holidays.begin(), out.holidays.end(), day))
      file.fail("working_weekends", core::format_date(day) + " is a holiday too");
  }
  return out;
}

bool Holidays::is_day_off(core::Day day) const noexcept {
  if (std::binary_search(holidays.begin(), holidays.end(), day)) return true;
  return is_weekend(day) && !std::binary_search(working_weekends.begin(), working_weekends.end(), day);
}

Texts parse_texts(const std::string& place, const toml::table& table) {
  const std::initializer_list<std::string_view> names = {"reasons",  "quarantine", "churn_states", "tiers",
                                                         "segments", "categories", "scripts"};
  const Section file(place, table, names);
  Texts out;
  for (const std::string_view name : names) {
    if (name == "scripts" && !file.has(name)) continue;  // a pack may leave the agent to his own words
    const Section section = file.section(name, {});
    auto& codes = out.sections[std::string(name)];
    for (const std::string& code : section.keys()) {
      codes[code] = section.text(code);
      const auto others = names_in_braces(codes[code]);
      if (!others || (!others->empty() && name != "scripts"))
        section.fail(code, "only {1} and {2} may stand in braces" +
                               std::string(name == "scripts" ? ", and names of the action's parameters" : ""));
    }
  }
  return out;
}

std::string_view Texts::words(std::string_view section, const std::string& code) const {
  const auto found = sections.find(section);
  if (found == sections.end()) return code;
  const auto words = found->second.find(code);
  return words == found->second.end() ? std::string_view(code) : std::string_view(words->second);
}

}  // namespace tellerd::decide

#include <doctest/doctest.h>
#include <toml++/toml.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace {

const std::string kPolicy = TELLERD_SOURCE_DIR "/systemd/policy/";
const std::array<std::string, 2> kPacks{"original", "default"};
const std::array<std::string, 11> kFiles{"pack.toml",     "segments.toml",    "churn.toml",   "offers.toml",
                                         "contact.toml",  "competitors.toml", "mcc.toml",     "merchants.toml",
                                         "holidays.toml", "texts.ru.toml",    "texts.en.toml"};

toml::table open(const std::string& pack, const std::string& file) {
  return toml::parse_file(kPolicy + pack + "/" + file);
}

std::string text_of(const toml::table& table, std::string_view name) {
  return table[name].value<std::string>().value_or("?");
}

std::int64_t number_of(const toml::table& table, std::string_view name) {
  return table[name].value<std::int64_t>().value_or(-1);
}

// A category's codes with ranges unrolled.
std::vector<int> codes_of(const toml::table& category) {
  std::vector<int> codes;
  for (const auto& item : *category["mcc"].as_array()) {
    const std::string range = item.value<std::string>().value();
    const auto dash = range.find('-');
    const int first = std::stoi(range);
    const int last = dash == std::string::npos ? first : std::stoi(range.substr(dash + 1));
    for (int code = first; code <= last; ++code) codes.push_back(code);
  }
  return codes;
}

std::map<std::string, std::set<std::string>> keys_of(const toml::table& texts) {
  std::map<std::string, std::set<std::string>> keys;
  for (const auto& [section, codes] : texts)
    for (const auto& [code, words] : *codes.as_table()) {
      CHECK_FALSE(words.value<std::string>().value_or("").empty());
      keys[std::string(section.str())].insert(std::string(code.str()));
    }
  return keys;
}

}  // namespace

TEST_SUITE("policy.packs") {
  TEST_CASE("both packs have all files, each opens with words for its reader and can be parsed") {
    for (const std::string& pack : kPacks)
      for (const std::string& file : kFiles) {
        CAPTURE(pack + "/" + file);
        std::ifstream stream(kPolicy + pack + "/" + file);
        std::string line;
        REQUIRE(std::getline(stream, line));
        CHECK(line.rfind("# ", 0) == 0);
        CHECK_NOTHROW(open(pack, file));
      }
  }

  TEST_CASE("925 merchant codes stand in 35 categories, each in one") {
    for (const std::string& pack : kPacks) {
      const toml::table mcc = open(pack, "mcc.toml");
      std::map<int, std::string> category_of;
      std::set<std::string> names;
      for (const auto& item : *mcc["category"].as_array()) {
        const toml::table& category = *item.as_table();
        names.insert(text_of(category, "name"));
        for (const int code : codes_of(category)) CHECK(category_of.emplace(code, text_of(category, "name")).second);
      }
      CHECK(names.size() == 35);
      CHECK(category_of.size() == 925);
      CHECK(category_of.at(4121) == "Taxi");
      CHECK(category_of.at(5817) == "Digital goods");
      CHECK(category_of.at(742) == "Pet");
      CHECK(category_of.at(3000) == "Tourism");
      CHECK(category_of.count(3069) == 0);  // the gap between two ranges
      CHECK(names.count(text_of(mcc, "money_category")) == 1);
      CHECK(number_of(mcc, "money_divisor") == 1000);
    }
  }

  // Sums over domain.md 5 by hand: base revenues, and days valid 30 and 30, 14, 7 by level.
  TEST_CASE("24 offer templates, three for each combined segment, under actions of their own") {
    for (const std::string& pack : kPacks) {
      const toml::table offers = open(pack, "offers.toml");
      const auto& templates = *offers["template"].as_array();
      CHECK(templates.size() == 24);
      std::map<std::string, int> of_segment;
      std::set<std::string> actions, types, names;
      std::int64_t base = 0, days = 0, priorities = 0;
      for (const auto& item : templates) {
        const toml::table& one = *item.as_table();
        ++of_segment[text_of(one, "segment")];
        actions.insert(text_of(one, "action"));
        types.insert(text_of(one, "type"));
        names.insert(text_of(one, "name_ru"));
        base += number_of(one, "base_minor");
        days += number_of(one, "days_valid");
        priorities += number_of(one, "priority");
      }
      CHECK(of_segment.size() == 8);
      for (const auto& segment : of_segment) CHECK_MESSAGE(segment.second == 3, segment.first);
      CHECK(actions.size() == 24);
      CHECK(types.size() == 24);
      CHECK(names.size() == 24);
      // 105 + 70 + 45 + 25 + 16 + 10 + 6 + 1.7 thousand roubles
      CHECK(base == 278'700'00);
      CHECK(days == 12 * 30 + 6 * 14 + 6 * 7);
      CHECK(priorities == 4 + 5 + 7 + 8 + 10 + 12 + 13 + 15);
    }
  }

  TEST_CASE("each combined segment belongs to a tier and the last condition of a tier always holds") {
    for (const std::string& pack : kPacks) {
      const toml::table segments = open(pack, "segments.toml");
      std::map<std::string, std::string> last_when;
      for (const auto& item : *segments["tier"].as_array()) last_when[text_of(*item.as_table(), "name")] = "";
      CHECK(last_when.size() == 4);
      for (const auto& item : *segments["combined"].as_array()) {
        const std::string tier = text_of(*item.as_table(), "tier");
        REQUIRE(last_when.count(tier) == 1);
        last_when[tier] = text_of(*item.as_table(), "when");
      }
      for (const auto& tier : last_when) CHECK_MESSAGE(tier.second == "1", tier.first);
    }
  }

  TEST_CASE("the original pack has no windows and no second thoughts, the default pack has both") {
    const toml::table original = open("original", "pack.toml"), ours = open("default", "pack.toml");
    for (const char* window : {"transaction_weeks", "login_weeks", "activity_weeks", "bill_weeks"})
      CHECK(original["aggregates"][window].value<int>() == 0);
    for (const char* rule :
         {"convert_currency", "successful_logins_only", "completed_payments_only", "unpaid_is_overdue"}) {
      CHECK(original["aggregates"][rule].value<bool>() == false);
      CHECK(ours["aggregates"][rule].value<bool>() == true);
    }
    CHECK(original["aggregates"]["decide_needs_profile"].value<bool>() == true);
    CHECK(ours["aggregates"]["transaction_weeks"].value<int>() == 52);
    CHECK(ours["aggregates"]["login_weeks"].value<int>() == 26);
    CHECK(ours["aggregates"]["activity_weeks"].value<int>() == 13);
    CHECK(number_of(open("original", "segments.toml"), "downgrade_days") == 0);
    CHECK(number_of(open("default", "segments.toml"), "downgrade_days") == 14);
    int stays = 0;
    const toml::table segments = open("default", "segments.toml");
    for (const auto& item : *segments["tier"].as_array()) stays += item.as_table()->contains("stay");
    CHECK(stays == 3);
  }

  TEST_CASE("what is said in Russian is said in English, for every code, category and segment") {
    for (const std::string& pack : kPacks) {
      const auto ru = keys_of(open(pack, "texts.ru.toml"));
      CHECK(ru == keys_of(open(pack, "texts.en.toml")));
      std::set<std::string> families;
      for (const std::string& code : ru.at("reasons")) families.insert(code.substr(0, 3));
      CHECK(families == std::set<std::string>{"CH-", "SG-", "OV-", "NB-", "SU-", "DQ-", "MI-"});
      for (const char* reason : {"TOO_OLD", "FROM_FUTURE", "UNKNOWN_REFERENCE", "CONFLICT", "BAD_AMOUNT", "BAD_TEXT"})
        CHECK(ru.at("quarantine").count(reason) == 1);
      CHECK(ru.at("categories").size() == 35);
      CHECK(ru.at("segments").size() == 8);
      CHECK(ru.at("tiers").size() == 4);
    }
  }

  TEST_CASE("law cannot be tuned away: every legal rule of the default pack blocks and has no end") {
    const toml::table contact = open("default", "contact.toml");
    int legal = 0;
    std::set<std::string> ids;
    for (const auto& item : *contact["rule"].as_array()) {
      const toml::table& rule = *item.as_table();
      CHECK(ids.insert(text_of(rule, "id")).second);
      if (text_of(rule, "source") != "LAW") continue;
      ++legal;
      CHECK(text_of(rule, "effect") == "block");
      CHECK(text_of(rule, "valid_to").empty());
    }
    CHECK(legal == 12);  // six prohibitions, three limits each of conversations and messages
    CHECK_FALSE(open("original", "contact.toml").contains("rule"));
  }
}

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "core/fault.h"
#include "decide/pack.h"
#include "store/expression.h"

using namespace tellerd::decide;
using tellerd::core::Fault;
using tellerd::store::ExpressionSet;

namespace {

const std::string kTree = TELLERD_SOURCE_DIR "/systemd/policy/";

std::string problem_of(const PackFiles& files) {
  try {
    parse_pack(files);
  } catch (const Fault& fault) {
    CHECK(fault.exit_code() == tellerd::core::Exit::kConfig);
    return fault.what();
  }
  return "";
}

// The default pack with the first `from` of a file replaced, comments at the file's head apart.
std::string problem_after(const std::string& file, const std::string& from, const std::string& to) {
  PackFiles files = read_pack_files("default");
  std::size_t begin = 0;
  while (files.at(file)[begin] == '#') begin = files.at(file).find('\n', begin) + 1;
  const std::size_t at = files.at(file).find(from, begin);
  REQUIRE(at != std::string::npos);
  files.at(file).replace(at, from.size(), to);
  return problem_of(files);
}

// A customer by the columns that the tests name, all else 0 or empty.
struct Customer {
  std::int64_t total = 0, transactions = 0, logins = 0, activities = 0, portfolio = 0;
};

std::vector<ExpressionSet::Value> row_of(const Customer& customer, std::string_view tier) {
  std::vector<ExpressionSet::Value> row(kExpressionColumns.size(), std::int64_t{0});
  const auto set = [&](Column column, ExpressionSet::Value value) { row[static_cast<std::size_t>(column)] = value; };
  set(Column::kTransactionTotalMinor, customer.total);
  set(Column::kTransactionCount, customer.transactions);
  set(Column::kLoginCount, customer.logins);
  set(Column::kActivityCount, customer.activities);
  set(Column::kPortfolioValueMinor, customer.portfolio);
  set(Column::kTier, tier);
  set(Column::kCombinedSegment, std::string_view());
  set(Column::kChurnState, std::string_view("active"));
  return row;
}

bool holds(const std::string& expression, const std::vector<ExpressionSet::Value>& row) {
  ExpressionSet set(expression_columns());
  return set.is_true(set.add(expression, "test"), row);
}

std::string combined_of(const Pack& pack, const Customer& customer) {
  const auto& tiers = pack.segments.tiers;
  const auto tier =
      std::find_if(tiers.begin(), tiers.end(), [&](const Tier& t) { return holds(t.when, row_of(customer, "")); });
  for (const CombinedSegment& combined : pack.segments.combined)
    if (combined.tier == static_cast<std::size_t>(tier - tiers.begin()) &&
        holds(combined.when, row_of(customer, tier->name)))
      return combined.name;
  return "none";
}

std::int64_t revenue_of(const Pack& pack, std::int64_t base_minor, std::int64_t total_minor) {
  Customer customer;
  customer.total = total_minor;
  for (const Multiplier& multiplier : pack.offers.multipliers)
    if (holds(multiplier.when, row_of(customer, ""))) return base_minor * multiplier.numerator / multiplier.denominator;
  return base_minor;
}

}  // namespace

TEST_SUITE("decide.pack") {
  TEST_CASE("the built-in packs are those of the tree and are sound") {
    for (const std::string name : {"original", "default"}) {
      const PackFiles embedded = read_pack_files(name);
      CHECK(embedded.size() == (name == "default" ? 12 : 11));  // only the default pack chooses
      CHECK(embedded == read_pack_files(kTree + name));
      const Pack pack = parse_pack(embedded);
      CHECK(pack.name == name);
      CHECK(pack.hash == pack_hash(embedded));
      CHECK(pack.hash.size() == 32);
      CHECK(pack.branch_currency == tellerd::core::currency_of("RUB"));
    }
    CHECK(parse_pack(read_pack_files("original")).hash != parse_pack(read_pack_files("default")).hash);
  }

  TEST_CASE("original has no windows and converts nothing, default does") {
    const Pack original = parse_pack(read_pack_files("original"));
    CHECK(original.aggregates == Aggregates{0, 0, 0, 0, false, false, false, false, true});
    CHECK(original.segments.downgrade_days == 0);
    CHECK_FALSE(original.contact.has_rules);
    CHECK(original.contact.rules.empty());
    CHECK_FALSE(original.offers.marketing.active_in_window);
    CHECK_FALSE(original.offers.marketing.new_is_registered_today);
    for (const Tier& tier : original.segments.tiers) CHECK(tier.stay == tier.when);
    const Pack better = parse_pack(read_pack_files("default"));
    CHECK(better.aggregates.transaction_weeks == 52);
    CHECK(better.aggregates.login_weeks == 26);
    CHECK(better.aggregates.activity_weeks == 13);
    CHECK(better.aggregates.convert_currency);
    CHECK(better.aggregates.successful_logins_only);
    CHECK(better.aggregates.completed_payments_only);
    CHECK(better.segments.downgrade_days == 14);
    CHECK(better.segments.tiers[0].stay != better.segments.tiers[0].when);
    CHECK(better.offers.marketing.active_in_window);
    CHECK(better.offers.marketing.window_weeks == 13);
    CHECK(better.overdue == Overdue{3, 0});
    CHECK(better.churn.at_risk_threshold == doctest::Approx(0.6));
    CHECK(better.churn.at_risk_leave == doctest::Approx(0.5));
  }

  // Roubles and counts of domain.md 5 at both sides of each threshold, the segment by hand.
  TEST_CASE("original sorts customers as the source system did") {
    const Pack pack = parse_pack(read_pack_files("original"));
    const std::pair<Customer, std::string> cases[] = {
        {{20'000'000, 1, 5, 0, 0}, "VIP Active"},       {{20'000'000, 1, 4, 0, 0}, "Premium Passive"},
        {{19'999'999, 1, 5, 0, 0}, "Premium Passive"},  {{0, 0, 4, 0, 50'000'000}, "VIP Passive"},
        {{0, 0, 4, 0, 49'999'999}, "Low Engagement"},   {{0, 0, 5, 0, 50'000'000}, "VIP Active"},
        {{10'000'000, 1, 9, 0, 0}, "Premium Passive"},  {{10'000'000, 1, 10, 0, 0}, "Premium Active"},
        {{9'999'999, 1, 10, 19, 0}, "Standard Active"}, {{0, 0, 10, 20, 0}, "Premium Active"},
        {{0, 0, 9, 20, 0}, "Low Engagement"},           {{5'000'000, 1, 4, 0, 0}, "Standard Passive"},
        {{5'000'000, 1, 5, 0, 0}, "Standard Active"},   {{4'999'999, 1, 9, 0, 0}, "Transaction Only"},
        {{-100, 1, 0, 0, 0}, "Transaction Only"},       {{0, 0, 0, 0, 0}, "Low Engagement"}};
    for (const auto& expected : cases) {
      CAPTURE(expected.second);
      CAPTURE(expected.first.total);
      CHECK(combined_of(pack, expected.first) == expected.second);
    }
    std::vector<int> levels;
    for (const Tier& tier : pack.segments.tiers) levels.push_back(tier.level);
    CHECK(levels == std::vector<int>{1, 2, 3, 4});
  }

  TEST_CASE("three offers a combined segment, with the revenue and days of the source system") {
    const Pack pack = parse_pack(read_pack_files("original"));
    REQUIRE(pack.offers.templates.size() == 24);
    CHECK(pack.offers.queue == "marketing");
    std::map<std::string, std::vector<std::int64_t>> bases;
    for (const Template& offer : pack.offers.templates) {
      const CombinedSegment& segment = pack.segments.combined.at(offer.segment);
      bases[segment.name].push_back(offer.base_minor / 100);
      const int level = pack.segments.tiers.at(segment.tier).level;
      CHECK(offer.days_valid == (level <= 2 ? 30 : level == 3 ? 14 : 7));
    }
    CHECK(bases["VIP Active"] == std::vector<std::int64_t>{50000, 30000, 25000});
    CHECK(bases["VIP Passive"] == std::vector<std::int64_t>{35000, 20000, 15000});
    CHECK(bases["Premium Active"] == std::vector<std::int64_t>{20000, 15000, 10000});
    CHECK(bases["Premium Passive"] == std::vector<std::int64_t>{12000, 8000, 5000});
    CHECK(bases["Standard Active"] == std::vector<std::int64_t>{8000, 5000, 3000});
    CHECK(bases["Standard Passive"] == std::vector<std::int64_t>{5000, 3000, 2000});
    CHECK(bases["Transaction Only"] == std::vector<std::int64_t>{3000, 2000, 1000});
    CHECK(bases["Low Engagement"] == std::vector<std::int64_t>{1000, 500, 200});
    CHECK(pack.offers.templates[2].name_ru == "Премиальная кредитная карта без лимита");
    CHECK(pack.offers.templates[23].priority == 5);
    CHECK(revenue_of(pack, 20'000, 100'000'001) == 30'000);
    CHECK(revenue_of(pack, 20'000, 100'000'000) == 24'000);
    CHECK(revenue_of(pack, 20'000, 50'000'000) == 20'000);
    CHECK(revenue_of(pack, 20'000, 5'000'000) == 20'000);
    CHECK(revenue_of(pack, 20'000, 4'999'999) == 14'000);
  }

  TEST_CASE("925 merchant codes fall into 35 categories") {
    const MccTable mcc = parse_pack(read_pack_files("original")).mcc;
    CHECK(mcc.names.size() == 35);
    CHECK(std::count_if(mcc.category_of_code.begin(), mcc.category_of_code.end(),
                        [](std::uint8_t category) { return category != kNoCategory; }) == 925);
    const auto name = [&](std::int64_t code) { return mcc.names.at(mcc.category_of(code)); };
    CHECK(name(742) == "Pet");
    CHECK(name(5814) == "Fast Food");
    CHECK(name(5815) == "Digital goods");
    CHECK(name(5818) == "Digital goods");
    CHECK(name(3000) == "Tourism");
    CHECK(name(5411) == "Supermarkets");
    CHECK(name(mcc.money_category == mcc.category_of(6011) ? 6011 : 5411) == "Money");
    CHECK(mcc.money_divisor == 1000);
    for (const std::int64_t none : {-1, 0, 3069, 5819, 9999, 10'000}) CHECK(mcc.category_of(none) == kNoCategory);
  }

  TEST_CASE("competitors match in texts, hosts and their subdomains") {
    const Competitors competitors = parse_pack(read_pack_files("default")).competitors;
    CHECK(competitors.sms.matches("Ваш кредит одобрен! РОМАШКА-БАНК"));
    CHECK_FALSE(competitors.sms.matches("Ромашки в саду"));
    CHECK(competitors.hosts.matches("lk.romashka-bank.example"));
    CHECK_FALSE(competitors.hosts.matches("notromashka-bank.example"));
  }

  TEST_CASE("days off are holidays and weekends that are not worked") {
    const Holidays holidays = parse_pack(read_pack_files("default")).holidays;
    const auto is_off = [&](const char* date) { return holidays.is_day_off(tellerd::core::parse_date(date).value()); };
    CHECK(is_off("2026-01-01"));
    CHECK(is_off("2026-11-21"));        // a Saturday
    CHECK(is_off("2026-11-22"));        // a Sunday
    CHECK_FALSE(is_off("2026-11-20"));  // a Friday
    CHECK_FALSE(is_off("2026-11-23"));  // a Monday
    CHECK_FALSE(is_off("2025-11-01"));  // a Saturday that is worked
  }

  TEST_CASE("the contact policy has the legal frequencies and hours") {
    const Contact contact = parse_pack(read_pack_files("default")).contact;
    CHECK(contact.has_rules);
    CHECK(contact.collection.work_days.begin == 8);
    CHECK(contact.collection.work_days.end == 22);
    CHECK(contact.marketing.days_off.begin == 10);
    CHECK(contact.precedence == std::vector<Purpose>{Purpose::kCollection, Purpose::kMarketing});
    std::map<std::pair<Channel, Window>, int> limits;
    for (const ContactRule& rule : contact.rules)
      if (rule.purpose == Purpose::kCollection && rule.cause == Cause::kContacts) {
        CHECK(rule.source == Source::kLaw);
        limits[{rule.channel, rule.window}] = rule.threshold;
      }
    CHECK(limits == std::map<std::pair<Channel, Window>, int>{{{Channel::kConversation, Window::kDay}, 1},
                                                              {{Channel::kConversation, Window::kWeek}, 2},
                                                              {{Channel::kConversation, Window::kMonth}, 8},
                                                              {{Channel::kMessage, Window::kDay}, 2},
                                                              {{Channel::kMessage, Window::kWeek}, 4},
                                                              {{Channel::kMessage, Window::kMonth}, 16}});
    CHECK(std::is_sorted(contact.ladder.begin(), contact.ladder.end(),
                         [](const LadderStep& a, const LadderStep& b) { return a.days < b.days; }));
    CHECK(contact.ladder.front().days == -3);
    CHECK(contact.lease_seconds == 120);
    CHECK(contact.lease_seconds_max == 900);
    CHECK(contact.random_percent == 5);
  }

  TEST_CASE("words are found by section and code") {
    const Pack pack = parse_pack(read_pack_files("default"));
    CHECK(pack.ru.words("tiers", "Premium") == "Премиальный");
    CHECK(pack.ru.words("tiers", "Gold") == "Gold");
    CHECK(pack.ru.words("colours", "Gold") == "Gold");
  }

  TEST_CASE("a missing file is named, a file too many as well") {
    for (const auto& [name, text] : read_pack_files("default")) {
      PackFiles files = read_pack_files("default");
      files.erase(name);
      if (name == "actions.toml") {  // then every template of the segment is held
        CHECK(problem_of(files).empty());
        continue;
      }
      CHECK(problem_of(files).find(name + " is missing") != std::string::npos);
    }
    PackFiles files = read_pack_files("default");
    files["offers2.toml"] = "";
    CHECK(problem_of(files) == "pack default: offers2.toml is no file of a pack");
    CHECK(problem_of({}) == "pack: pack.toml is missing");
  }

  TEST_CASE("a misspelt key is refused with its file and line, wherever it stands") {
    const PackFiles sound = read_pack_files("default");
    int tried = 0;
    for (const auto& [name, text] : sound) {
      if (name.rfind("texts.", 0) == 0) continue;
      int line = 1;
      for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1, ++line) {
        const std::string row = text.substr(at, text.find('\n', at) - at);
        if (row.empty() || row[0] < 'a' || row[0] > 'z' || row.find(" = ") == std::string::npos) continue;
        const std::string section = text.substr(text.rfind("\n[", at) + 1, 10);  // of any queue's name
        if (section.starts_with("[capacity]") || section.starts_with("[waiting]")) continue;
        if (name == "pack.toml" && row.rfind("name", 0) == 0) continue;  // without it the pack has no name to report
        PackFiles files = sound;
        files[name].insert(at, "x");
        const std::string expected = "pack default: " + name + " line " + std::to_string(line) + ": unknown key \"x";
        CHECK(problem_of(files).rfind(expected, 0) == 0);
        ++tried;
      }
    }
    CHECK(tried > 400);
  }

  TEST_CASE("what is wrong is named") {
    struct Case {
      const char *file, *from, *to, *problem;
    };
    const Case cases[] = {
        {"pack.toml", "\"RUB\"", "\"RUR\"", "no ISO 4217 code"},
        {"pack.toml", "\"full\"", "\"bytes\"", "one of: bits"},
        {"pack.toml", "name = \"default\"", "name = \"De fault\"", "\"name\" is up to 64"},
        {"pack.toml", "transaction_weeks = 52", "transaction_weeks = 65", "not between 0 and 64"},
        {"pack.toml", "transaction_weeks = 52", "transaction_weeks = -1", "not between 0 and 64"},
        {"pack.toml", "transaction_weeks = 52", "transaction_weeks = 52.0", "not a whole number"},
        {"pack.toml", "convert_currency = true", "convert_currency = 1", "neither true nor false"},
        {"pack.toml", "version = \"1\"", "version = \" \"", "\"version\" is empty"},
        {"pack.toml", "[overdue]", "[overdue", "pack.toml line"},
        {"segments.toml", "when = \"(transaction", "when = \"(transation", "unknown column transation_total_minor"},
        {"segments.toml", "when = \"1\"", "when = \"0\"", "the last [[tier]] needs when"},
        {"segments.toml", "tier = \"VIP\"", "tier = \"VVIP\"", "there is no tier \"VVIP\""},
        {"segments.toml", "name = \"Premium\"", "name = \"VIP\"", "a second tier \"VIP\""},
        {"segments.toml", "\"login_count >= 5\"", "\"combined_segment = 'x'\"", "which follows from it"},
        {"segments.toml", "when = \"transaction_total_minor >= 5000000\"", "when = \"tier = 'VIP'\"", "reads tier"},
        {"segments.toml", "name = \"VIP Passive\"", "name = \"VIP Active\"", "a second combined segment"},
        {"segments.toml", "tier = \"Basic\"\nwhen = \"1\"", "tier = \"Basic\"\nwhen = \"dpd\"",
         "of the tier \"Basic\" needs"},
        {"churn.toml", "feature_weeks = 12", "feature_weeks = 51", "not between 1 and 50"},
        {"churn.toml", "horizon_weeks = 12", "horizon_weeks = 51", "together are over 62"},
        {"churn.toml", "at_risk_leave = 0.5", "at_risk_leave = 0.7", "is over \"at_risk_threshold\""},
        {"churn.toml", "at_risk_threshold = 0.6", "at_risk_threshold = nan", "not between 0 and 1"},
        {"offers.toml", "segment = \"VIP Active\"", "segment = \"VIP\"", "there is no combined segment \"VIP\""},
        {"offers.toml", "days_valid = 30", "days_valid = 0", "\"days_valid\" is not between 1 and"},
        {"offers.toml", "priority = 1", "priority = 32", "\"priority\" is not between 0 and 31"},
        {"offers.toml", "base_minor = 5000000", "base_minor = -1", "\"base_minor\" is not between 0 and"},
        {"offers.toml", "base_minor = 5000000", "base_minor = 900000000000000", "over 10^15"},
        {"offers.toml", "denominator = 10", "denominator = 0", "\"denominator\" is not between 1"},
        {"offers.toml", "when = \"transaction_total_minor", "when = \"random() > ",
         "the function random is not allowed"},
        {"offers.toml", "action = \"exclusive_private_banking\"", "action = \"premium_investment_advisory\"",
         "a second"},
        {"offers.toml", "action = \"exclusive_private_banking\"", "action = \"Exclusive\"", "is made of a-z"},
        {"offers.toml", "active = \"window\"", "active = \"some\"", "is one of: all, window"},
        {"offers.toml", "window_weeks = 13\n", "", "\"window_weeks\" is missing"},
        {"contact.toml", "source = \"LAW\"", "source = \"LAWS\"", "is one of: LAW, BANK, BUSINESS"},
        {"contact.toml", "work_days = [8, 22]", "work_days = [22, 8]", "a later last hour"},
        {"contact.toml", "work_days = [8, 22]", "work_days = [8]", "a later last hour"},
        {"contact.toml", "id = \"law-no-consent\"", "id = \"law-do-not-call\"", "a second rule"},
        {"contact.toml", "rules = true", "rules = false", "though \"rules\" is false"},
        {"contact.toml", "threshold = 1\n", "", "no \"threshold\""},
        {"contact.toml", "suppress_days = 30\n", "", "no \"suppress_days\""},
        {"contact.toml", "valid_from = \"\"", "valid_from = \"2026-02-30\"", "no date"},
        {"contact.toml", "seconds = 120", "seconds = 901", "not between 1 and 900"},
        {"contact.toml", "holdout_percent = 5", "holdout_percent = 96", "not between 0 and 95"},
        {"segments.toml", "[[tier]]\nname = \"Basic\"",
         "[[tier]]\nname = \"Gold\"\nwhen = \"dpd\"\nlevel = 4\n\n[[tier]]\nname = \"Basic\"",
         "no [[combined]] for the tier \"Gold\""},
        {"contact.toml", "\"collection\", \"marketing\"]", "\"collection\", \"collection\"]", "twice"},
        {"contact.toml", "\"collection\", \"marketing\"]", "\"all\"]", "lists marketing, collection and service"},
        {"contact.toml", "action = \"overdue_notice\"", "action = \"overdue_call\"", "a second step"},
        {"contact.toml", "valid_from = \"\"\nvalid_to = \"\"", "valid_from = \"2026-02-02\"\nvalid_to = \"2026-02-01\"",
         "before \"valid_from\""},
        {"contact.toml", "cause = \"do_not_call\"", "cause = \"do_not_call\"\nthreshold = 1",
         "without anything to count"},
        {"contact.toml", "window = \"day\"\nrolling_days = 1\n", "", "no \"window\" or \"rolling_days\""},
        {"contact.toml", "effect = \"block\"", "effect = \"block\"\nsuppress_days = 3",
         "a rule that does not suppress"},
        {"mcc.toml", "name = \"Fast Food\"", "name = \"Taxi\"", "a second category"},
        {"merchants.toml", "largest_two_share_percent = 50", "largest_two_share_percent = 24",
         "not between 25 and 100"},
        {"competitors.toml", "\"romashka-bank.example\"", "\"romashka bank\"", "is no host name"},
        {"competitors.toml", "\"romashka-bank.example\"", "7", "is not a text in quotes"},
        {"mcc.toml", "\"4121\"", "\"41x1\"", "no code or range"},
        {"mcc.toml", "\"4121\"", "\"10000\"", "no code or range"},
        {"mcc.toml", "\"5815-5818\"", "\"5818-5815\"", "no code or range"},
        {"mcc.toml", "\"4121\"", "\"5814\"", "code 5814 is already in \"Taxi\""},
        {"mcc.toml", "money_category = \"Money\"", "money_category = \"Gold\"", "none of the categories"},
        {"mcc.toml", "money_divisor = 1000", "money_divisor = 0", "not between 1"},
        {"merchants.toml", "min_customers = 20", "min_customers = 0", "not between 1"},
        {"merchants.toml", "[18, 25,", "[25, 18,", "do not ascend"},
        {"holidays.toml", "\"2026-01-01\"", "\"2026-13-01\"", "no date"},
        {"holidays.toml", "\"2025-11-01\"", "\"2025-11-05\"", "no Saturday or Sunday"},
        {"texts.ru.toml", "CH-01 = ", "# ", "no words for \"CH-01\" in [reasons]"},
        {"texts.en.toml", "VIP = ", "VVIP = ", "no words for \"VIP\" in [tiers]"},
        {"texts.ru.toml", "{1}", "{3}", "only {1} and {2}"},
        {"texts.ru.toml", "any = \"", "any = \"{sum} ", "says {sum}, which is no parameter of it"},
        {"texts.ru.toml", "[tiers]", "[tier]", "unknown key \"tier\""},
    };
    for (const Case& wrong : cases) {
      CAPTURE(std::string(wrong.to));
      const std::string problem = problem_after(wrong.file, wrong.from, wrong.to);
      CAPTURE(problem);
      CHECK(problem.find(wrong.problem) != std::string::npos);
      CHECK(problem.find(wrong.file) != std::string::npos);
    }
  }

  TEST_CASE("a pack with damaged bytes is read or refused, never anything else") {
    std::mt19937 dice(1);
    const PackFiles sound = read_pack_files("default");
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
      PackFiles files = sound;
      auto file = files.begin();
      std::advance(file, dice() % files.size());
      for (int n = 0; n < 3; ++n) file->second[dice() % file->second.size()] = static_cast<char>(dice());
      if (round % 10 == 0) file->second.resize(dice() % file->second.size());
      if (!problem_of(files).empty()) ++refused;
    }
    CHECK(refused > 100);
  }
}

// What a desk may say: talking points from what happened, and that nothing is worded which nothing says.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "decide/reason_words.h"
#include "model/reasons.h"
#include "support/choice_branch.h"
#include "support/choices.h"
#include "support/churn_models.h"

using namespace tellerd;
using nlohmann::json;
using tests::Branch;
using tests::date_of;

namespace {

constexpr core::Instant kStart = tests::kMonday + 30 * core::kWeek;

// Offers to everybody by segment, so that everybody has a card; the rest is the default pack.
decide::PackFiles pack(const std::string& at_risk = "0.6") {
  auto files = decide::read_pack_files("default");
  files.erase("actions.toml");
  std::string& churn = files["churn.toml"];
  churn.replace(churn.find("at_risk_threshold = 0.6"), 23, "at_risk_threshold = " + at_risk);
  churn.replace(churn.find("at_risk_leave = 0.5"), 19, "at_risk_leave = 0.005");
  return files;
}

// The talking points on the card of each customer who has one, by key.
std::map<std::string, json> points(Branch& branch) {
  std::istringstream offers(
      branch.ask("SELECT customer_key, min(number) FROM offer_told WHERE state='READY' GROUP BY 1"));
  app::Engine& engine = branch.fold().engine();
  static std::int64_t steady_us = core::kHour;
  steady_us += core::kHour;  // cards of before are too old
  engine.queues()->asks_for(0, steady_us);
  for (int times = 0; times < 100; ++times) engine.make_cards(steady_us);
  std::map<std::string, json> found;
  for (std::string line; std::getline(offers, line);) {
    const auto bar = line.find('|');
    const auto* card = engine.queues()->cards().find(std::stoll(line.substr(bar + 1)), 0);
    REQUIRE(card);
    found[line.substr(0, bar)] = json::parse("{" + card->text + "}").at("talking_points");
  }
  return found;
}

std::string said(const json& points, const char* language, std::string_view code) {
  for (const auto& one : points)
    if (one["code"] == code) return one[language];
  return {};
}

void lend(Branch& branch, std::string_view customer, int due_in_days, int paid_days_ago, std::int64_t paid_minor) {
  static std::deque<std::string> kept;  // an event only points at its texts
  const auto day = [&](std::int64_t days) -> const std::string& {
    return kept.emplace_back(date_of(branch.now() + days * core::kDay));
  };
  branch.tell(customer, wire::Loan{"L1", 100'000'00, "RUB", day(-300), day(300), 12, 10'000'00, ""});
  const std::string& paid = paid_minor ? day(-paid_days_ago) : kept.emplace_back();
  branch.tell(customer, wire::InstalmentPayment{"L1", std::abs(due_in_days), day(due_in_days), paid, paid_minor});
}

// Everybody of whom the branch knows something that may be said; nobody is scored.
void begin(Branch& branch) {
  branch.at(kStart);
  for (const char* customer : {"weekly", "rich", "rises", "late", "in part", "soon", "paid", "quiet", "back"})
    branch.meet(customer);
  for (int back = 0; back <= 20; ++back) branch.pay("weekly", 10'00, kStart - back * core::kWeek);
  branch.tell("rich", wire::Holding{"Bond", "B", 100'000'000, 1'000'00, 1'234'00, "RUB", "2025-01-01"});
  branch.pay("rich", 7'654'00);
  for (int times = 0; times < 3; ++times) branch.tell("rich", wire::Login{true, "", ""});
  branch.pay("rises", 100'00);
  branch.pay("rises", 60'000'00);
  branch.pay("falls", 60'000'00, kStart - 51 * core::kWeek);  // before it is met: it has stood nowhere else
  branch.meet("falls");
  lend(branch, "late", -25, 0, 0);
  branch.meet("both");  // what is told in the wrong order has not grown
  for (const int due : {-40, -100}) lend(branch, "both", due, 0, 0);
  lend(branch, "in part", -25, 20, 4'000'00);
  lend(branch, "soon", 5, 0, 0);
  lend(branch, "paid", -25, 2, 10'000'00);
  branch.pay("quiet", 100'00, kStart - 11 * core::kWeek);
  branch.pay("back", 100'00, kStart - 14 * core::kWeek);
  branch.pay("back", 100'00);
}
void go_on(Branch& branch, int days) {
  branch.at(kStart + days * core::kDay);
  branch.log().tick();
}

void note_codes(Branch& branch, std::set<std::string>& codes) {
  for (const auto& [customer, all] : points(branch))
    for (const auto& one : all) codes.insert(one["code"].get<std::string>());
}

std::set<std::string> codes_of_cards() {
  std::set<std::string> codes;
  Branch branch(pack());
  begin(branch);
  note_codes(branch, codes);
  for (const int days : {15, 42}) {
    go_on(branch, days);
    note_codes(branch, codes);
  }
  Branch scored(pack("0.01"));
  begin(scored);
  scored.log().model(tests::small_model(0));
  scored.log().activate_model(tests::id_of(tests::small_model(0)));
  scored.log().tick();
  note_codes(scored, codes);
  return codes;
}

// Reasons of a model that has learnt from people each of whom left for one thing.
std::set<std::string> codes_of_a_model() {
  constexpr core::Week kFirst = 2800, kRunning = 2860;
  model::TrainingSettings settings;
  settings.scope = {12, 12, 12, true};
  settings.booster.trees = 60;
  settings.booster.depth = 4;
  settings.booster.learning_rate = 0.2;
  settings.booster.min_child_weight = 5;
  const auto plan = std::get<model::TrainingPlan>(model::plan_training(settings, kRunning, kFirst));
  auto snapshots = tests::snapshots_of(tests::shoppers(600, kFirst, kRunning), plan, kRunning);
  for (auto& snapshot : snapshots)
    for (auto& one : snapshot.examples) {
      model::ChurnView& view = one.view;
      view.stood.tier_level = 2;
      view.minor = view.count * 5'000'00ll;
      const auto thing = one.customer % 8;
      const bool comes_weekly = thing == 4 || thing == 5 || one.customer % 16 == 0;  // some of whom left all the same
      if (comes_weekly) view.weeks[gold::kTx] = 0xFFF, view.count = 12, view.minor = 12 * 5'000'00;
      one.has_left = (one.has_left && !comes_weekly) || (thing > 0 && thing < 7);
      if (thing == 1) view.weeks[gold::kSms] = 7;
      if (thing == 2) view.weeks[gold::kHost] = 7;
      if (thing == 3) view.weeks[gold::kSupport] = 7;
      if (thing == 4) view.stood.tier_level = 4;
      if (thing == 5) view.stood.dpd_bucket = 3;
      if (thing == 6) view.minor = view.count;
      if (thing == 7) view.count *= 4, view.minor *= 4;
    }
  const model::ChurnModel model(
      std::get<model::Trained>(model::train_churn(plan, settings, snapshots, {1, kRunning, kFirst, 600, 0})).sealed);
  std::set<std::string> codes;
  for (const auto& snapshot : snapshots)
    for (const auto& one : snapshot.examples)
      for (const auto& reason : decide::reasons_of(model::reasons_of(model, one.view))) codes.insert(reason.code);
  return codes;
}

// What the contexts of the default pack say of a customer for whom all of them are true, each action for itself.
std::set<std::string> codes_of_choices() {
  std::set<std::string> codes;
  const decide::Pack whole = decide::parse_pack(decide::read_pack_files("default"));
  for (const char* category : {"Tourism", "Kids", "Medical", "Furniture, home", "Auto"}) {
    decide::Chooser chooser(whole);
    for (std::size_t only = 0; only < chooser.candidates().size(); ++only) {
      tests::Free constraint;
      for (std::size_t at = 0; at < chooser.candidates().size(); ++at)
        if (at != only) constraint.blocked[at] = "SU-09";
      for (const char* state : {"active", "at_risk"})
        for (const int late : {0, 1}) {
          decide::Situation of = tests::situation();
          of.texts = {"VIP", "VIP Active", state, category};
          for (const char* name : {"competitor_sms_weeks", "competitor_host_weeks", "support_weeks"})
            tests::number(of, name) = 2;
          for (const auto& [name, value] :
               std::initializer_list<std::pair<const char*, std::int64_t>>{{"churn_percent", 71},
                                                                           {"activity_count", 30},
                                                                           {"portfolio_value_minor", 600'000'00},
                                                                           {"transaction_count", 100},
                                                                           {"transaction_total_minor", 900'000'00},
                                                                           {"login_count", 30},
                                                                           {"loan_count", 2},
                                                                           {"days_to_due", 2},
                                                                           {"overdue_loans", 2 * late},
                                                                           {"dpd", 40 * late},
                                                                           {"days_since_due", 40 * late}})
            tests::number(of, name) = value;
          for (const auto& reason : decide::reasons_of(chooser.choose(of, constraint).reasons))
            codes.insert(reason.code);
        }
    }
  }
  return codes;
}

}  // namespace

TEST_SUITE("app.engine_card") {
  TEST_CASE("what happened is said to the desk in both languages, with its figures") {
    Branch branch(pack());
    begin(branch);
    auto now = points(branch);
    CHECK(said(now["weekly"], "en", "CH-08") == "Transactions in each of the last 20 weeks");
    CHECK(said(now["weekly"], "ru", "CH-08") == "Операции каждую неделю, недель подряд: 20");
    CHECK(said(now["rich"], "en", "SG-05") == "Portfolio 123400 RUB");
    CHECK(said(now["rich"], "en", "SG-04") == "Turnover 7654 RUB");
    CHECK(said(now["rich"], "en", "SG-06") == "Logins: 3");
    CHECK(said(now["rises"], "en", "SG-02") == "Tier rose: Basic → Standard");
    CHECK(said(now["rises"], "ru", "SG-02") == "Уровень повышен: Базовый → Стандартный");
    CHECK(said(now["falls"], "en", "SG-02").empty());
    CHECK(said(now["late"], "en", "OV-01") == "22 days late on loan L1");
    CHECK(said(now["late"], "en", "OV-05").empty());  // from nothing into the first bucket: the days say so
    CHECK(said(now["both"], "en", "OV-01") == "97 days late on loan L1");
    CHECK(said(now["both"], "en", "OV-05").empty());
    CHECK(said(now["in part"], "en", "OV-04") == "The instalment was paid in part");
    CHECK(said(now["soon"], "en", "OV-02") == "Instalment of loan L1 is due in 5 days");
    CHECK(said(now["paid"], "en", "OV-06") == "The overdue on loan L1 was paid on " + date_of(kStart - 2 * core::kDay));
    CHECK(said(now["paid"], "ru", "OV-06") == "Просрочка по договору L1 погашена " + date_of(kStart - 2 * core::kDay));
    CHECK(said(now["late"], "en", "OV-06").empty());
    CHECK(said(now["back"], "en", "CH-07") == "The customer came back after a break");
    CHECK(said(now["quiet"], "en", "CH-02").empty());

    go_on(branch, 15);
    now = points(branch);
    CHECK(said(now["late"], "en", "OV-05") == "Days overdue: 1-30 → 31-60");
    CHECK(said(now["late"], "ru", "OV-05") == "Срок просрочки вырос, дней: 1-30 → 31-60");
    CHECK(said(now["late"], "en", "OV-03") == "Overdue loans: 1");
    CHECK(said(now["quiet"], "en", "CH-02") == "No transactions for 13 weeks");
    CHECK(said(now["falls"], "en", "SG-07").starts_with("Tier kept until 2025-0"));
    CHECK(said(now["falls"], "en", "SG-03").empty());
    CHECK(said(now["rises"], "en", "SG-02") == "Tier rose: Basic → Standard");

    branch.fold().restart();  // known also to whoever starts anew
    now = points(branch);
    CHECK(said(now["rises"], "en", "SG-02") == "Tier rose: Basic → Standard");
    CHECK(said(now["late"], "en", "OV-05") == "Days overdue: 1-30 → 31-60");

    go_on(branch, 42);
    now = points(branch);
    CHECK(said(now["falls"], "en", "SG-03") == "Tier fell: Standard → Basic");
    CHECK(said(now["falls"], "ru", "SG-03") == "Уровень понижен: Стандартный → Базовый");
    CHECK(said(now["rises"], "en", "SG-02").empty());  // a month is over
    CHECK(said(now["late"], "en", "OV-05") == "Days overdue: 31-60 → 61-90");
    CHECK(said(now["paid"], "en", "OV-06").empty());
    CHECK(said(now["weekly"], "en", "CH-08").empty());  // six weeks without one
  }

  TEST_CASE("who may leave is said with the probability of the model") {
    Branch branch(pack("0.01"));
    begin(branch);
    branch.log().model(tests::small_model(0));
    branch.log().activate_model(tests::id_of(tests::small_model(0)));
    branch.log().tick();
    const std::string percent =
        branch.ask("SELECT CAST(100 * probability AS INTEGER) FROM mart_churn WHERE customer_key='rich'");
    auto now = points(branch);
    CHECK(said(now["rich"], "en", "CH-01") == "Probability of leaving " + percent + " %");
    CHECK(said(now["rich"], "ru", "CH-01") == "Вероятность ухода " + percent + " %");
  }

  // NB, SU and DQ: decide.reasons. MI-01 to MI-04 say why a merchant's figure is not shown: the merchants' pages come
  // with an issue of their own, and until then nothing can say them.
  TEST_CASE(
      "every reason of churn, segment, overdue and merchant that the default pack words is said by something that "
      "happens") {
    const auto of_cards = codes_of_cards(), of_model = codes_of_a_model(), of_choices = codes_of_choices();
    std::set<std::string> said{"SG-01", "MI-01", "MI-02", "MI-03",
                               "MI-04"};  // SG-01: the reason of a pack that does not choose
    for (const auto& codes : {of_cards, of_model, of_choices}) said.insert(codes.begin(), codes.end());
    const auto files = decide::read_pack_files("default");
    const decide::Texts ru = decide::read_texts(files, "ru"), en = decide::read_texts(files, "en");
    for (const auto& [code, words] : en.sections.at("reasons")) {
      const std::string& which = code;
      CHECK_MESSAGE(ru.words("reasons", code) != en.words("reasons", code), which);
      const std::string family = code.substr(0, 2);
      if (family == "CH" || family == "SG" || family == "OV" || family == "MI")
        CHECK_MESSAGE(said.contains(code), which << " is said by nothing");
    }
    for (const std::string& code : said)
      CHECK_MESSAGE(en.sections.at("reasons").contains(code), code << " has no words");
  }

  TEST_CASE("a name in a reason is said in the pack's words, whatever stands in it") {
    const auto files = decide::read_pack_files("default");
    const decide::Texts ru = decide::read_texts(files, "ru"), en = decide::read_texts(files, "en");
    const auto all = [&](const decide::Texts& texts, const char* stored) {
      return decide::reason_words(texts, stored);
    };
    CHECK(all(en, "MI-05:Furniture,_home NB-01") ==
          std::vector<std::string>{"Priority category: Furniture, home", "Highest expected value"});
    CHECK(all(ru, "MI-05:Furniture,_home")[0] ==
          "Приоритетная категория: " + std::string(ru.words("categories", "Furniture, home")));
    CHECK(all(ru, "SG-01:VIP_Active") == std::vector<std::string>{"Сегмент: VIP активный"});
    CHECK(all(ru, "CH-06:4,1") == std::vector<std::string>{"Операции стали реже: недель с операциями было 4, стало 1"});
  }

  TEST_CASE("a card has its number in the queue's feed, and what is offered in figures, which its script says") {
    auto files = decide::read_pack_files("original");
    std::string& offers = files["offers.toml"];
    const std::string welcome = "action = \"welcome_bonus\"\n";
    offers.insert(offers.find(welcome) + welcome.size(),
                  "treatment = \"gift\"\nparameters = { sum = \"500\", days = \"30\" }\n");
    std::string& words = files["texts.en.toml"];
    words.insert(words.find("any = ", words.find("[scripts]")), "welcome_bonus = \"{1}: {2}, {sum} in {days} days\"\n");
    std::string& ru = files["texts.ru.toml"];
    ru.insert(ru.find("any = ", ru.find("[scripts]")), "welcome_bonus = \"{2}: {sum}\"\n");
    Branch branch(files);
    branch.at(kStart);
    const auto load = [&](const char* customer, wire::Body body) {
      wire::Event event;
      event.id = event.customer = customer;
      event.occurred_us = branch.now();
      event.body = std::move(body);
      branch.log().event(event, "load:1");
    };
    load("held", wire::Profile{});  // its offers leave when the load ends, after those of the one that came later
    branch.meet("B");
    branch.fold().apply_all();
    load("", wire::BackfillEnd{});
    branch.fold().apply_all();
    const auto cards = [&] {
      std::map<std::string, json> found;
      app::Engine& engine = branch.fold().engine();
      static std::int64_t steady_us = 7 * core::kDay;
      steady_us += core::kHour;
      engine.queues()->asks_for(0, steady_us);
      for (int times = 0; times < 100; ++times) engine.make_cards(steady_us);
      for (std::int64_t number = 1; number <= 6; ++number) {
        const auto* card = engine.queues()->cards().find(number, steady_us);
        REQUIRE(card);
        const json one = json::parse("{" + card->text + "}");
        found[one["customer"]["key"].get<std::string>() + ' ' + one["action"]["action"].get<std::string>()] = one;
      }
      return found;
    };
    const auto check = [&](const std::map<std::string, json>& all) {
      for (const auto& [key, one] : all) {
        CAPTURE(key);
        const std::string seq = std::to_string(one["seq"].get<std::int64_t>());
        CHECK(branch.ask(
                  "SELECT i.display_key||' '||t.action FROM outbox o JOIN topic n ON n.id=o.topic JOIN offer_made m ON "
                  "m.number=o.a+" +
                  seq +
                  "-o.topic_seq JOIN identity i ON i.id=m.customer JOIN offer_template t ON "
                  "t.number=m.template WHERE n.name='offer.marketing' AND o.what=1 AND o.topic_seq<=" +
                  seq + " AND o.topic_seq+o.count>" + seq) == key);
      }
      const json& gift = all.at("B welcome_bonus");
      CHECK(gift["action"]["treatment"] == "gift");
      CHECK(gift["action"]["parameters"] == json{{"sum", "500"}, {"days", "30"}});
      CHECK(gift["script"]["ru"] == "Приветственный бонус: 500");
      CHECK(gift["script"]["en"].get<std::string>().ends_with(": Welcome Bonus, 500 in 30 days"));
      CHECK(all.at("B mobile_banking_app")["action"]["treatment"] == "");
      CHECK(all.at("B mobile_banking_app")["action"]["parameters"] == json::object());
    };
    check(cards());
    branch.fold().flush();
    branch.fold().restart();
    check(cards());
  }

  // The decision is a row of the commit that is under way: what an earlier card has left open must not hide it.
  TEST_CASE("cards made beside a commit say what they would say after it") {
    Branch branch("default");
    begin(branch);
    branch.fold().apply_all();
    std::atomic<bool> may_write{true}, may_end{true};
    const auto wait = [](const std::atomic<bool>& until) {
      for (int ms = 0; ms < 10'000 && !until; ++ms) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    branch.fold().before_writing([&] { wait(may_write); });
    app::Engine& engine = branch.fold().engine();
    branch.meet("new");
    lend(branch, "new", -25, 0, 0);
    while (branch.fold().has_next()) branch.fold().apply_next();

    std::int64_t steady_us = core::kDay;
    const auto cards = [&] {
      steady_us += core::kHour;  // those of before are too old
      for (std::size_t queue = 0; queue < engine.queues()->queue_count(); ++queue)
        engine.queues()->asks_for(queue, steady_us);
      for (int times = 0; times < 100; ++times) engine.make_cards(steady_us);
      std::map<std::int64_t, std::string> found;
      for (std::int64_t number = 1; number <= 200; ++number)
        if (const auto* card = engine.queues()->cards().find(number, steady_us)) found[number] = card->text;
      return found;
    };
    may_write = may_end = false;
    engine.flush_behind(
        INT64_MAX, [&] { wait(may_end); }, [] {});
    const auto before = cards();
    CHECK(engine.counters()->flushed_seq < engine.applied_seq());
    may_write = true;
    for (int ms = 0; ms < 10'000 && engine.counters()->flushed_seq < engine.applied_seq(); ++ms)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto beside = cards();
    CHECK(engine.is_writing_behind());
    may_end = true;
    engine.settle();
    const auto after = cards();

    CHECK_FALSE(before.empty());
    CHECK(before.size() < after.size());  // those of the commit are not made before it
    CHECK(beside == after);
    for (const auto& [number, text] : before) CHECK(text == after.at(number));
    CHECK(std::ranges::any_of(
        after, [](const auto& one) { return json::parse("{" + one.second + "}").at("customer").at("key") == "new"; }));
  }
}

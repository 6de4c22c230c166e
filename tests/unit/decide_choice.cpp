// Expected values: the formulas of policy.md 2 on paper, and counts of a small library.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/fault.h"
#include "decide/choice.h"
#include "decide/pack_files.h"
#include "decide/reason_words.h"

using namespace tellerd;
using namespace tellerd::decide;
using doctest::Approx;

namespace {

const char* const kHead = R"(salt = "s"
rounds = 16
again_days = 7
[cost_minor]
call = 1000
message = 100
)";

std::string action(const std::string& name, const std::string& more) {
  return "[[action]]\nname = \"" + name + "\"\ntype = \"" + name + "\"\nname_ru = \"" + name +
         "\"\npriority = 5\ndays_valid = 7\n" + more + "\n";
}
const std::string kSale = "issue = \"grow\"\ngroup = \"g\"\npurpose = \"marketing\"\nchannels = [\"call\"]\n";

Pack pack_of(const std::string& actions, int random = 0, int holdout = 0) {
  PackFiles files = read_pack_files("default");
  files["actions.toml"] = kHead + actions;
  std::string& contact = files["contact.toml"];
  const auto put = [&](const std::string& key, int value) {
    const auto at = contact.find(key + " = 5");
    contact.replace(at, key.size() + 4, key + " = " + std::to_string(value));
  };
  put("random_percent", random);
  put("holdout_percent", holdout);
  return parse_pack(files);
}

struct Free : Constraint {
  std::map<std::size_t, std::string> blocked;
  std::map<std::size_t, int> weights;
  std::string_view blocks(std::size_t candidate) override {
    const auto found = blocked.find(candidate);
    return found == blocked.end() ? std::string_view() : std::string_view(found->second);
  }
  int weight_percent(std::size_t candidate) override {
    const auto found = weights.find(candidate);
    return found == weights.end() ? 100 : found->second;
  }
};

std::int64_t& number(Situation& of, std::string_view name) {
  const auto columns = choice_columns();
  return of.numbers[static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin())];
}

Situation situation(std::uint64_t seed = 1) {
  Situation one;
  one.seed = one.customer = seed;
  one.now_us = 1'000 * core::kDay;
  one.today = 1'000;
  one.month = 32;
  one.combined = 0;
  one.texts = {"VIP", "VIP Active", "active", ""};
  number(one, "days_to_due") = kNoDue;
  return one;
}

// An action whose model is trusted and tells about this probability to everybody.
model::Propensity mature(int percent) {
  model::Propensity one(kFeatures);
  const std::vector<model::Feature> nobody{{0, 1}};
  for (int at = 0; one.positives() < model::kMatureAt || at % 100 != 0; ++at) one.learn(nobody, at % 100 < percent);
  return one;
}

std::string codes_of(const std::string& reasons) {
  std::string codes;
  for (std::size_t at = 0; at < reasons.size();) {
    const std::size_t end = std::min(reasons.find(' ', at), reasons.size());
    codes += (codes.empty() ? "" : " ") + reasons.substr(at, std::min(reasons.find(':', at), end) - at);
    at = end + 1;
  }
  return codes;
}

}  // namespace

TEST_SUITE("decide.choice") {
  TEST_CASE("the funnel counts what is left after each stage, and each loss has its reason") {
    const Pack pack =
        pack_of(action("elsewhere", kSale + "segments = [\"Low Engagement\"]\nbase_minor = 5000") +
                action("barred", kSale + "eligible = \"dpd > 0\"\nbase_minor = 5000") +
                action("pointless", kSale + "applicable = \"dpd > 0\"\nbase_minor = 5000") +
                action("harmful", kSale + "suitable = \"dpd > 0\"\nbase_minor = 5000") +
                action("blocked", kSale + "base_minor = 5000") + action("dear", kSale + "base_minor = 1000") +
                action("poor", kSale + "base_minor = 2000") +
                action("good",
                       "issue = \"grow\"\ngroup = \"g\"\npurpose = \"marketing\"\nchannels = "
                       "[\"call\", \"message\"]\nbase_minor = 90000"));
    Chooser chooser(pack);
    Free constraint;
    constraint.blocked[4] = "SU-09";
    std::vector<Verdict> verdicts;
    const Choice choice = chooser.choose(situation(), constraint, &verdicts);
    CHECK(choice.funnel == std::array<std::uint16_t, kStages>{9, 7, 6, 5, 4, 3, 1});
    CHECK(chooser.action(static_cast<std::size_t>(choice.winner)).name == "good");
    const std::vector<std::pair<Stage, std::string>> should{
        {Stage::kEligibility, "NB-18"}, {Stage::kEligibility, "NB-07"}, {Stage::kApplicability, "NB-08"},
        {Stage::kSuitability, "NB-09"}, {Stage::kConstraints, "SU-09"}, {Stage::kArbitration, "NB-10"},
        {Stage::kArbitration, "NB-11"}};
    for (std::size_t at = 0; at < should.size(); ++at) {
      CAPTURE(at);
      CHECK(verdicts[at].lost_at == should[at].first);
      CHECK(codes_of(verdicts[at].reason) == should[at].second);
    }
    CHECK(verdicts[6].reason == "NB-11:good");
  }

  TEST_CASE("priority is P C V L F") {
    const std::string actions =
        action("one", kSale + "base_minor = 21000\ndiscount_minor = 5000") +
        action("two", kSale + "base_minor = 2000") +
        "[[context]]\nreach = \"action\"\nname = \"one\"\nwhen = \"dpd = 0\"\nweight = 30\nreason = \"CH-07\"\n"
        "[[context]]\nreach = \"all\"\nwhen = \"dpd = 0\"\nweight = -10\nreason = \"CH-08\"\n"
        "[[context]]\nreach = \"all\"\nwhen = \"dpd > 0\"\nweight = 500\nreason = \"CH-08\"\n"
        "[[lever]]\nreach = \"issue\"\nname = \"grow\"\nweight = 20\nowner = \"o\"\nreason = \"r\"\nexpires = "
        "\"1972-09-27\"\n"
        "[[lever]]\nreach = \"group\"\nname = \"g\"\nweight = 5\nowner = \"o\"\nreason = \"r\"\nexpires = "
        "\"1972-09-26\"\n"
        "[[lever]]\nreach = \"action\"\nname = \"one\"\nweight = -5\nowner = \"o\"\nreason = \"r\"\nexpires = "
        "\"2000-01-01\"\n";
    const Pack pack = pack_of(actions);
    Chooser chooser(pack);
    Free constraint;
    const auto known = mature(20);
    const std::vector<const model::Propensity*> learned{&known, &known};
    std::vector<Shown> shown(2);
    shown[0] = {2, 993 * core::kDay};
    Situation of = situation();  // day 1000 is 1972-09-27
    of.learned = learned;
    of.shown = shown;
    const Choice choice = chooser.choose(of, constraint);
    CHECK(choice.winner == 0);
    CHECK_FALSE(choice.is_drawn);
    CHECK(choice.probability == 1);
    CHECK(choice.scores.p == Approx(0.2).epsilon(0.15));
    CHECK(choice.scores.c == Approx(1.2));
    CHECK(choice.scores.v == 15000);         // 21000 less the call and the discount
    CHECK(choice.scores.l == Approx(1.15));  // 20 on its last day, 5 over since yesterday, -5
    CHECK(choice.scores.f == Approx(1 - (1 - std::exp(-0.7)) * std::exp(-0.5)));
    CHECK(choice.scores.priority ==
          Approx(choice.scores.p * choice.scores.c * choice.scores.v * choice.scores.l * choice.scores.f));
    CHECK(choice.runner_up == 1);
    CHECK(choice.reasons == "CH-07 NB-16:+15 NB-01");
    of.today = 1'001;  // the lever of the issue is over, by itself
    CHECK(chooser.choose(of, constraint).scores.l == Approx(0.95));
  }

  TEST_CASE("a contact rule that weighs down takes its share of the priority, and may cost the place") {
    const Pack pack =
        pack_of(action("one", kSale + "base_minor = 21000") + action("two", kSale + "base_minor = 13000"));
    Chooser chooser(pack);
    const auto known = mature(20);
    const std::vector<const model::Propensity*> learned{&known, &known};
    Situation of = situation();
    of.learned = learned;
    Free constraint;
    const Choice free = chooser.choose(of, constraint);
    CHECK(free.winner == 0);
    constraint.weights[0] = 61;  // 20000 * 0.61 = 12200 against 12000
    const Choice near = chooser.choose(of, constraint);
    CHECK(near.winner == 0);
    CHECK(near.scores.priority == Approx(free.scores.priority * 0.61));
    CHECK(near.reasons.find("SU-15:61") != std::string::npos);
    constraint.weights[0] = 59;  // 11800
    std::vector<Verdict> verdicts;
    const Choice lost = chooser.choose(of, constraint, &verdicts);
    CHECK(lost.winner == 1);
    CHECK(lost.reasons.find("SU-15") == std::string::npos);
    CHECK(verdicts[0].scores.w == Approx(0.59));
    CHECK(verdicts[0].reason == "NB-11:two");
  }

  TEST_CASE("verdicts that were kept in bytes are those that were given") {
    const Pack pack = parse_pack(read_pack_files("default"));
    Chooser chooser(pack);
    Free constraint;
    constraint.blocked[20] = "SU-14";
    model::Draws draws(5);
    int weighed = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      Situation of = situation(seed);
      for (auto& value : of.numbers) value = draws.uniform() < 0.4 ? 0 : static_cast<std::int64_t>(draws.below(40));
      number(of, "transaction_total_minor") = static_cast<std::int64_t>(draws.below(60'000'000));
      std::vector<Shown> shown(chooser.candidates().size());
      for (std::size_t at = 0; at < shown.size(); at += 3) shown[at] = {2, of.now_us};
      of.shown = shown;
      std::vector<Verdict> verdicts;
      const Choice choice = chooser.choose(of, constraint, &verdicts);
      std::string bytes;
      chooser.put_verdicts(bytes);
      const std::string winner = choice.winner < 0 ? "" : chooser.action(static_cast<std::size_t>(choice.winner)).name;
      const auto read = read_verdicts(bytes, winner);
      REQUIRE(read.size() == verdicts.size());
      for (std::size_t at = 0; at < read.size(); ++at) {
        CHECK(read[at].lost_at == verdicts[at].lost_at);
        if (static_cast<int>(at) != choice.winner) CHECK(read[at].reason == verdicts[at].reason);
        CHECK(read[at].scores.priority == Approx(verdicts[at].scores.priority).epsilon(0.001));
        weighed += read[at].scores.priority > 0;
      }
      for (std::size_t length = 0; length < bytes.size(); ++length)  // a torn end gives nothing or less, and no harm
        read_verdicts(std::string_view(bytes).substr(0, length), winner);
    }
    CHECK(weighed > 200);
    CHECK(read_verdicts("", "").empty());
  }

  TEST_CASE("what could not differ does not: asked again it is the same offer, or the same silence") {
    const Pack pack = parse_pack(read_pack_files("default"));
    Chooser chooser(pack);
    model::Draws draws(11);
    int same = 0, other = 0, kept = 0;
    const auto name_of = [&](Situation& of) {
      of.combined = static_cast<int>(draws.below(pack.segments.combined.size()));
      const auto& segment = pack.segments.combined[static_cast<std::size_t>(of.combined)];
      of.texts[0] = pack.segments.tiers[segment.tier].name;
      of.texts[1] = segment.name;
    };
    for (std::uint64_t seed = 1; seed <= 4'000; ++seed) {
      Free constraint;
      if (seed % 2)  // most is forbidden, so that there are silences
        for (std::size_t at = 0; at < chooser.candidates().size(); ++at)
          if (draws.below(10) > 0) constraint.blocked[at] = draws.below(2) ? "SU-02" : "SU-10";
      Situation before = situation(seed);
      for (auto& value : before.numbers) value = draws.uniform() < 0.5 ? 0 : static_cast<std::int64_t>(draws.below(30));
      before.texts[3] = draws.below(2) ? std::string_view(pack.mcc.names[draws.below(pack.mcc.names.size())]) : "";
      name_of(before);
      const Choice first = chooser.choose(before, constraint);
      Situation after = before;
      after.seed = seed * 77;
      after.standing = first.winner;
      for (int change = 0; change < 3; ++change) {
        auto& value = after.numbers[draws.below(kChoiceNumbers)];
        value = std::max<std::int64_t>(0, value + static_cast<std::int64_t>(draws.below(5)) - 2);
      }
      if (draws.below(8) == 0) name_of(after);
      if (draws.below(8) == 0) after.texts[3] = pack.mcc.names[draws.below(pack.mcc.names.size())];
      if (chooser.could_differ(before, after)) {
        ++other;
        continue;
      }
      const Choice second = chooser.choose(after, constraint);
      ++same;
      kept += first.winner >= 0;
      CHECK(second.winner == first.winner);
      CHECK(second.is_kept == (first.winner >= 0));
      if (first.winner < 0 && second.reasons != first.reasons) CHECK(second.arm != first.arm);
    }
    CHECK(same > 1'000);
    CHECK(kept > 300);
    CHECK(other > 300);
  }

  TEST_CASE("context stays between 0.2 and 3, value between the library's 1 and 99 percent") {
    std::string actions;
    for (int at = 0; at < 200; ++at)
      actions += action("a" + std::to_string(at),
                        kSale + "eligible = \"client_code = " + std::to_string(at) +
                            "\"\nbase_minor = " + std::to_string(at == 199 ? 900'000'000 : 2'000 + at));
    for (const auto& [weight, c] :
         std::vector<std::pair<int, double>>{{-99, 0.2}, {-80, 0.2}, {-79, 0.21}, {200, 3}, {201, 3}}) {
      const Pack pack =
          pack_of(actions + "[[context]]\nreach = \"all\"\nwhen = \"dpd = 0\"\nweight = " + std::to_string(weight) +
                  "\nreason = \"CH-08\"\n");
      Chooser chooser(pack);
      Free constraint;
      Situation of = situation();
      number(of, "client_code") = 199;
      CHECK(chooser.choose(of, constraint).scores.c == Approx(c));
      CHECK(chooser.choose(of, constraint).scores.v == 2'000 + 197 - 1'000);  // the 198th of 200
      number(of, "client_code") = 0;
      CHECK(chooser.choose(of, constraint).scores.v == 2'000 + 1 - 1'000);  // the second
    }
  }

  TEST_CASE("fatigue fades with days and is none when nothing was shown") {
    CHECK(fatigue(0, 0) == 1);
    CHECK(fatigue(1, 0) == Approx(std::exp(-0.35)));
    CHECK(fatigue(3, 14) == Approx(1 - (1 - std::exp(-1.05)) * std::exp(-1.0)));
    CHECK(fatigue(3, 365) == Approx(1).epsilon(1e-9));
  }

  TEST_CASE("mandatory goes first, then one purpose by precedence, then ties by stage and names") {
    const std::string same = "purpose = \"marketing\"\nchannels = [\"call\"]\nbase_minor = 9000\nissue = \"grow\"\n";
    const std::string actions = action("zeta", "group = \"b\"\n" + same) + action("beta", "group = \"a\"\n" + same) +
                                action("alpha", "group = \"a\"\n" + same) +
                                action("late", "group = \"a\"\nstage = 1\n" + same) +
                                action("owed",
                                       "issue = \"collect\"\ngroup = \"c\"\npurpose = \"collection\"\nchannels = "
                                       "[\"call\"]\nbase_minor = 2000\napplicable = \"days_since_due > 0\"") +
                                action("must",
                                       "issue = \"serve\"\ngroup = \"s\"\npurpose = \"service\"\nchannels = "
                                       "[\"message\"]\nbase_minor = 0\nmandatory = true\napplicable = \"dpd > 90\"");
    const Pack pack = pack_of(actions);
    Chooser chooser(pack);
    Free constraint;
    const auto known = mature(20);
    const std::vector<const model::Propensity*> learned(chooser.candidates().size(), &known);
    Situation of = situation();
    of.learned = learned;
    const auto winner = [&] {
      return chooser.action(static_cast<std::size_t>(chooser.choose(of, constraint).winner)).name;
    };
    CHECK(winner() == "alpha");  // all equal: stage 0, group a, by name
    number(of, "days_since_due") = 3;
    CHECK(winner() == "owed");
    std::vector<Verdict> verdicts;
    chooser.choose(of, constraint, &verdicts);
    CHECK(verdicts[0].reason == "NB-13");
    number(of, "dpd") = 91;
    CHECK(winner() == "must");
    CHECK(chooser.choose(of, constraint).reasons == "NB-05");
    CHECK(chooser.choose(of, constraint).probability == 1);
  }

  TEST_CASE("arms are sticky for a month and have their shares; another salt draws them anew") {
    std::map<Arm, int> count;
    int moved = 0, redrawn = 0;
    for (std::uint64_t customer = 1; customer <= 20'000; ++customer) {
      const Arm arm = arm_of(customer, 7, "s", 5, 5);
      ++count[arm];
      CHECK(arm == arm_of(customer, 7, "s", 5, 5));
      moved += arm != arm_of(customer, 8, "s", 5, 5);
      redrawn += arm != arm_of(customer, 7, "t", 5, 5);
    }
    CHECK(count[Arm::kRandom] / 20'000.0 == Approx(0.05).epsilon(0.1));
    CHECK(count[Arm::kHoldout] / 20'000.0 == Approx(0.05).epsilon(0.1));
    CHECK(moved / 20'000.0 == Approx(0.185).epsilon(0.1));  // 1 - (.9^2 + 2 * .05^2)
    CHECK(redrawn / 20'000.0 == Approx(0.185).epsilon(0.1));
    CHECK(arm_of(1, 1, "s", 0, 0) == Arm::kRule);
    CHECK(arm_of(1, 1, "s", 0, 100) == Arm::kHoldout);
  }

  // If each choice is logged with the probability it was made with, then choices weighed by its inverse count everybody
  // once, for every action and for no contact too.
  TEST_CASE("the probability of a choice is what it says") {
    const Pack pack =
        pack_of(action("one", kSale + "base_minor = 9000") + action("two", kSale + "base_minor = 8000") +
                    action("three", kSale + "base_minor = 3000") + action("four", kSale + "base_minor = 2500"),
                10, 10);
    Chooser chooser(pack);
    Free constraint;
    const auto known = mature(30);
    model::Propensity little(kFeatures);
    const std::vector<model::Feature> nobody{{0, 1}};
    for (int at = 0; at < 40; ++at) little.learn(nobody, at % 4 == 0);
    const std::vector<const model::Propensity*> learned{&little, &known, nullptr, &little};
    constexpr int kCustomers = 40'000;
    std::map<int, double> weighed;
    std::map<int, int> won;
    for (int customer = 1; customer <= kCustomers; ++customer) {
      Situation of = situation(static_cast<std::uint64_t>(customer) * 7919);
      of.learned = learned;
      const Choice choice = chooser.choose(of, constraint);
      CHECK(choice.probability > 0);
      CHECK(choice.probability <= 1);
      weighed[choice.winner] += 1 / choice.probability;
      ++won[choice.winner];
    }
    REQUIRE(weighed.size() == 5);  // four, and silence
    for (const auto& [winner, sum] : weighed) {
      CAPTURE(winner);
      CHECK(sum / kCustomers == Approx(1).epsilon(0.12));
    }
    CHECK(won[-1] / static_cast<double>(kCustomers) == Approx(0.1).epsilon(0.1));
    CHECK(won[0] > won[3]);
  }

  TEST_CASE("the same identity chooses the same, and identities differ") {
    const Pack pack = parse_pack(read_pack_files("default"));
    Chooser one(pack), other(pack);
    Free constraint;
    std::set<int> winners;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
      Situation of = situation(seed);
      number(of, "transaction_count") = 40;
      number(of, "transaction_total_minor") = 40'000'000;
      const Choice a = one.choose(of, constraint), b = other.choose(of, constraint);
      CHECK(a.winner == b.winner);
      CHECK(a.scores.priority == b.scores.priority);
      CHECK(a.probability == b.probability);
      CHECK(a.reasons == b.reasons);
      winners.insert(a.winner);
    }
    CHECK(winners.size() > 3);  // little is known, so much is tried
  }

  TEST_CASE("the offer that stands goes on while it passes, until something mandatory or another purpose comes") {
    const Pack pack = parse_pack(read_pack_files("default"));
    Chooser chooser(pack);
    Free constraint;
    Situation of = situation();
    number(of, "transaction_count") = 40;
    of.standing = chooser.choose(of, constraint).winner;
    REQUIRE(of.standing >= 0);
    for (std::uint64_t seed = 2; seed < 30; ++seed) {
      of.seed = seed;
      const Choice choice = chooser.choose(of, constraint);
      CHECK(choice.is_kept);
      CHECK(choice.winner == of.standing);
    }
    number(of, "loan_count") = 1;
    number(of, "days_to_due") = 3;
    const Choice choice = chooser.choose(of, constraint);
    CHECK_FALSE(choice.is_kept);
    CHECK(chooser.action(static_cast<std::size_t>(choice.winner)).name == "instalment_reminder_3_days");
  }

  TEST_CASE("the default pack: a competitor's message brings a talk about it, with the competitor as reason") {
    const Pack pack = parse_pack(read_pack_files("default"));
    Chooser chooser(pack);
    Free constraint;
    int kept = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      Situation of = situation(seed * 31);
      of.customer = 3;  // of the rule's arm
      number(of, "transaction_count") = 20;
      number(of, "competitor_sms_weeks") = 2;
      of.texts[2] = "at_risk";
      number(of, "churn_percent") = 71;
      const Choice choice = chooser.choose(of, constraint);
      const Action& chosen = chooser.action(static_cast<std::size_t>(choice.winner));
      if (chosen.issue != "retain") continue;
      ++kept;
      CHECK(choice.reasons.find("CH-03:2") != std::string::npos);
      CHECK(choice.reasons.find("CH-01:71") != std::string::npos);
    }
    CHECK(kept > 25);
  }

  TEST_CASE("the default pack: the ladder is climbed with the days, once for an instalment") {
    const Pack pack = parse_pack(read_pack_files("default"));
    Chooser chooser(pack);
    Free constraint;
    std::vector<Shown> shown(chooser.candidates().size());
    const auto step = [&](int to_due, int since_due) -> std::string {
      Situation of = situation();
      number(of, "loan_count") = 1;
      number(of, "days_to_due") = to_due;
      number(of, "days_since_due") = since_due;
      of.instalment = 77;
      of.shown = shown;
      const Choice choice = chooser.choose(of, constraint);
      const Action& chosen = chooser.action(static_cast<std::size_t>(choice.winner));
      if (chosen.purpose != Purpose::kCollection) return "";
      shown[static_cast<std::size_t>(choice.winner)].told_instalment = 77;
      return chosen.name;
    };
    CHECK(step(4, 0).empty());
    CHECK(step(3, 0) == "instalment_reminder_3_days");
    CHECK(step(2, 0).empty());  // told already
    CHECK(step(1, 0) == "instalment_reminder_1_day");
    CHECK(step(0, 0).empty());
    CHECK(step(kNoDue, 1) == "overdue_notice");
    CHECK(step(kNoDue, 4).empty());
    CHECK(step(kNoDue, 5) == "overdue_call");
    CHECK(step(kNoDue, 15) == "overdue_call_repeated");
    CHECK(step(kNoDue, 30) == "overdue_restructuring_talk");
    CHECK(step(kNoDue, 59).empty());
    CHECK(step(kNoDue, 60) == "overdue_final_talk");
  }

  TEST_CASE("the default pack's ladder is that of contact.toml") {
    const Pack pack = parse_pack(read_pack_files("default"));
    for (const LadderStep& step : pack.contact.ladder) {
      const auto& actions = pack.catalogue->actions;
      const auto found = std::find_if(actions.begin(), actions.end(),
                                      [&](const Action& action) { return action.name == step.action; });
      REQUIRE(found != actions.end());
      CHECK(found->channels == std::vector<Channel>{step.channel});
    }
  }

  TEST_CASE("every code is reached, and has words in both languages") {
    std::set<std::string> reached;
    const auto reach = [&](Chooser& chooser, const Situation& of, Free& constraint) {
      std::vector<Verdict> verdicts;
      const Choice choice = chooser.choose(of, constraint, &verdicts);
      std::string all = choice.reasons;
      for (const Verdict& verdict : verdicts) all += " " + verdict.reason;
      for (const auto& [reason, code] : kChoiceCodes)
        if (all.find(code) != std::string::npos) reached.emplace(code);
    };
    const auto known = mature(20);
    const std::string two = action("one", kSale + "base_minor = 9000") + action("two", kSale + "base_minor = 8990");
    for (const auto& [random, holdout] : std::vector<std::pair<int, int>>{{0, 0}, {100, 0}, {0, 100}}) {
      const Pack pack = pack_of(two, random, holdout);
      Chooser chooser(pack);
      Free constraint;
      Situation of = situation();
      reach(chooser, of, constraint);
      of.standing = 0;
      reach(chooser, of, constraint);
      std::vector<Shown> shown(2);
      shown[0] = {4, of.now_us};
      const std::vector<const model::Propensity*> learned{&known, &known};
      of.standing = -1;
      of.learned = learned;
      of.shown = shown;
      reach(chooser, of, constraint);
      constraint.weights = {{0, 50}, {1, 50}};
      reach(chooser, of, constraint);
      constraint.blocked = {{0, std::string(code_of(ChoiceReason::kCapacity))}, {1, "SU-09"}};
      reach(chooser, of, constraint);
    }
    {
      const Pack pack = parse_pack(read_pack_files("default"));
      Chooser chooser(pack);
      Free constraint;
      Situation of = situation();
      std::vector<Shown> shown(chooser.candidates().size());
      for (Shown& one : shown) one.told_instalment = 5;
      of.shown = shown;
      of.instalment = 5;
      number(of, "loan_count") = 1;
      number(of, "days_to_due") = 1;
      number(of, "transaction_count") = 40;
      reach(chooser, of, constraint);
      of.instalment = 6;
      number(of, "loan_count") = 3;
      reach(chooser, of, constraint);
      number(of, "days_to_due") = kNoDue;
      reach(chooser, of, constraint);
      of.combined = -1;
      reach(chooser, of, constraint);
    }
    {  // customers like this one accept more often
      model::Propensity telling(kFeatures);
      Situation of = situation();
      number(of, "login_count") = 5;
      const auto often = features_of(of.numbers, of.combined, of.churn_state),
                 seldom = features_of(situation().numbers, of.combined, of.churn_state);
      for (int at = 0; at < 4'000; ++at) telling.learn(at % 2 ? often : seldom, at % 2 ? at % 10 < 7 : at % 100 == 0);
      const std::vector<const model::Propensity*> learned{&telling, &telling};
      of.learned = learned;
      const Pack pack = pack_of(two + action("dear", kSale + "base_minor = 900") +
                                "[[lever]]\nreach = \"group\"\nname = \"g\"\nweight = 10\nowner = \"o\"\nreason = "
                                "\"r\"\nexpires = \"2100-01-01\"\n");
      const std::vector<const model::Propensity*> all{&telling, &telling, &telling};
      of.learned = all;
      Chooser chooser(pack);
      Free constraint;
      reach(chooser, of, constraint);
    }
    const PackFiles files = read_pack_files("default");
    for (const auto& [reason, code] : kChoiceCodes) {
      CAPTURE(code);
      if (reason != ChoiceReason::kNoProfile) CHECK(reached.count(std::string(code)) == 1);  // the engine's own
      for (const char* language : {"ru", "en"})
        CHECK(reason_words(read_texts(files, language), code) != std::vector{std::string(code)});
    }
  }

  TEST_CASE("a mistake in actions.toml is told with its line") {
    const auto fault_of = [](const std::string& actions) -> std::string {
      try {
        pack_of(actions);
      } catch (const core::Fault& fault) {
        return fault.what();
      }
      return "";
    };
    const std::string good = action("one", kSale + "base_minor = 9000");
    CHECK(fault_of(good).empty());
    CHECK(fault_of(good + good).find("a second action") != std::string::npos);
    CHECK(fault_of(good + "[[lever]]\nreach = \"group\"\nname = \"nope\"\n").find("no action has \"nope\"") !=
          std::string::npos);
    CHECK(fault_of(good + "[[lever]]\nreach = \"group\"\nname = \"g\"\nweight = 1\nowner = \"o\"\nreason = "
                          "\"r\"\nexpires = \"soon\"\n")
              .find("is a date") != std::string::npos);
    CHECK(fault_of(good +
                   "[[lever]]\nreach = \"group\"\nname = \"g\"\nweight = 1\nreason = \"r\"\nexpires = \"2027-01-01\"\n")
              .find("owner") != std::string::npos);
    CHECK(fault_of(good + "[[context]]\nreach = \"all\"\nwhen = \"dpd > 0\"\nweight = 1\nreason = \"XX-99\"\n")
              .find("no words for \"XX-99\"") != std::string::npos);
    CHECK(fault_of(action("one", kSale + "base_minor = 9000\neligible = \"nonsense > 1\"")).find("actions.toml line") !=
          std::string::npos);
    CHECK(fault_of("").find("[[action]]") != std::string::npos);
    CHECK(parse_pack(read_pack_files("original")).catalogue.has_value() == false);
  }

  TEST_CASE("any changed bit of any file is another pack") {
    const PackFiles files = read_pack_files("default");
    const std::string before = pack_hash(files);
    std::set<std::string> hashes{before};
    std::size_t changed = 0;
    for (const auto& [name, text] : files)
      for (std::size_t at = 0; at < text.size(); at += 97)
        for (const int bit : {0, 5}) {
          PackFiles other = files;
          other[name][at] = static_cast<char>(other[name][at] ^ (1 << bit));
          hashes.insert(pack_hash(other));
          ++changed;
        }
    CHECK(changed > 500);
    CHECK(hashes.size() == changed + 1);
    PackFiles moved = files;  // a byte that leaves one file and enters the next
    moved["churn.toml"] += moved["actions.toml"].back();
    moved["actions.toml"].pop_back();
    CHECK(pack_hash(moved) != before);
  }
}

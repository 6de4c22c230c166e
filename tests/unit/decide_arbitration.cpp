// Expected values: the formulas of policy.md 2 on paper.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "support/choices.h"

using namespace tellerd;
using namespace tellerd::tests;
using doctest::Approx;

TEST_SUITE("decide.arbitration") {
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

  TEST_CASE("a factor without which another would have won is named, and no other") {
    enum Factor { kP = 1, kC = 2, kV = 4, kL = 8, kF = 16 };  // as mart_decision.flips has them
    struct Bank {
      int one_v, two_v;  // what an acceptance brings, less the call
      int one_p, two_p;  // percent
      std::string more;  // a context, a lever
      int two_shown;     // times, today
      int flips;
    };
    const std::string context =
                          "[[context]]\nreach = \"action\"\nname = \"one\"\nwhen = \"dpd = 0\"\nweight = 50\n"
                          "reason = \"CH-07\"\n",
                      lever =
                          "[[lever]]\nreach = \"action\"\nname = \"one\"\nweight = 50\nowner = \"o\"\nreason = "
                          "\"r\"\nexpires = \"2000-01-01\"\n";
    for (const Bank& bank : {
             Bank{20'000, 10'000, 20, 20, "", 0, 0},            // better by one factor, equal by the rest
             Bank{10'000, 12'000, 40, 20, "", 0, kP},           // 4000 against 2400
             Bank{10'000, 12'000, 20, 20, context, 0, kC},      // 15000 against 12000, of equal P
             Bank{20'000, 10'000, 20, 35, "", 0, kV},           // 4000 against 3500
             Bank{10'000, 12'000, 20, 20, lever, 0, kL},        // 15000 against 12000
             Bank{10'000, 12'000, 20, 20, "", 1, kF},           // 10000 against 8456
             Bank{10'000, 25'000, 40, 20, context, 0, kP | kC}  // 6000 against 5000
         }) {
      CAPTURE(bank.flips);
      const Pack pack =
          pack_of(action("one", kSale + "base_minor = " + std::to_string(bank.one_v + 1'000)) +
                  action("two", kSale + "base_minor = " + std::to_string(bank.two_v + 1'000)) + bank.more);
      Chooser chooser(pack);
      Free constraint;
      const auto first = mature(bank.one_p), second = mature(bank.two_p);
      const std::vector<const model::Propensity*> learned{&first, &second};
      std::vector<Shown> shown(2);
      shown[1] = {bank.two_shown, 1'000 * core::kDay};
      Situation of = situation();
      of.learned = learned;
      of.shown = shown;
      const Choice choice = chooser.choose(of, constraint);
      CHECK(choice.winner == 0);
      CHECK(choice.flips == bank.flips);
    }
    const Pack alone = pack_of(action("one", kSale + "base_minor = 21000"));
    Free constraint;
    CHECK(Chooser(alone).choose(situation(), constraint).flips == 0);
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
      const auto who = winner;
      CAPTURE(who);
      CHECK(sum / kCustomers == Approx(1).epsilon(0.12));
    }
    CHECK(won[-1] / static_cast<double>(kCustomers) == Approx(0.1).epsilon(0.1));
    CHECK(won[0] > won[3]);
  }
}

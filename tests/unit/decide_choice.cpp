// Expected values: counts of a small library.
#include <doctest/doctest.h>

#include <set>

#include "support/choices.h"

using namespace tellerd;
using namespace tellerd::tests;
using doctest::Approx;

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
}

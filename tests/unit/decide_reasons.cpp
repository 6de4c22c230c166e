#include <doctest/doctest.h>

#include <set>

#include "app/contact_gate.h"
#include "decide/contact_book.h"
#include "decide/reason_words.h"
#include "support/choices.h"

using namespace tellerd;
using namespace tellerd::tests;
using core::Instant;

TEST_SUITE("decide.reasons") {
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
      const auto which = code;
      CAPTURE(which);
      if (reason != ChoiceReason::kNoProfile) CHECK(reached.count(std::string(code)) == 1);  // the engine's own
      for (const char* language : {"ru", "en"})
        CHECK(reason_words(read_texts(files, language), code) != std::vector{std::string(code)});
    }
  }

  // NB and the rest of kChoiceCodes: the case above. SU-08 and SU-13: app.choice_answers. Here: what the contact policy
  // says. CH, SG, OV and MI: app.engine_card.
  TEST_CASE(
      "every code of a choice, a block or missing data that a pack words is said by something, in both languages") {
    std::set<std::string> said{"SU-08", "SU-13"};
    for (const auto& [reason, code] : kChoiceCodes) said.emplace(code);
    const Pack pack = parse_pack(read_pack_files("default"));
    const Instant now_us = 20'000 * core::kDay + 12 * core::kHour;
    const std::vector<int> templates{0};
    const auto blocked = [&](auto&& tell) {
      ContactBook book;
      book.set_rules(pack.contact, pack.holidays);
      book.know(0, Purpose::kMarketing, Channel::kCall, Credit::kUnsecured, "card", "credit", "grow");
      tell(book);
      app::ContactGate gate(book, pack.contact.rules, 1, now_us, -1, templates);
      const std::string code(gate.blocks(0));
      said.insert(code);
      return code;
    };
    const auto consented = [](ContactBook& book) {
      book.put(1, *mark_of(wire::Consent{"marketing", "all", true, "form", ""}, 0, 1));
    };
    CHECK(blocked([](ContactBook&) {}) == "SU-02");
    CHECK(blocked(consented).empty());
    for (const auto& [restriction, code] : std::vector<std::pair<const char*, const char*>>{{"do_not_call", "SU-01"},
                                                                                            {"representative", "SU-03"},
                                                                                            {"complaint", "SU-04"},
                                                                                            {"deceased", "SU-05"},
                                                                                            {"bankruptcy", "SU-06"},
                                                                                            {"self_ban", "SU-07"}})
      CHECK(blocked([&consented, what = restriction](ContactBook& book) {
              consented(book);
              book.put(1, *mark_of(wire::Restriction{what, true, "", ""}, now_us - core::kDay, 2));
            }) == code);
    for (const auto& [outcome, code] : std::vector<std::pair<const char*, const char*>>{
             {"NO_ANSWER", "SU-09"}, {"PRICE", "SU-10"}, {"ACCEPTED", "SU-11"}})
      CHECK(blocked([&consented, outcome = outcome, code = code](ContactBook& book) {
              consented(book);
              // The limit on calls is over after two weeks, what an answer suppresses is not.
              const Instant at = now_us - (code == std::string_view("SU-09") ? 1 : 20) * core::kDay;
              book.put(1, PastContact{at, 3, 0, made_by(*find_outcome_code(outcome), Channel::kCall)});
            }) == code);
    CHECK(blocked([&](ContactBook& book) {
            consented(book);
            book.set_overdue(1, true);
          }) == "SU-12");
    const PackFiles files = read_pack_files("default");
    const Texts ru = read_texts(files, "ru"), en = read_texts(files, "en");
    std::set<std::string> worded;
    for (const auto& [code, words] : en.sections.at("reasons")) worded.insert(code);
    for (const std::string& code : worded) {
      CAPTURE(code);
      CHECK(reason_words(ru, code) != reason_words(en, code));
    }
    const std::set<std::string> elsewhere{"CH", "SG", "OV", "MI"};
    for (const std::string& code : worded)
      if (!elsewhere.contains(code.substr(0, 2))) CHECK_MESSAGE(said.contains(code), code << " is said by nothing");
    said.erase("");
    for (const std::string& code : said) CHECK_MESSAGE(worded.contains(code), code << " has no words");
  }
}

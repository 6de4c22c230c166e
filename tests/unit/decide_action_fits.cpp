#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "decide/action_fits.h"
#include "decide/choice.h"
#include "decide/pack_files.h"
#include "model/draws.h"
#include "store/expression.h"

using namespace tellerd;
using namespace tellerd::decide;

namespace {

struct Library {
  Pack pack;
  store::ExpressionSet expressions{choice_columns()};
  ActionFits fits;
  explicit Library(Pack from) : pack(std::move(from)), fits(*pack.catalogue, expressions) { expressions.compile(); }
};

// What SQLite says of each condition, one by one.
Fate expected(const Action& action, const ActionFits::Row& row, int combined) {
  const auto lost = [](Stage stage, ChoiceReason reason) { return Fate{stage, static_cast<std::uint8_t>(reason)}; };
  const auto is_met = [&](const std::string& text) {
    store::ExpressionSet alone(choice_columns());
    const int only = alone.add(text, "test");
    alone.compile();
    return alone.is_true(only, row);
  };
  bool is_meant = action.segments.empty();
  for (const std::size_t segment : action.segments) is_meant = is_meant || static_cast<int>(segment) == combined;
  if (combined < 0 || !is_meant) return lost(Stage::kEligibility, ChoiceReason::kNotInSegment);
  if (!is_met(action.eligible)) return lost(Stage::kEligibility, ChoiceReason::kNotEligible);
  if (!is_met(action.applicable)) return lost(Stage::kApplicability, ChoiceReason::kNotApplicable);
  return is_met(action.suitable) ? Fate{} : lost(Stage::kSuitability, ChoiceReason::kNotSuitable);
}

std::size_t column_of(std::string_view name) {
  const auto columns = choice_columns();
  return static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
}
const std::size_t kSupportWeeks = column_of("support_weeks");

class Customers {  // some alike, some not
 public:
  Customers(const Pack& pack, std::uint64_t seed) : pack_(pack), draws_(seed) {}
  ActionFits::Row row() {
    ActionFits::Row row(kChoiceNumbers + kChoiceTextNames.size());
    for (std::size_t at = 0; at < kChoiceNumbers; ++at)
      row[at] = draws_.below(3) ? std::int64_t{0} : static_cast<std::int64_t>(draws_.below(40));
    const auto& segment = pack_.segments.combined[draws_.below(pack_.segments.combined.size())];
    row[kChoiceNumbers] = std::string_view(pack_.segments.tiers[segment.tier].name);
    row[kChoiceNumbers + 1] = std::string_view(segment.name);
    static constexpr std::string_view kStates[] = {"active", "at_risk", "churned", "returned"};
    row[kChoiceNumbers + 2] = kStates[draws_.below(4)];
    row[kChoiceNumbers + 3] =
        draws_.below(2) ? std::string_view(pack_.mcc.names[draws_.below(pack_.mcc.names.size())]) : std::string_view();
    return row;
  }
  int combined() { return static_cast<int>(draws_.below(pack_.segments.combined.size() + 1)) - 1; }

 private:
  const Pack& pack_;
  model::Draws draws_;
};

void check(const ActionFits::Answer& answer, const Library& library, const ActionFits::Row& row, int combined) {
  const auto& actions = library.pack.catalogue->actions;
  std::array<int, kStages> funnel{};
  int wrong = 0;
  for (std::size_t at = 0; at < actions.size(); ++at) {
    const Fate should = expected(actions[at], row, combined);
    const bool suits = should == Fate{};
    wrong += (answer.suiting[at / 64] >> (at % 64) & 1) != suits;
    for (std::size_t channel = 0; channel < actions[at].channels.size(); ++channel) {
      wrong += !(answer.fates[library.fits.first_candidate(at) + channel] == should);
      for (std::size_t stage = 0; stage <= static_cast<std::size_t>(Stage::kSuitability); ++stage)
        funnel[stage] += suits || stage < static_cast<std::size_t>(should.lost_at);
    }
  }
  CHECK(wrong == 0);
  for (std::size_t stage = 0; stage < kStages; ++stage) CHECK(answer.funnel[stage] == funnel[stage]);
}

void check_answer(Library& library, const ActionFits::Row& row, int combined) {
  check(library.fits.of(row, combined), library, row, combined);
}

Pack default_with(std::string_view condition, std::string_view by) {
  PackFiles files = read_pack_files("default");
  std::string& text = files.at("actions.toml");
  const std::string applicable = "applicable = \"" + std::string(condition);
  const auto at = text.find(applicable);
  REQUIRE(at != std::string::npos);
  text.replace(at + applicable.size() - condition.size(), condition.size(), by);
  return parse_pack(files);
}

}  // namespace

TEST_SUITE("decide.action_fits") {
  TEST_CASE("what is kept of a kind of customers is what SQLite says of each") {
    Library library(parse_pack(read_pack_files("default")));
    Customers customers(library.pack, 5);
    for (int round = 0; round < 60; ++round) {
      const auto row = customers.row();
      const int combined = customers.combined();
      check_answer(library, row, combined);
      check_answer(library, row, combined);  // as it was kept
    }
  }

  TEST_CASE("more kinds than are kept, and the same ones again") {
    Library library(parse_pack(read_pack_files("default"))), fresh(parse_pack(read_pack_files("default")));
    Customers first(library.pack, 6), again(library.pack, 6);
    std::vector<std::pair<ActionSet, std::vector<Fate>>> answers;
    for (int round = 0; round < 10'000; ++round) {
      const auto row = first.row();
      const auto& answer = library.fits.of(row, 3);
      answers.emplace_back(answer.suiting, answer.fates);
    }
    int wrong = 0;
    for (const auto& [suiting, fates] : answers) {
      const auto row = again.row();
      const auto& answer = library.fits.of(row, 3);
      wrong += answer.suiting != suiting || answer.fates != fates;
    }
    CHECK(wrong == 0);
  }

  TEST_CASE("a condition that computes is asked each time") {
    Library library(default_with("support_weeks >= 3", "support_weeks * 2 + tx_weeks > 9"));
    Customers customers(library.pack, 7);
    for (int round = 0; round < 40; ++round) {
      auto row = customers.row();
      check_answer(library, row, customers.combined());
      for (const std::int64_t value : {0, 2, 9}) {  // all else alike
        row[kSupportWeeks] = value;
        check_answer(library, row, 3);
      }
    }
  }

  TEST_CASE("a row that has changed in some columns is answered as one that is new") {
    for (Pack pack : {parse_pack(read_pack_files("default")),
                      default_with("support_weeks >= 3", "support_weeks * 2 + tx_weeks > 9")}) {
      Library library(std::move(pack));
      Customers customers(library.pack, 9);
      for (int round = 0; round < 60; ++round) {
        auto row = customers.row();
        library.fits.of(row, customers.combined());
        for (int change = 0; change < 2; ++change) {  // the second one of what has changed already
          const auto other = customers.row();
          std::vector<std::size_t> changed;
          for (std::size_t column = 0; column < row.size(); ++column) {
            if (row[column] == other[column] || column % 3 == static_cast<std::size_t>(round % 3)) continue;
            row[column] = other[column];
            changed.push_back(column);
          }
          const int combined = customers.combined();
          check(library.fits.of_changed(changed, combined), library, row, combined);
        }
        check_answer(library, row, 3);  // and from there on
      }
    }
  }

  TEST_CASE("each failure of a condition is counted") {
    Library library(default_with("bill_count >= 3", "abs(-9223372036854775807 - 1) > 0"));
    Customers customers(library.pack, 8);
    const auto row = customers.row();
    for (std::uint64_t asked = 1; asked <= 3; ++asked) {
      library.fits.of(row, 3);
      CHECK(library.expressions.error_count() == asked);
    }
  }
}

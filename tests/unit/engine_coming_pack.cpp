// A pack that is announced, prepared for beside the one that decides, and activated by a second record: what was
// gathered beforehand gives the tables of a log in which nothing was.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "support/branch.h"
#include "support/world.h"

using namespace tellerd;
using tests::Branch;
using tests::Fold;
using tests::LogMaker;
using tests::ScratchFolder;
using tests::World;
using tests::WorldOptions;

namespace {

decide::PackFiles with_line(decide::PackFiles files, const std::string& file, const std::string& old,
                            const std::string& put) {
  std::string& text = files.at(file);
  const auto at = text.find(old);
  REQUIRE(at != std::string::npos);
  text.replace(at, old.size(), put);
  return files;
}

// Each changes other facts: amounts in a window, matches of a text, categories, what counts.
std::vector<decide::PackFiles> changed_packs() {
  const auto files = decide::read_pack_files("default");
  return {with_line(files, "pack.toml", "transaction_weeks = 52", "transaction_weeks = 2"),
          with_line(files, "pack.toml", "successful_logins_only = true", "successful_logins_only = false"),
          with_line(files, "pack.toml", "completed_payments_only = true", "completed_payments_only = false"),
          with_line(files, "competitors.toml", "\"gorizont.example\",", "\"bank.example\","),
          with_line(files, "mcc.toml", "5411", "5412")};
}

// Facts of a few weeks, a pack that is announced, facts, its activation, facts.
std::unique_ptr<LogMaker> log_with(const decide::PackFiles& files, std::uint64_t seed, core::Instant step_us) {
  WorldOptions options;
  options.seed = seed;
  options.records = 900;
  options.customers = seed % 2 ? 60 : 8;
  options.step_us = core::kHour;
  options.has_packs = options.has_backfill = options.has_models = false;
  options.announced = files;
  options.announced_step_us = step_us;
  return World(options).make();
}

bool is(const bronze::Record& record, wire::Kind kind) { return record.kind == kind; }

}  // namespace

TEST_SUITE("app.engine_coming_pack") {
  TEST_CASE("what is gathered before the activation gives the tables of one that gathers in its turn") {
    std::uint64_t seed = 0, taken = 0;
    for (const auto& files : changed_packs())
      for (int round = 0; round < 4; ++round) {
        CAPTURE(++seed);
        const auto log = log_with(files, seed, core::kMinute);
        const ScratchFolder folder;
        Fold in_turn(*log, folder / "turn.db"), beside(*log, folder / "beside.db");
        in_turn.apply_all();
        bool is_coming = false, was_ready = false;
        while (beside.has_next()) {
          const auto& record = log->records()[static_cast<std::size_t>(beside.engine().applied_seq())];
          if (is(record, wire::Kind::kPackActivated) && is_coming) {
            was_ready = beside.engine().take_prepared_pack().has_value();
            CHECK_FALSE(beside.engine().take_prepared_pack().has_value());
            is_coming = false;
          }
          beside.apply_next();
          if (is(record, wire::Kind::kPackComing)) {
            is_coming = true;
            CHECK_FALSE(beside.engine().prepare_pack(10));  // the store has not all of it yet
            beside.flush();
            if (seed % 3 == 0) beside.restart();
          }
          if (is_coming) beside.engine().prepare_pack(40);
        }
        beside.flush();
        CHECK(was_ready);
        taken += beside.engine().counters()->taken_beside;
        CHECK(tests::differences(beside, in_turn) == std::vector<std::string>{});
      }
    CHECK(taken > 20 * 8);  // of as many logs, each with so many customers or more
  }

  TEST_CASE("a week that begins meanwhile has it gathered again") {
    for (std::uint64_t seed = 100; seed < 106; ++seed) {
      CAPTURE(seed);
      const auto log = log_with(changed_packs()[0], seed, 5 * core::kHour);
      const ScratchFolder folder;
      Fold in_turn(*log, folder / "turn.db"), beside(*log, folder / "beside.db");
      in_turn.apply_all();
      while (beside.has_next()) {
        beside.apply_next();
        beside.flush();
        beside.engine().prepare_pack(60);
      }
      CHECK(tests::differences(beside, in_turn) == std::vector<std::string>{});
    }
  }

  TEST_CASE("the pack in use decides until the activation, a later announcement takes the place of one") {
    Branch branch("default");
    branch.at(tests::kMonday).meet("A");
    branch.pay("A", 100'000'00);
    const auto files = decide::read_pack_files("default");
    const auto renamed = [&](const char* name) {
      return with_line(files, "pack.toml", "name = \"default\"", fmt::format("name = \"{}\"", name));
    };
    branch.log().coming_pack(renamed("first"));
    CHECK(branch.ask("SELECT name FROM policy_coming") == "first");
    branch.log().coming_pack(renamed("second"));
    CHECK(branch.ask("SELECT name FROM policy_coming") == "second");
    CHECK(branch.ask("SELECT pack_name FROM cursor") == "default");
    branch.fold().restart();
    CHECK_FALSE(branch.fold().engine().prepare_pack(1));  // names change nothing that would have to be gathered
    const auto ready = branch.fold().engine().take_prepared_pack();
    REQUIRE(ready);
    branch.log().pack(renamed("first"));  // was on its way already
    CHECK(branch.ask("SELECT pack_name FROM cursor") == "first");
    CHECK(branch.ask("SELECT name FROM policy_coming") == "second");
    branch.log().pack(decide::deserialise_pack(*ready));
    CHECK(branch.ask("SELECT pack_name FROM cursor") == "second");
    CHECK(branch.ask("SELECT count(*) FROM policy_coming") == "0");
    CHECK(branch.ask("SELECT name FROM policy_history ORDER BY seq") == "default\nfirst\nsecond");
  }
}

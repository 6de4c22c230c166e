// Accounts, sessions, limits and the audit log, each by itself.
#include <doctest/doctest.h>

#include "core/fault.h"
#include "ops/accounts.h"
#include "ops/audit.h"
#include "ops/sessions.h"
#include "support/scratch_folder.h"

using namespace tellerd::ops;

namespace {

const std::string kPassword = "correct horse battery";

bool is_refused(const std::string& name, const std::string& password) {
  try {
    Accounts::hash_of(name, password);
  } catch (const tellerd::core::Fault&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_SUITE("ops.access") {
  TEST_CASE("a password is kept as argon2id, and opens for its own user alone") {
    tellerd::tests::ScratchFolder folder;
    Accounts accounts(folder.path() / "access.db");
    CHECK(accounts.is_empty());
    const auto hash = Accounts::hash_of("anna", kPassword);
    CHECK(hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$"));
    accounts.add("anna", Role::kAnalyst, hash, 7);
    CHECK_THROWS_AS(accounts.add("anna", Role::kDesk, hash, 8), tellerd::core::Fault);
    CHECK_THROWS_AS(accounts.add("dan", Role::kDesk, "plain text", 8), tellerd::core::Fault);
    CHECK(accounts.check("anna", kPassword)->is(Role::kAnalyst));
    CHECK(!accounts.check("anna", kPassword + "."));
    CHECK(!accounts.check("dan", kPassword));
    accounts.set_hash("anna", Accounts::hash_of("anna", "another horse battery"));
    CHECK(!accounts.check("anna", kPassword));
    accounts.remove("anna");
    CHECK(accounts.is_empty());
    CHECK_THROWS_AS(accounts.remove("anna"), tellerd::core::Fault);
  }

  TEST_CASE("names and passwords have bounds, on both sides") {
    CHECK(is_refused("anna", "11 letters."));
    CHECK(!is_refused("anna", "12 letters.."));
    CHECK(!is_refused("anna", "abcde" + std::string(251, 'x')));
    CHECK(is_refused("anna", "abcde" + std::string(252, 'x')));
    CHECK(is_refused("anna", "aaaabbbbcccc"));  // four different ones
    CHECK(is_refused("anna", "my name is anna"));
    for (const char* name : {"", "Anna", "an na", "анна", "a/b"}) CHECK_MESSAGE(is_refused(name, kPassword), name);
    CHECK(is_refused(std::string(33, 'a'), kPassword));
    CHECK(!is_refused(std::string(32, 'a'), kPassword));
  }

  TEST_CASE("a session ends after thirty idle minutes, after twelve hours, by its user, and when the user is gone") {
    Sessions sessions;
    Steady now{};
    const Principal anna{"anna", Role::kAnalyst}, dan{"dan", Role::kDesk};
    const auto idle = sessions.open(anna, now);
    CHECK(sessions.find(idle, now + std::chrono::minutes(30))->user == "anna");
    CHECK(!sessions.find(idle, now + std::chrono::minutes(61)));
    const auto busy = sessions.open(dan, now);
    for (int minutes = 0; minutes <= 12 * 60; minutes += 20)
      CHECK(sessions.find(busy, now + std::chrono::minutes(minutes)));
    CHECK(!sessions.find(busy, now + std::chrono::minutes(12 * 60 + 1)));
    const auto one = sessions.open(anna, now), two = sessions.open(anna, now), other = sessions.open(dan, now);
    CHECK(one != two);
    sessions.close(one);
    CHECK(!sessions.find(one, now));
    sessions.close_of("anna");
    CHECK(!sessions.find(two, now));
    CHECK(sessions.find(other, now));
    CHECK(!sessions.find("", now));
  }

  TEST_CASE("when too many are signed in, the one unused longest ends") {
    Sessions sessions;
    const Steady now{};
    const auto first = sessions.open({"anna", Role::kAnalyst}, now), second = sessions.open({"dan", Role::kDesk}, now);
    for (std::size_t n = 2; n < Sessions::kCountMax; ++n)
      sessions.open({"ola", Role::kDesk}, now + std::chrono::seconds(1));
    CHECK(sessions.find(first, now + std::chrono::seconds(2)));
    sessions.open({"ola", Role::kDesk}, now + std::chrono::seconds(3));
    CHECK(sessions.find(first, now + std::chrono::seconds(4)));
    CHECK(!sessions.find(second, now + std::chrono::seconds(4)));
  }

  TEST_CASE("a window of time is full for its key and opens again as time goes") {
    RateWindow window(2, std::chrono::seconds(60));
    const Steady now{};
    window.count("a", now);
    CHECK(!window.is_full("a", now));
    window.count("a", now + std::chrono::seconds(30));
    CHECK(window.is_full("a", now + std::chrono::seconds(60)));
    CHECK(!window.is_full("b", now + std::chrono::seconds(60)));
    CHECK(!window.is_full("a", now + std::chrono::seconds(61)));
  }

  TEST_CASE("the audit log goes on after a restart, and any edited, removed or swapped row is named") {
    tellerd::tests::ScratchFolder folder;
    const auto file = folder.path() / "audit.db";
    for (int opened = 0; opened < 2; ++opened) {
      Audit audit(file);
      for (int n = 0; n < 50; ++n)
        audit.append({0, 1000 + n, "anna", "analyst", "look up", std::to_string(n % 7), "", "shown"});
    }
    CHECK(!Audit::first_broken(file));
    const auto edited = [&](const std::string& sql) {
      const auto copy = folder.path() / "copy.db";
      std::filesystem::remove(copy);
      tellerd::store::Database::open_writer(file).snapshot_into(copy);
      auto database = tellerd::store::Database::open_writer(copy);
      database.execute("DROP TRIGGER reading_is_never_changed; DROP TRIGGER reading_is_never_removed; " + sql);
      database.checkpoint(true);
      return Audit::first_broken(copy);
    };
    for (int number = 1; number <= 100; number += 9)
      CHECK(edited("UPDATE reading SET subjects = '99' WHERE number = " + std::to_string(number)) == number);
    CHECK(edited("UPDATE reading SET at_us = at_us + 1 WHERE number = 40") == 40);
    CHECK(edited("DELETE FROM reading WHERE number = 40") == 41);
    CHECK(edited("UPDATE reading SET number = 1000 WHERE number = 100") == 1000);
    auto database = tellerd::store::Database::open_writer(file);
    CHECK_THROWS_AS(database.execute("UPDATE reading SET user = 'x'"), tellerd::core::Fault);
    CHECK_THROWS_AS(database.execute("DELETE FROM reading"), tellerd::core::Fault);
  }

  TEST_CASE("the audit log's write-ahead log is written over once it is folded, and no row is lost by that") {
    tellerd::tests::ScratchFolder folder;
    const auto file = folder.path() / "audit.db";
    const auto log_bytes = [&] { return std::filesystem::file_size(folder.path() / "audit.db-wal"); };
    constexpr int kRows = 400, kRounds = 8;  // a page or two each: well over the megabyte that is folded
    Audit audit(file);
    const auto laid_out = log_bytes();
    CHECK(laid_out >= (2 << 20));  // room for what comes between two folds
    const auto append = [&](int rows) {
      for (int n = 0; n < rows; ++n) audit.append({0, 1000 + n, "anna", "analyst", "look up", "7", "", "shown"});
    };
    append(3);
    audit.fold();
    CHECK(std::filesystem::file_size(file) < 20'000);  // too little to be worth a fold
    append(kRows);
    audit.fold();
    CHECK(std::filesystem::file_size(file) < 20'000);  // somebody has just read: he might be reading on
    audit.fold();
    CHECK(std::filesystem::file_size(file) > 20'000);
    for (int round = 0; round < kRounds; ++round) {  // without a pause, and more in all than the file has room for
      append(kRows);
      audit.fold();
      CHECK(log_bytes() == laid_out);
    }
    CHECK(!Audit::first_broken(file));
    CHECK(audit.head().starts_with(std::to_string(3 + (1 + kRounds) * kRows) + " "));
  }
}

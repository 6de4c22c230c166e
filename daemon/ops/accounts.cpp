#include "ops/accounts.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "core/assert.h"
#include "core/fault.h"

namespace tellerd::ops {
namespace {

[[noreturn]] void refuse(const std::string& sentence) { throw core::Fault(core::Exit::kFailed, sentence); }

void check_name(const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
  if (name.empty() || name.size() > 32 || !is_plain)
    refuse("A user name has 1 to 32 of a-z, 0-9, dot, dash and underscore.");
}

void check_password(const std::string& name, std::string_view password) {
  if (password.size() < Accounts::kPasswordBytesMin)
    refuse("A password has at least 12 characters; a sentence is a good one.");
  if (password.size() > Accounts::kPasswordBytesMax) refuse("A password has at most 256 bytes.");
  std::string different(password);
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  if (different.size() < 5 || password.find(name) != std::string_view::npos)
    refuse("This password is too easy to guess.");
}

std::string hashed(std::string_view password) {
  TELLERD_ASSERT(sodium_init() >= 0);
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str(text.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    refuse("There is not enough memory to hash a password.");
  return text.data();
}

void check_hash(std::string_view hash) {
  if (!hash.starts_with("$argon2id$v=19$m=65536,t=2,p=1$") || hash.size() >= crypto_pwhash_STRBYTES)
    refuse("This is no hash of a password.");
}

}  // namespace

Accounts::Accounts(const std::filesystem::path& file) : database_(store::Database::open_writer(file)) {
  database_.execute(
      "CREATE TABLE IF NOT EXISTS user(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, added_us INTEGER "
      "NOT NULL) STRICT");
  hash_of_nobody_ = hashed("nobody has this one");
}

std::string Accounts::hash_of(const std::string& name, std::string_view password) {
  check_name(name);
  check_password(name, password);
  return hashed(password);
}

// One connection writes and folds the log in: the file is small, so at once.
void Accounts::wrote() { database_.checkpoint(true); }

bool Accounts::is_empty() {
  const std::lock_guard lock(mutex_);
  return database_.integer("SELECT count(*) FROM user") == 0;
}

void Accounts::add(const std::string& name, Role role, std::string_view hash, std::int64_t now_us) {
  check_name(name);
  check_hash(hash);
  const std::lock_guard lock(mutex_);
  store::Statement insert(database_,
                          "INSERT INTO user(name, role, hash, added_us) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING");
  insert.bind_all(std::string_view(name), name_of(role), hash, now_us).run();
  if (database_.changes() == 0) refuse("There is a user " + name + " already.");
  wrote();
}

void Accounts::set_hash(const std::string& name, std::string_view hash) {
  check_hash(hash);
  const std::lock_guard lock(mutex_);
  store::Statement update(database_, "UPDATE user SET hash = ?2 WHERE name = ?1");
  update.bind_all(std::string_view(name), hash).run();
  if (database_.changes() == 0) refuse("There is no user " + name + ".");
  wrote();
}

void Accounts::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  store::Statement gone(database_, "DELETE FROM user WHERE name = ?");
  gone.bind(1, std::string_view(name)).run();
  if (database_.changes() == 0) refuse("There is no user " + name + ".");
  wrote();
}

std::vector<Accounts::User> Accounts::list() {
  const std::lock_guard lock(mutex_);
  std::vector<User> users;
  store::Statement rows(database_, "SELECT name, role, added_us FROM user ORDER BY name");
  while (rows.step()) {
    const auto role = role_of(rows.text(1));
    TELLERD_ASSERT(role.has_value());
    users.push_back({std::string(rows.text(0)), *role, rows.integer(2)});
  }
  return users;
}

std::optional<Principal> Accounts::check(const std::string& name, std::string_view password) {
  std::string hash = hash_of_nobody_;
  std::optional<Role> role;
  {
    const std::lock_guard lock(mutex_);
    store::Statement find(database_, "SELECT hash, role FROM user WHERE name = ?");
    if (find.bind(1, std::string_view(name)).step()) {
      hash = find.text(0);
      role = role_of(find.text(1));
    }
    find.reset();
  }
  const bool is_right = crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  if (!is_right || !role) return std::nullopt;
  return Principal{name, *role};
}

}  // namespace tellerd::ops

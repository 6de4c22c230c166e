// Who may sign in: DATA/access.db, one row a user, the password as an argon2id hash (libsodium). Not derived state: it
// is neither in the log nor in teller.db. One writer, this object.
// Errors: core::Fault kFailed with one sentence for a name or password that will not do; store faults.
// Threads: any; hashing takes 64 MiB and some 0.1 s, so the caller bounds how many are made at a time.
#pragma once
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/roles.h"
#include "store/database.h"

namespace tellerd::ops {

class Accounts {
 public:
  struct User {
    std::string name;
    Role role;
    std::int64_t added_us;
  };
  static constexpr std::size_t kPasswordBytesMin = 12, kPasswordBytesMax = 256;

  explicit Accounts(const std::filesystem::path& file);

  bool is_empty();
  // What is kept of a password. A Fault when it is too short, too long or too easy for this name.
  static std::string hash_of(const std::string& name, std::string_view password);
  // hash: from hash_of, here or in tellerctl.
  void add(const std::string& name, Role role, std::string_view hash, std::int64_t now_us);
  void set_hash(const std::string& name, std::string_view hash);
  void remove(const std::string& name);
  std::vector<User> list();
  // The user whose password this is. An unknown name costs a hash too, so that time tells nothing.
  std::optional<Principal> check(const std::string& name, std::string_view password);

 private:
  void wrote();

  std::mutex mutex_;
  store::Database database_;
  std::string hash_of_nobody_;
};

}  // namespace tellerd::ops

// Signing in: accounts, sessions and the audit log behind one door, and the addresses to come in and go out by.
// While there is no user a set-up token stands, said once in the journal; whoever brings it names the first operator.
// Five wrong passwords a minute for a name, and thirty in all, are answered with 429; so is a third hash at a time.
// Threads: any.
#pragma once
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "ops/accounts.h"
#include "ops/audit.h"
#include "ops/resource.h"
#include "ops/sessions.h"

namespace tellerd::ops {

class Access {
 public:
  struct Options {
    std::filesystem::path data;  // holds access.db and audit.db
    bool is_behind_tls = false;  // then the cookie is only sent over TLS
    std::chrono::seconds session_idle = Sessions::kIdleMax, session_life = Sessions::kLifeMax;
  };
  explicit Access(const Options& options);

  Principal who(const Request& request);
  void record(const Principal& who, const Reading& reading, std::string_view result);
  // Of somebody who is known otherwise than by signing in.
  void record(std::string_view user, std::string_view role, const Reading& reading, std::string_view result);
  void fold_readings() { audit_.fold(); }  // once a second or so
  std::vector<Resource> resources();

  // For tellerctl user: the caller stands on this machine as the daemon's own user, and has made the hash.
  void add_user(const std::string& name, Role role, std::string_view hash);
  void set_hash(const std::string& name, std::string_view hash);
  void remove_user(const std::string& name);
  std::vector<Accounts::User> users() { return accounts_.list(); }
  std::string setup_token();  // "" once there is a user

 private:
  Reply say_who(const Ask& ask);
  Reply sign_in(const Ask& ask);
  Reply sign_out(const Ask& ask);
  Reply set_up(const Ask& ask);
  Reply readings(const Ask& ask);
  Reply check_chain();
  Reply welcome(const Principal& who);
  std::string cookie(std::string_view token, bool is_over) const;

  const Options options_;
  Accounts accounts_;
  Audit audit_;
  Sessions sessions_{options_.session_idle, options_.session_life};
  RateWindow wrong_of_name_{5, std::chrono::seconds(60)}, wrong_of_all_{30, std::chrono::seconds(60)};
  std::atomic<int> hashing_{0};
  std::mutex setup_mutex_;
  std::string setup_token_;
};

}  // namespace tellerd::ops

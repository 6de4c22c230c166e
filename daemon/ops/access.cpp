#include "ops/access.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/fault.h"

namespace tellerd::ops {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kCookie = "tellerd_session";

std::int64_t wall_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string token_of(const Request& request) {
  std::string_view cookies = request.value("Cookie");
  while (!cookies.empty()) {
    const auto end = std::min(cookies.find(';'), cookies.size());
    auto one = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    if (one.size() > kCookie.size() && one.starts_with(kCookie) && one[kCookie.size()] == '=')
      return std::string(one.substr(kCookie.size() + 1));
  }
  return {};
}

Answer json_answer(const Json& json) {
  Answer answer;
  answer.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return answer;
}

// The texts asked for, or nothing when the body is another thing.
std::optional<std::vector<std::string>> texts_in(std::string_view body, std::initializer_list<const char*> names) {
  const auto json = Json::parse(body, nullptr, false);
  if (!json.is_object() || json.size() != names.size()) return std::nullopt;
  std::vector<std::string> found;
  for (const char* name : names) {
    if (!json.contains(name) || !json[name].is_string()) return std::nullopt;
    found.push_back(json[name].get<std::string>());
  }
  return found;
}

// One worker may hash while one waits; more would hold the workers that others need.
class HashTurn {
 public:
  explicit HashTurn(std::atomic<int>& count) : count_(count), has_turn_(count.fetch_add(1) < kTurnsMax) {}
  ~HashTurn() { count_.fetch_sub(1); }
  HashTurn(const HashTurn&) = delete;
  bool has_turn() const noexcept { return has_turn_; }

 private:
  static constexpr int kTurnsMax = 2;
  std::atomic<int>& count_;
  const bool has_turn_;
};

Answer too_many() {
  Answer answer = problem(429, "Too many attempts; try again in a minute.");
  answer.retry_after_s = 60;
  return answer;
}

}  // namespace

Access::Access(const Options& options)
    : options_(options), accounts_(options.data / "access.db"), audit_(options.data / "audit.db") {
  if (accounts_.is_empty()) setup_token_ = random_token();
}

std::string Access::setup_token() {
  const std::lock_guard lock(setup_mutex_);
  return setup_token_;
}

Principal Access::who(const Request& request) {
  const std::string token = token_of(request);
  if (token.empty()) return {};
  return sessions_.find(token, std::chrono::steady_clock::now()).value_or(Principal{});
}

void Access::record(const Principal& who, const Reading& reading, std::string_view result) {
  if (who.is_signed_in()) return record(who.user, name_of(who.role), reading, result);
  record("-", "-", reading, result);
}

void Access::record(std::string_view user, std::string_view role, const Reading& reading, std::string_view result) {
  audit_.append({0, wall_us(), std::string(user), std::string(role), reading.action, reading.subjects, reading.detail,
                 std::string(result)});
}

void Access::add_user(const std::string& name, Role role, std::string_view hash) {
  accounts_.add(name, role, hash, wall_us());
  record({}, {"user added", "", name + " as " + std::string(name_of(role))}, "done");
  const std::lock_guard lock(setup_mutex_);
  setup_token_.clear();
}

void Access::set_hash(const std::string& name, std::string_view hash) {
  accounts_.set_hash(name, hash);
  sessions_.close_of(name);
  record({}, {"password changed", "", name}, "done");
}

void Access::remove_user(const std::string& name) {
  accounts_.remove(name);
  sessions_.close_of(name);
  record({}, {"user removed", "", name}, "done");
}

std::string Access::cookie(std::string_view token, bool is_over) const {
  std::string text(kCookie);
  text.append("=").append(token).append("; Path=/; HttpOnly; SameSite=Strict");
  if (options_.is_behind_tls) text.append("; Secure");
  if (is_over) text.append("; Max-Age=0");
  return text;
}

Reply Access::welcome(const Principal& who) {
  Reply reply{json_answer({{"user", who.user}, {"role", name_of(who.role)}, {"needs_setup", false}}), {}};
  reply.answer.set_cookie = cookie(sessions_.open(who, std::chrono::steady_clock::now()), false);
  record(who, {"sign in", "", ""}, "done");
  return reply;
}

Reply Access::say_who(const Ask& ask) {
  const bool is_in = ask.who.is_signed_in();
  return {json_answer({{"user", is_in ? Json(ask.who.user) : Json()},
                       {"role", is_in ? Json(name_of(ask.who.role)) : Json()},
                       {"needs_setup", !setup_token().empty()}}),
          {}};
}

Reply Access::sign_in(const Ask& ask) {
  const auto given = texts_in(ask.body, {"user", "password"});
  if (!given) return {problem(400, "Signing in takes {\"user\": …, \"password\": …}."), {}};
  const auto& name = given->at(0);
  const auto now = std::chrono::steady_clock::now();
  if (wrong_of_name_.is_full(name, now) || wrong_of_all_.is_full("", now)) return {too_many(), {}};
  const HashTurn turn(hashing_);
  if (!turn.has_turn()) return {too_many(), {}};
  if (const auto who = accounts_.check(name, given->at(1))) {
    sessions_.close(token_of(ask.request));  // whoever signs in again leaves no second session behind
    return welcome(*who);
  }
  wrong_of_name_.count(name, now);
  wrong_of_all_.count("", now);
  record({}, {"sign in", "", ""}, "refused");  // what was typed as a name may be a password
  return {problem(401, "The user or the password is wrong."), {}};
}

Reply Access::sign_out(const Ask& ask) {
  sessions_.close(token_of(ask.request));
  if (ask.who.is_signed_in()) record(ask.who, {"sign out", "", ""}, "done");
  Reply reply{json_answer({{"user", nullptr}, {"role", nullptr}, {"needs_setup", false}}), {}};
  reply.answer.set_cookie = cookie("", true);
  return reply;
}

Reply Access::set_up(const Ask& ask) {
  const auto given = texts_in(ask.body, {"token", "user", "password"});
  if (!given) return {problem(400, "Setting up takes {\"token\": …, \"user\": …, \"password\": …}."), {}};
  const auto now = std::chrono::steady_clock::now();
  if (wrong_of_all_.is_full("", now)) return {too_many(), {}};
  const std::lock_guard lock(setup_mutex_);
  if (setup_token_.empty() || !is_same_secret(given->at(0), setup_token_)) {
    wrong_of_all_.count("", now);
    record({}, {"set up", "", ""}, "refused");
    return {problem(403, "This is not the set-up token; it stands in the daemon's journal and is good once."), {}};
  }
  try {
    accounts_.add(given->at(1), Role::kOperator, Accounts::hash_of(given->at(1), given->at(2)), wall_us());
  } catch (const core::Fault& unfit) {
    return {problem(400, unfit.what()), {}};
  }
  setup_token_.clear();
  const Principal first{given->at(1), Role::kOperator};
  record(first, {"set up", "", ""}, "done");
  return welcome(first);
}

Reply Access::readings(const Ask& ask) {
  const auto number = [&](const char* name, int low, int high, int otherwise) -> std::optional<int> {
    const auto found = ask.parameters.find(name);
    return found == ask.parameters.end() ? std::optional(otherwise) : number_within(found->second, low, high);
  };
  const auto limit = number("limit", 1, 1000, 100),
             customer = number("customer", 1, std::numeric_limits<int>::max(), 0),
             before = number("before", 1, std::numeric_limits<int>::max(), std::numeric_limits<int>::max());
  const bool is_known = std::all_of(ask.parameters.begin(), ask.parameters.end(), [](const auto& one) {
    return one.first == "limit" || one.first == "customer" || one.first == "before";
  });
  if (!limit || !customer || !before || !is_known)
    return {
        problem(400,
                "The audit log takes limit (1 to 1000), before (a row's number) and customer (an internal number)."),
        {}};
  Answer answer;
  answer.body = "{\"rows\":" + audit_.rows_json(*customer, *limit, *before) + "}";
  return {answer, {}};
}

Reply Access::check_chain() {
  const auto broken = Audit::first_broken(options_.data / "audit.db");
  return {json_answer({{"ok", !broken}, {"first_broken", broken ? Json(*broken) : Json()}, {"head", audit_.head()}}),
          {}};
}

std::vector<Resource> Access::resources() {
  return {
      {"GET", "/api/v1/session", kEverybody, false, [this](const Ask& ask) { return say_who(ask); }},
      {"POST", "/api/v1/session", kEverybody, false, [this](const Ask& ask) { return sign_in(ask); }},
      {"POST", "/api/v1/session/end", kEverybody, false, [this](const Ask& ask) { return sign_out(ask); }},
      {"POST", "/api/v1/setup", kEverybody, false, [this](const Ask& ask) { return set_up(ask); }},
      {"GET", "/api/v1/audit", roles(Role::kAuditor), true, [this](const Ask& ask) { return readings(ask); }},
      {"GET", "/api/v1/audit/check", roles(Role::kAuditor), false, [this](const Ask&) { return check_chain(); }},
  };
}

}  // namespace tellerd::ops

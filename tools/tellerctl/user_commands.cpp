// user: who may sign in to the pages. The daemon is asked, and told only the hash; passwords come from the terminal or
// standard input, never from the command line, which others can see.
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/fault.h"
#include "core/time.h"
#include "ops/accounts.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kPatience{5000};

// The terminal does not show what is typed while this lives.
class Hidden {
 public:
  Hidden() {
    is_terminal_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Hidden() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(const Hidden&) = delete;
  bool is_terminal() const noexcept { return is_terminal_; }

 private:
  termios before_{};
  bool is_terminal_ = false;
};

std::string line_after(const char* prompt, bool is_terminal) {
  std::string line;
  if (is_terminal) std::cerr << prompt << std::flush;
  std::getline(std::cin, line);
  if (is_terminal) std::cerr << "\n";
  return line;
}

std::string password() {
  const Hidden hidden;
  const std::string first = line_after("Password (12 characters or more): ", hidden.is_terminal());
  if (hidden.is_terminal() && line_after("Once more: ", true) != first)
    throw core::Fault(core::Exit::kFailed, "the two passwords differ: nothing was changed");
  if (first.empty())
    throw core::Fault(core::Exit::kFailed, "no password was given: type it, or give it as a line on standard input");
  return first;
}

json ask(const Context& context, const char* verb, const json& arguments) {
  QueryClient client(context.endpoint("query"), kPatience, context.where());
  return client.ask_ok(verb, arguments);
}

void add_add(CLI::App& user, Context& context) {
  struct Options {
    std::string name, role;
  };
  auto* command = user.add_subcommand("add", "Let somebody sign in; asks for the password");
  auto options = std::make_shared<Options>();
  command->add_option("name", options->name, "1 to 32 of a-z, 0-9, dot, dash, underscore")->required();
  command->add_option("--role", options->role, "operator, analyst, desk, merchant_manager or auditor")
      ->required()
      ->check(CLI::IsMember({"operator", "analyst", "desk", "merchant_manager", "auditor"}));
  command->footer(
      "Examples:\n  tellerctl user add anna --role analyst\n  printf '%s\\n' \"$PASSWORD\" | tellerctl user add anna "
      "--role analyst");
  command->callback([&context, options] {
    ask(context, "UserAdd",
        {{"user", options->name},
         {"role", options->role},
         {"hash", ops::Accounts::hash_of(options->name, password())}});
    std::cout << options->name << " may sign in as " << options->role << ".\n";
  });
}

void add_password(CLI::App& user, Context& context) {
  auto* command = user.add_subcommand("password", "Give a user another password; ends the user's sessions");
  auto name = std::make_shared<std::string>();
  command->add_option("name", *name, "Who")->required();
  command->footer("Example:\n  tellerctl user password anna");
  command->callback([&context, name] {
    ask(context, "UserPassword", {{"user", *name}, {"hash", ops::Accounts::hash_of(*name, password())}});
    std::cout << *name << " has a new password.\n";
  });
}

void add_remove(CLI::App& user, Context& context) {
  auto* command = user.add_subcommand("remove", "Let a user sign in no more; ends the user's sessions");
  auto name = std::make_shared<std::string>();
  command->add_option("name", *name, "Who")->required();
  command->footer("Example:\n  tellerctl user remove anna");
  command->callback([&context, name] {
    ask(context, "UserRemove", {{"user", *name}});
    std::cout << *name << " may sign in no more.\n";
  });
}

void add_list(CLI::App& user, Context& context) {
  auto* command = user.add_subcommand("list", "Who may sign in");
  command->footer("Example:\n  tellerctl user list");
  command->callback([&context] {
    std::cout << "user\trole\tadded\n";
    const json answer = ask(context, "UserList", json::object());
    for (const json& one : answer.at("users"))
      std::cout << one["user"].get<std::string>() << "\t" << one["role"].get<std::string>() << "\t"
                << core::format_instant(one["added_us"].get<std::int64_t>()) << "\n";
  });
}

}  // namespace

void register_user(CLI::App& app, Context& context) {
  auto* user = app.add_subcommand("user", "Who may sign in to the pages");
  user->require_subcommand(1);
  add_add(*user, context);
  add_password(*user, context);
  add_remove(*user, context);
  add_list(*user, context);
}

}  // namespace tellerd::tellerctl

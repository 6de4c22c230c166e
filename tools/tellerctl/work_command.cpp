// work: a desk in a terminal. One offer at a time: its card, a key for what came of it.
#include <fmt/core.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "core/fault.h"
#include "core/time.h"
#include "tellerctl/client/desk_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"

namespace tellerd::tellerctl {
namespace {

using Json = DeskClient::Json;
constexpr Milliseconds kPatience{5000};
constexpr Milliseconds kLook{200};  // how often pushes are heard while a person thinks

struct Key {
  char key;
  const char* code;
  const char* says;
};
constexpr Key kOutcomes[] = {
    {'1', "ACCEPTED", "accepted"},
    {'2', "APPLIED", "applied"},
    {'3', "NOT_INTERESTED", "not interested"},
    {'4', "PRICE", "too dear"},
    {'5', "HAS_ALREADY", "has already"},
    {'6', "COMPETITOR", "competitor"},
    {'7', "NOT_NOW", "not now"},
    {'n', "NO_ANSWER", "no answer"},
    {'b', "BUSY", "busy"},
    {'d', "DISCONNECTED", "no such line"},
    {'m', "MACHINE", "machine"},
    {'w', "WRONG_PERSON", "wrong person"},
    {'l', "LANGUAGE", "language"},
    {'c', "COMPLAINT", "complaint"},
    {'x', "DO_NOT_CALL", "do not call"},
    {'v', "CONSENT_REVOKED", "consent revoked"},
    {'p', "PROMISE_TO_PAY", "promises to pay"},
    {'h', "HARDSHIP", "hardship"},
};

volatile std::sig_atomic_t was_interrupted = 0;

// Keys come as they are pressed; the terminal is as it was when this goes.
class Keyboard {
 public:
  Keyboard() {
    is_terminal_ = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    std::signal(SIGINT, [](int) { was_interrupted = 1; });  // Ctrl-C gives the offer back and ends, like q
  }
  ~Keyboard() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  // The key, 4 (end of input) at the end, nothing when none came.
  std::optional<char> pressed(Milliseconds wait) const {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (was_interrupted) return char{4};
    if (::poll(&input, 1, static_cast<int>(wait.count())) != 1) return std::nullopt;
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) == 1 ? key : char{4};
  }

 private:
  termios before_{};
  bool is_terminal_ = false;
};

std::string text_at(const Json& from, const char* name) {
  const auto at = from.find(name);
  return at == from.end() || at->is_null() ? std::string() : at->is_string() ? at->get<std::string>() : at->dump();
}

std::string money(const Json& from, const char* name) {
  const std::int64_t minor = from.value(name, std::int64_t{0});
  return fmt::format("{}.{:02}", minor / 100, std::abs(minor % 100));
}

std::string date_of(const Json& from, const char* name) {
  return core::format_instant(from.value(name, core::Instant{0})).substr(0, 10);
}

class Desk {
 public:
  Desk(DeskClient& client, std::string queue, bool is_plain)
      : client_(client), queue_(std::move(queue)), is_plain_(is_plain) {
    client_.on_push([this](const Json& push) { hear(push); });
  }

  void work(std::int64_t limit) {
    for (std::int64_t done = 0; !is_over_ && (limit == 0 || done < limit);) {
      const Json answer = client_.ask("PULL", {{"queue", queue_}, {"credit", 1}, {"wait_ms", 2000}});
      if (!answer.value("ok", false))
        throw core::Fault(core::Exit::kFailed, text_at(answer, "text") + " (" + text_at(answer, "code") + ")");
      if (answer["offers"].empty()) {
        wait(answer);
        continue;
      }
      for (const Json& offer : answer["offers"]) done += serve(offer);
    }
    say(fmt::format("{} outcomes told. Goodbye.", told_));
  }

 private:
  void say(const std::string& line) { std::cout << line << "\n" << std::flush; }
  std::string bold(const std::string& text) const { return is_plain_ ? text : "\x1b[1m" + text + "\x1b[0m"; }

  void wait(const Json& answer) {
    std::string why;
    for (const auto& [name, count] : answer["empty"].items())
      why += fmt::format("{}{} {}", why.empty() ? "" : ", ", count.dump(), name);
    if (why != said_) say("Nothing to do now: " + why + ". Waiting; q ends.");
    said_ = why;
    if (const auto key = keyboard_.pressed(Milliseconds(0)); key && (*key == 'q' || *key == 4)) is_over_ = true;
  }

  void hear(const Json& push) {
    if (text_at(push, "offer_id") != offer_id_) return;
    if (push["push"] == "WITHDRAW") {
      is_withdrawn_ = true;
      say(bold("STOP: the offer does not hold any more (" + text_at(push, "reason") + "). Press any key."));
    } else if (push["push"] == "LEASE_ENDS") {
      say(bold(fmt::format("The offer is yours for {} s more; e extends.", push.value("left_ms", 0) / 1000)));
    }
  }

  void show(const Json& offer) {
    if (!is_plain_) std::cout << "\x1b[2J\x1b[H";
    const Json& customer = offer["customer"];
    const Json& action = offer["action"];
    const Json& known = offer["snapshot"];
    say(bold(text_at(action, "type_ru")) + "  " + text_at(action, "type") +
        fmt::format("   [{}; priority {}]", text_at(offer, "queue"), text_at(offer, "priority")));
    say(fmt::format("  {}   {}   {}   {}", bold(text_at(customer, "name")), bold(text_at(customer, "phone")),
                    text_at(customer, "city"), text_at(customer, "key")));
    say(fmt::format("  {} since {}, {}; activity: {}; days past due: {}", text_at(known, "tier"),
                    date_of(known, "tier_since_us"), text_at(known, "combined_segment"),
                    text_at(known, "churn_state").empty() ? "none" : text_at(known, "churn_state"),
                    text_at(known, "dpd")));
    say(fmt::format("  expected {}   valid until {}", money(offer, "expected_revenue_minor"),
                    date_of(offer, "expires_us")));
    if (const auto script = offer.find("script"); script != offer.end()) {
      say("");
      for (const char* language : {"ru", "en"})
        if (!text_at(*script, language).empty()) say("  " + text_at(*script, language));
    }
    for (const auto& reason : offer.value("reasons", Json::array()))
      say("  why: " + (text_at(reason, "en").empty() ? text_at(reason, "code") : text_at(reason, "en")));
    for (const auto& point : offer.value("talking_points", Json::array()))
      say("  say: " + (text_at(point, "en").empty() ? text_at(point, "code") : text_at(point, "en")));
    say("");
    std::string line = " ";
    for (const Key& one : kOutcomes) {
      const std::string item = fmt::format(" {} {}", one.key, one.says);
      if (line.size() + item.size() > 76) {
        say(line);
        line = " ";
      }
      line += item + "  ";
    }
    say(line);
    say("  s call back in an hour  S for anyone  e more time  r give back  f something broke  B bury  q give back and "
        "end");
  }

  // True when the offer has got its outcome.
  bool serve(const Json& offer) {
    offer_id_ = text_at(offer, "offer_id");
    epoch_ = offer.value("epoch", std::int64_t{0});
    is_withdrawn_ = false;
    said_.clear();
    show(offer);
    for (;;) {
      const auto key = keyboard_.pressed(kLook);
      client_.listen(Milliseconds(0));
      if (is_withdrawn_ && key) return false;
      if (!key) continue;
      if (*key == 4 || *key == 'q') is_over_ = true;
      if (const auto answered = press(*key)) return *answered;
    }
  }

  // Nothing while the offer stays on the desk.
  std::optional<bool> press(char key) {
    const auto outcome =
        std::find_if(std::begin(kOutcomes), std::end(kOutcomes), [key](const Key& one) { return one.key == key; });
    if (outcome != std::end(kOutcomes)) {
      if (tell("DISPOSE", {{"code", outcome->code}}, outcome->says)) ++told_;
      return true;
    }
    const std::int64_t soon_us = static_cast<std::int64_t>(std::time(nullptr)) * core::kSecond + core::kHour;
    switch (key) {
      case 's':
      case 'S':
        tell("SNOOZE", {{"at_us", soon_us}, {"for", key == 's' ? "me" : "anyone"}}, "to be called back in an hour");
        return false;
      case 'e':
        tell("EXTEND", {{"ms", 60'000}}, "a minute more");
        return std::nullopt;
      case 'r':
      case 'q':
      case 4:
        tell("RELEASE", {{"reason", "given back at the desk"}}, "given back");
        return false;
      case 'f':
        tell("FAIL", {{"reason", "the desk could not work it"}}, "given back, as something broke");
        return false;
      case 'B':
        tell("BURY", {{"reason", "buried at the desk"}}, "buried");
        return false;
      default:
        return std::nullopt;
    }
  }

  bool tell(const char* verb, Json words, const std::string& says) {
    words["offer_id"] = offer_id_;
    words["epoch"] = epoch_;
    const Json answer = client_.ask(verb, words);
    const bool is_done = answer.value("ok", false);
    say(is_done ? "→ " + says : "→ not taken: " + text_at(answer, "code"));
    return is_done;
  }

  DeskClient& client_;
  Keyboard keyboard_;
  std::string queue_, offer_id_, said_;
  std::int64_t epoch_ = 0, told_ = 0;
  bool is_plain_, is_over_ = false, is_withdrawn_ = false;
};

}  // namespace

void register_work(CLI::App& app, Context& context) {
  struct Options {
    std::string queue, client;
    std::int64_t limit = 0;
  };
  auto* command = app.add_subcommand("work", "A desk in this terminal: take offers of a queue, tell what came of them");
  auto options = std::make_shared<Options>();
  command->add_option("queue", options->queue, "Such as marketing")->required();
  command->add_option("--as", options->client, "The desk's name (default: your user name)");
  command->add_option("--limit", options->limit, "End after so many outcomes")->check(CLI::PositiveNumber);
  command->footer("Example:\n  tellerctl work marketing --as anna");
  command->callback([&context, options] {
    const char* user = std::getenv("USER");
    const std::string name = !options->client.empty() ? options->client : user ? user : "desk";
    DeskClient client(context.endpoint("queue"), name, kPatience, context.where());
    Desk desk(client, options->queue, isatty(STDOUT_FILENO) != 1);
    const Json held = client.hello();
    if (!held.value("ok", false))
      throw core::Fault(core::Exit::kFailed, "the daemon does not take this desk: " + text_at(held, "code"));
    desk.work(options->limit);
  });
}

}  // namespace tellerd::tellerctl

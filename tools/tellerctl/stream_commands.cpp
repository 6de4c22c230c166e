// send, tail, watch: events in from standard input, records as they are written, the feed of offers.
#include <poll.h>
#include <sodium.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/fault.h"
#include "core/limits.h"
#include "tellerctl/client/feed.h"
#include "tellerctl/client/ingest_client.h"
#include "tellerctl/client/query_client.h"
#include "tellerctl/commands.h"
#include "tellerctl/context.h"
#include "tellerctl/marts/live_records.h"
#include "wire/codec.h"
#include "wire/json.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;

constexpr Milliseconds kPatience{5000};
constexpr Milliseconds kPollPause{100};

void print_line(const std::string& line) {
  std::cout << line << "\n" << std::flush;
  if (!std::cout) throw core::Fault(core::Exit::kFailed, "nobody reads standard output any more");
}

// A stream of events typed or piped in: handed over whenever the input pauses.
class Sender {
 public:
  Sender(const IngestOptions& options, const core::Calendar& calendar, const std::string& system)
      : client_(options, [this](const wire::Verdict& verdict) { tell(verdict); }), reader_(calendar, system) {
    client_.hello();
  }

  void run() {
    std::array<char, 1 << 16> chunk{};
    for (;;) {
      const ssize_t size = ::read(STDIN_FILENO, chunk.data(), chunk.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      pending_.append(chunk.data(), static_cast<std::size_t>(size));
      take_lines();
      if (!has_more_input()) client_.flush();
    }
    if (!pending_.empty()) take_line(pending_);
    client_.flush();
    std::cout << lines_ << " events, " << refused_ << " refused\n";
  }

 private:
  static bool has_more_input() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&input, 1, 0) == 1;
  }
  void take_lines() {
    std::size_t begin = 0;
    for (std::size_t end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
      take_line(std::string_view(pending_).substr(begin, end - begin));
      begin = end + 1;
    }
    pending_.erase(0, begin);
  }
  void take_line(std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    ++lines_;
    const auto made = reader_.read(line);
    const auto* refusal = std::get_if<wire::Refusal>(&made);
    const std::string_view bytes = refusal ? std::string_view() : encoder_.encode(*std::get<const wire::Event*>(made));
    if (!refusal && bytes.size() <= core::limits::kEventBytesMax) return client_.add(bytes);
    ++refused_;
    if (refusal)
      print_line("event " + std::to_string(lines_) + " was not sent: " + std::string(wire::name_of(refusal->code)) +
                 " " + refusal->field + " " + refusal->words);
    else
      print_line("event " + std::to_string(lines_) + " was not sent: it is over 64 KiB");
  }
  void tell(const wire::Verdict& verdict) {
    ++refused_;
    print_line("sent event " + std::to_string(verdict.seq) +
               " was refused: " + std::string(wire::name_of(verdict.code)) + " " + verdict.field);
  }

  IngestClient client_;
  wire::EventReader reader_;
  wire::Encoder encoder_;
  std::string pending_;
  std::uint64_t lines_ = 0, refused_ = 0;
};

std::uint64_t random_number() {
  std::uint64_t number = 0;
  randombytes_buf(&number, sizeof number);
  return number | 1;
}

void add_send(CLI::App& app, Context& context) {
  struct Options {
    std::string system = "main";
    double retry_s = 5;
  };
  auto* command =
      app.add_subcommand("send", "Hand in events as JSON lines from standard input; what is refused is printed");
  auto options = std::make_shared<Options>();
  command->add_option("--system", options->system, "Whose customer keys these are")->capture_default_str();
  command->add_option("--retry", options->retry_s, "Seconds to wait for a daemon that is away")
      ->check(CLI::NonNegativeNumber);
  command->footer(
      "Example:\n  echo "
      "'{\"kind\":\"login\",\"id\":\"l1\",\"customer\":\"C1\",\"occurred_at\":\"2026-11-20T10:00:00Z\","
      "\"success\":true}' | tellerctl send");
  command->callback([&context, options] {
    const Milliseconds patience(static_cast<std::int64_t>(options->retry_s * 1000));
    QueryClient query(context.endpoint("query"), patience, context.where());
    const json status = query.ask_ok("Status", json::object()).value("status", json::object());
    const core::Calendar calendar(status.value("timezone", "UTC"));
    const std::uint64_t incarnation = random_number();
    IngestOptions ingest;
    ingest.endpoint = context.endpoint("ingest");
    ingest.producer = "send:" + std::to_string(incarnation);
    ingest.incarnation = incarnation;
    ingest.patience = patience;
    ingest.where = context.where();
    Sender(ingest, calendar, options->system).run();
  });
}

void add_tail(CLI::App& app, Context& context) {
  struct Options {
    std::vector<std::string> filters;
    std::int64_t from = 0, limit = 0;
  };
  auto* command = app.add_subcommand("tail", "Records as they are written, as JSON lines");
  auto options = std::make_shared<Options>();
  command->add_option("--filter", options->filters, "Only records with this value, such as kind=sms; may be repeated")
      ->check([](const std::string& text) { return text.find('=') == std::string::npos ? "must be NAME=VALUE" : ""; });
  command->add_option("--from", options->from, "Begin at this seq (default: what comes from now on)")
      ->check(CLI::PositiveNumber);
  command->add_option("--limit", options->limit, "End after so many lines")->check(CLI::PositiveNumber);
  command->footer("Examples:\n  tellerctl tail --filter kind=transaction\n  tellerctl tail --from 1 --limit 10");
  command->callback([&context, options] {
    const auto bronze = context.data / "bronze";
    if (!std::filesystem::is_directory(bronze))
      throw core::Fault(core::Exit::kFailed, context.data.string() + " is no data directory of tellerd");
    LiveRecords records(bronze, options->from - 1);
    std::int64_t printed = 0;
    for (;;) {
      const auto& lines = records.next();
      if (lines.empty()) std::this_thread::sleep_for(kPollPause);
      for (const std::string& line : lines) {
        const auto passes = [&line](const std::string& filter) { return matches_filter(line, filter); };
        if (!std::all_of(options->filters.begin(), options->filters.end(), passes)) continue;
        print_line(line);
        if (++printed == options->limit) return;
      }
    }
  });
}

void add_watch(CLI::App& app, Context& context) {
  struct Options {
    std::string queue;
    std::uint64_t from = 0;
    std::int64_t limit = 0;
  };
  auto* command = app.add_subcommand("watch", "The feed of offers of a queue, as JSON lines without gaps");
  auto options = std::make_shared<Options>();
  command->add_option("queue", options->queue, "Such as marketing")->required();
  command->add_option("--from", options->from, "Begin at this place of the topic (default: from now on)")
      ->check(CLI::PositiveNumber);
  command->add_option("--limit", options->limit, "End after so many lines")->check(CLI::PositiveNumber);
  command->footer("Example:\n  tellerctl watch marketing --from 1");
  command->callback([&context, options] {
    QueryClient query(context.endpoint("query"), kPatience, context.where());
    Feed feed(context.endpoint("feed"), "offer." + options->queue, query, options->from);
    feed.await_topic();  // listening already
    std::string message;
    for (std::int64_t printed = 0; options->limit == 0 || printed < options->limit;) {
      if (!feed.next(message, kPollPause)) continue;
      print_line(message);
      ++printed;
    }
  });
}

}  // namespace

void register_streams(CLI::App& app, Context& context) {
  add_send(app, context);
  add_tail(app, context);
  add_watch(app, context);
}

}  // namespace tellerd::tellerctl

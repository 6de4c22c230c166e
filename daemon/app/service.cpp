#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>  // before Asio 1.74: it forgets to
#include <zmq.hpp>

#include "app/access_verbs.h"
#include "app/api.h"
#include "app/deriver.h"
#include "app/query.h"
#include "app/recorder.h"
#include "app/service_parts.h"
#include "app/status.h"
#include "app/store_check.h"
#include "app/trainer.h"
#include "bronze/hand_over.h"
#include "core/fault.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/thread_share.h"
#include "decide/pack.h"
#include "deliver/desks.h"
#include "deliver/feed.h"
#include "deliver/json_rows.h"
#include "ops/access.h"
#include "ops/server.h"

namespace tellerd::app {
namespace {

namespace limits = core::limits;
constexpr auto kHeartbeat = std::chrono::seconds(1);
constexpr int kBeatsMissedMax = 9;
constexpr int kDrainTurns = 200;  // a second for what desks have asked
constexpr int kNicenessOfChecks = 10;

}  // namespace

DirectoryLock::DirectoryLock(const std::filesystem::path& data) {
  std::filesystem::create_directories(data);
  const std::string file = (data / "lock").string();
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor_ < 0)
    throw core::Fault(core::Exit::kDisk, fmt::format("{}: cannot be opened: {}", file, strerror(errno)));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(descriptor_, F_OFD_SETLK, &whole) != 0)
    throw core::Fault(core::Exit::kLocked,
                      fmt::format("{} is in use by another tellerd: stop that one first", data.string()));
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

// A record is written only where what is to be used differs from what was last recorded.
void Service::Parts::record_settings() {
  if (recorded_zone != config.timezone) {
    recorder->submit(wire::Kind::kConfigRecorded, nlohmann::json{{"zone", config.timezone}}.dump(), config.timezone);
    recorded_zone = config.timezone;
  }
  const auto files = decide::read_pack_files(config.pack);
  const auto pack = decide::parse_pack(files);
  if (recorded_pack != pack.hash) {
    // The first one of all decides at once.
    const auto kind = recorded_pack.empty() ? wire::Kind::kPackActivated : wire::Kind::kPackComing;
    recorder->submit(kind, decide::serialise_pack(files), pack.hash);
    recorded_pack = pack.hash;
  }
}

// Names by number, read from the log when a new number turns up.
std::string Service::Parts::producer_name(std::int32_t id) {
  const std::lock_guard held(producers_mutex);
  const auto at = static_cast<std::size_t>(id);
  if (at >= producer_names.size()) {
    bronze::LogReader log(config.data / "bronze");
    for (const auto& producer : log.producers()) {
      producer_names.resize(std::max(producer_names.size(), static_cast<std::size_t>(producer.id) + 1));
      producer_names[static_cast<std::size_t>(producer.id)] = producer.name;
    }
  }
  return at < producer_names.size() ? producer_names[at] : std::string();
}

void Service::Parts::end(std::exception_ptr why) {
  {
    const std::lock_guard held(fault_mutex);
    if (why && !fault) fault = why;
  }
  if (is_stopping.exchange(true)) return;
  boost::asio::post(io, [this] { io.stop(); });
}

void Service::Parts::guard(const char* room, const std::function<void()>& work) {
  pthread_setname_np(pthread_self(), room);
  try {
    work();
  } catch (const core::Fault& trouble) {
    core::log(core::Level::kError, room, trouble.what());
    end(std::current_exception());
  } catch (const std::exception& trouble) {
    core::log(core::Level::kError, room, trouble.what());
    end(std::current_exception());
  }
}

void Service::Parts::deliver() {
  while (is_delivering) {
    delivery_beats.fetch_add(1);
    zmq::pollitem_t items[] = {{query->handle(), 0, ZMQ_POLLIN, 0},
                               {feed->handle(), 0, ZMQ_POLLIN, 0},
                               {nullptr, feed->wake_descriptor(), ZMQ_POLLIN, 0}};
    zmq::poll(items, 3, std::chrono::milliseconds(query->patience_ms()));
    query->pump();
    feed->pump();
  }
}

// Apart from the questions, which may read teller.db for seconds: a lease does not wait for them.
void Service::Parts::lend() {
  while (is_delivering) {
    desk_beats.fetch_add(1);
    zmq::pollitem_t items[] = {{desks->handle(), 0, ZMQ_POLLIN, 0}, {nullptr, desks->wake_descriptor(), ZMQ_POLLIN, 0}};
    zmq::poll(items, 2, std::chrono::milliseconds(desks->patience_ms()));
    desks->pump();
  }
}

core::Instant Service::Parts::policy_us() {
  if (recorder->clock().mode() == ingest::ClockMode::kWall) return world.wall_us() - recorder->clock().skew_us();
  const auto counters = present.counters();
  return counters ? counters->now_us.load() : 0;
}

void Service::Parts::open_desks() {
  deliver::Desks::Log log;
  log.submit = [this](wire::Kind kind, std::string payload, std::function<void(bronze::Seq)> done) {
    recorder->submit(kind, std::move(payload), {}, std::move(done));
  };
  log.applied_seq = [this] {
    const auto counters = present.counters();
    return counters ? counters->applied_seq.load() : 0;
  };
  log.committed_seq = [this] { return hand_over.committed_seq(); };
  log.book = [this] { return present.queues(); };
  log.wall_us = [this] { return world.wall_us() - recorder->clock().skew_us(); };
  log.replay = [this](const deliver::Desks::Replay& replay, std::function<void(std::string)> done) {
    query->replay(replay, std::move(done));
  };
  log.policy_us = [this] { return policy_us(); };
  desks = std::make_unique<deliver::Desks>(context, config.queue_endpoint, std::move(log));
}

void Service::Parts::serve_page() {
  if (config.http_port == 0) return;
  ops::Sources sources;
  sources.status_json = [this] { return status->json(); };
  sources.metrics_text = [this] { return status->metrics(); };
  sources.is_ready = [this] { return is_accepting.load(); };
  sources.is_healthy = [this] { return is_alive.load(); };
  sources.who = [this](const ops::Request& request) { return access->who(request); };
  sources.record = [this](const ops::Principal& who, const ops::Reading& reading, std::string_view result) {
    access->record(who, reading, result);
  };
  LiveQueues live;
  live.book = [this] { return present.queues(); };
  live.policy_us = [this] { return policy_us(); };
  for (auto& group : {access->resources(), mart_resources(readers, *answers), customer_resources(readers, histories),
                      sum_resources(readers, *answers), data_resources(readers, config, *recorder),
                      policy_resources(readers), choice_resources(readers, *answers, live)})
    sources.resources.insert(sources.resources.end(), group.begin(), group.end());
  ops::ServerConfig server;
  server.host = config.http_host;
  server.port = config.http_port;
  server.host_names = config.http_host_names;
  server.allow = config.http_allow;
  server.certificate = config.http_certificate;
  server.is_behind_tls = config.is_behind_tls;
  const char* scheme = server.certificate.empty() ? "http" : "https";
  try {
    page = std::make_unique<ops::Server>(server, sources);
  } catch (const core::Fault& taken) {
    if (config.is_http_port_chosen) throw;
    server.port = 0;
    page = std::make_unique<ops::Server>(server, sources);
  }
  std::ofstream(config.data / "run" / "http.port") << page->port() << "\n";
  core::log(core::Level::kNotice, "ops",
            fmt::format("the pages are at {}://{}:{}/", scheme, config.http_host, page->port()));
  if (const std::string token = access->setup_token(); !token.empty())
    core::log(
        core::Level::kNotice, "ops",
        fmt::format(
            "nobody can sign in yet: open {}://{}:{}/#setup with the token {}, good once, or use tellerctl user add",
            scheme, config.http_host, page->port(), token));
}

Service::Service(const Config& config) : parts_(std::make_unique<Parts>(config)) {
  auto& parts = *parts_;
  std::filesystem::create_directories(config.data / "run");
  ::chmod(config.data.c_str(), 0700);
  RecorderConfig recorder;
  recorder.bronze = config.data / "bronze";
  recorder.endpoints = {config.ingest_endpoint};
  recorder.clock = config.clock;
  recorder.log.zone = config.timezone;
  recorder.lag_records_max = config.lag_records_max;
  recorder.disk_free_bytes_stop = config.disk_free_bytes_stop;
  parts.was_clean = take_clean_mark(config.data);
  core::Calendar(config.timezone);  // an unknown zone is said before anything is opened
  parts.recorder = std::make_unique<Recorder>(parts.context, recorder, parts.world, parts.hand_over);
  parts.feed = std::make_unique<deliver::Feed>(parts.context, std::vector<std::string>{config.feed_endpoint});
  Status::Rooms rooms;
  rooms.recorder = parts.recorder.get();
  rooms.engine = [&parts] { return parts.present.counters(); };
  rooms.hand_over = &parts.hand_over;
  rooms.is_ready = [&parts] { return parts.is_accepting.load(); };
  rooms.is_alive = [&parts] { return parts.is_alive.load(); };
  rooms.is_stopping = [&parts] { return parts.is_stopping.load(); };
  rooms.subscribers = [&parts] { return parts.feed->subscribers(); };
  rooms.leases_expired = [&parts] {
    return parts.desks ? static_cast<std::int64_t>(parts.desks->counters().leases_ended.load()) : 0;
  };
  rooms.queues = [&parts] { return parts.present.queues(); };
  parts.status = std::make_unique<Status>(parts.config, rooms);
  parts.recorder->counters().on_fsync = [&parts](double seconds) { parts.status->fsync_seconds.observe(seconds); };
  parts.recorder->counters().on_commit = [&parts](double seconds) { parts.status->commit_seconds.observe(seconds); };
  parts.recorder->counters().on_ack = [&parts](double seconds) { parts.status->ack_seconds.observe(seconds); };
  Query::Answers answers;
  answers.status = [&parts] { return parts.status->json(); };
  answers.applied_seq = [&parts] {
    const auto counters = parts.present.counters();
    return counters ? counters->applied_seq.load() : 0;
  };
  answers.coming_percent = [&parts] {
    const auto counters = parts.present.counters();
    return counters ? counters->coming_percent.load() : 0;
  };
  answers.flushed_seq = [&parts] {
    const auto counters = parts.present.counters();
    return counters ? counters->flushed_seq.load() : 0;
  };
  answers.want_flushed = [&parts](bronze::Seq seq) { parts.hand_over.want_flushed(seq); };
  parts.answers = std::make_unique<app::Answers>(
      [&parts] {
        const auto counters = parts.present.counters();
        if (!counters) return std::int64_t{-1};
        // Both only grow: whoever has seen one of them grow sees another sum.
        return counters->flushed_seq.load() + static_cast<std::int64_t>(counters->flushes.load());
      },
      std::chrono::milliseconds(0));
  parts.open_desks();
  parts.trainer = std::make_unique<Trainer>(
      config.data / "teller.db",
      // Where time is that of the facts, history is being told: nothing is trained in the middle of it unasked.
      std::chrono::seconds(config.clock == ingest::ClockMode::kWall ? config.look_seconds : 0),
      Trainer::Hooks{[&parts](wire::Kind kind, std::string payload, std::function<void(bronze::Seq)> done) {
                       parts.recorder->submit(kind, std::move(payload), {}, std::move(done));
                     },
                     [&parts](const std::filesystem::path& into, std::function<void(std::string)> done) {
                       parts.copy_store(into, std::move(done));
                     }});
  answers.train = [&parts] { return parts.trainer->want(); };
  answers.training = [&parts] { return parts.trainer->state(); };
  parts.access = std::make_unique<ops::Access>(ops::Access::Options{
      config.data, config.is_behind_tls || !config.http_certificate.empty(),
      std::chrono::seconds(config.session_idle_seconds), std::chrono::seconds(config.session_seconds)});
  answers.access = [&parts](const std::string& verb, const deliver::Json& ask) {
    return answer_access(*parts.access, verb, ask);
  };
  parts.questions = std::make_unique<CustomerQuestions>(
      parts.readers, parts.histories.tiers,
      [&parts](std::string_view who, const ops::Reading& reading, std::string_view result) {
        parts.access->record(who, "query socket", reading, result);
      });
  answers.about_customer = [&parts](const std::string& who, const std::string& verb, const deliver::Json& ask) {
    return parts.questions->answer(who, verb, ask);
  };
  parts.query = std::make_unique<Query>(parts.context, parts.config, *parts.recorder, answers);
  parts.recorded_zone = parts.recorder->log().setting(wire::Kind::kConfigRecorded);
  parts.recorded_pack = parts.recorder->log().setting(wire::Kind::kPackComing);
  if (parts.recorded_pack.empty()) parts.recorded_pack = parts.recorder->log().setting(wire::Kind::kPackActivated);
  parts.record_settings();
}

Service::~Service() = default;

int Service::run() {
  auto& parts = *parts_;
  prctl(PR_SET_DUMPABLE, 0);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  boost::asio::signal_set ends(parts.io, SIGTERM, SIGINT), reloads(parts.io, SIGHUP);
  ends.async_wait([&parts](const boost::system::error_code& error, int) {
    if (!error) parts.end(nullptr);
  });
  std::function<void(const boost::system::error_code&, int)> on_reload = [&](const boost::system::error_code& error,
                                                                             int) {
    if (error) return;
    try {
      parts.record_settings();
      core::log(core::Level::kNotice, "app", "reloaded the policy pack");
    } catch (const std::exception& wrong) {
      core::log(core::Level::kError, "app", fmt::format("not reloaded, the old rules stay: {}", wrong.what()));
    }
    reloads.async_wait(on_reload);
  };
  reloads.async_wait(on_reload);

  std::thread recording([&parts] { parts.guard("ingest", [&parts] { parts.recorder->run(); }); });
  std::thread deriving([&parts] {
    core::take_middling_turns();
    parts.guard("engine", [&parts] { parts.derive(); });
  });
  std::thread delivering([&parts] { parts.guard("deliver", [&parts] { parts.deliver(); }); });
  std::thread lending([&parts] { parts.guard("desks", [&parts] { parts.lend(); }); });
  std::thread checking([&parts] {
    core::take_long_turns(kNicenessOfChecks);
    parts.guard("check", [&parts] { parts.check_after_crash(); });
  });
  std::thread training([&parts] { parts.guard("trainer", [&parts] { parts.trainer->run(); }); });
  parts.guard("tellerd", [&parts] { parts.serve_page(); });
  parts.is_accepting = true;
  sd_notify(0, "READY=1\nSTATUS=taking events");
  core::log(core::Level::kNotice, "app",
            fmt::format("tellerd {} is ready on {}", TELLERD_VERSION, parts.config.data.string()));

  // The watchdog is answered only while every worker moves.
  boost::asio::steady_timer heart(parts.io);
  std::array<std::uint64_t, 4> seen{};
  int missed = 0;
  std::function<void(const boost::system::error_code&)> on_beat = [&](const boost::system::error_code& error) {
    if (error) return;
    std::uint64_t derive_beats = seen[1] + 1;
    parts.present.with_deriver([&](const Deriver& deriver) { derive_beats = deriver.beats() + parts.work_beats; });
    const std::array<std::uint64_t, 4> now{parts.recorder->beats(), derive_beats, parts.delivery_beats.load(),
                                           parts.desk_beats.load()};
    const bool all_moved = now[0] != seen[0] && now[1] != seen[1] && now[2] != seen[2] && now[3] != seen[3];
    missed = all_moved ? 0 : missed + 1;
    seen = now;
    parts.is_alive = missed < kBeatsMissedMax;
    if (missed < kBeatsMissedMax) sd_notify(0, "WATCHDOG=1");
    try {
      parts.access->fold_readings();
    } catch (const core::Fault& fault) {  // rows are written down all the same, or nothing is shown
      core::log(core::Level::kError, "audit", fmt::format("not folded, tried again later: {}", fault.what()));
    }
    heart.expires_after(kHeartbeat);
    heart.async_wait(on_beat);
  };
  heart.expires_after(kHeartbeat);
  heart.async_wait(on_beat);
  parts.io.run();

  // Drain in the order the data goes: what was accepted is derived and flushed before the sockets close.
  sd_notify(0, "STOPPING=1");
  for (int turn = 0; turn < kDrainTurns && !parts.desks->drain() && !parts.has_fault(); ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  parts.is_accepting = false;
  parts.is_stopping = true;
  parts.trainer->stop();
  training.join();
  parts.recorder->stop();
  recording.join();
  parts.present.with_deriver([](Deriver& deriver) { deriver.stop(); });
  deriving.join();
  checking.join();
  parts.is_delivering = false;
  delivering.join();
  lending.join();
  parts.readers.interrupt();
  parts.page.reset();
  parts.answers.reset();
  if (parts.fault) std::rethrow_exception(parts.fault);
  leave_clean_mark(parts.config.data);
  core::log(core::Level::kNotice, "app", "stopped in good order: everything accepted is on disk");
  return 0;
}

}  // namespace tellerd::app

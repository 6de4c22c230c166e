#include "ops/server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "core/assert.h"
#include "core/fault.h"
#include "core/log.h"
#include "ops/gate.h"
#include "ops/routes.h"
#include "ops/tls.h"
#include "ops/waiting_room.h"

namespace tellerd::ops {

struct Server::Running {
  Running(const ServerConfig& config, Sources given);
  ~Running();

  int answer(mg_connection* connection);
  int answer_error(mg_connection* connection, int status);
  Answer guarded(const Request& request, std::string_view body);
  int stream(mg_connection* connection, const Request& request);
  bool wait_a_second();
  bool may_stream();
  void log_refusal(int status);

  Sources sources;
  const std::string address;
  const bool has_tls;  // ours or a proxy's
  int port = 0;        // the one that was bound
  std::vector<std::string> host_names;
  int streams_max;
  int streams = 0;
  bool is_stopping = false;
  std::mutex mutex;  // of streams, is_stopping and refusal_limit
  std::condition_variable stopping;
  core::RateLimit refusal_limit;
  WaitingRoom waiting;
  mg_context* context = nullptr;
};

namespace {

constexpr int kWorkersFree = 4;  // that never wait for a client

// 0 before the head of a request is there.
int port_of_peer(const mg_connection* connection) {
  const auto* info = mg_get_request_info(connection);
  return info ? info->remote_port : 0;
}
WaitingRoom& room_of(const mg_connection* connection);

// "localhost" could resolve to anything, the listener takes a number. Beyond the machine nothing is served in the
// clear.
std::string address_of(const ServerConfig& config) {
  const std::string& host = config.host;
  if (host == "localhost") return "127.0.0.1";
  in_addr parsed{};
  const bool is_number = inet_pton(AF_INET, host.c_str(), &parsed) == 1;
  if (host.starts_with("127.") || (is_number && !config.certificate.empty())) return host;
  throw core::Fault(
      core::Exit::kConfig,
      "The page listens on loopback only, not on " + host +
          ": keep 127.0.0.1 and let a reverse proxy with TLS stand before it, or set http.tls_certificate.");
}

void knock(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address == "0.0.0.0" ? "127.0.0.1" : address.c_str(), &to.sin_addr);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  (void)::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to);  // accepted or refused, both are well
  ::close(socket);
}

// request_uri is where the parser put the path, NUL-terminated after decoding in place; the raw path ended right before
// the query or before " HTTP/".
std::size_t raw_path_bytes(const mg_request_info& info) {
  const char* end = info.query_string != nullptr ? info.query_string - 1
                                                 : info.http_version - std::strlen("HTTP/") - std::strlen(" ");
  return static_cast<std::size_t>(end - info.request_uri);
}

Request request_of(const mg_request_info& info) {
  Request request;
  request.method = info.request_method;
  request.path = info.request_uri;
  request.query = info.query_string != nullptr ? info.query_string : "";
  request.raw_path_bytes = raw_path_bytes(info);
  for (int i = 0; i < info.num_headers; ++i) {
    request.headers.emplace_back(info.http_headers[i].name, info.http_headers[i].value);
  }
  return request;
}

// The whole body by its Content-Length, which the gate has bounded. A client that drips is left after kBodyTimeMax, and
// one read of CivetWeb's takes at most its own request_timeout_ms.
bool read_body(mg_connection* connection, const Request& request, std::string& body) {
  constexpr auto kBodyTimeMax = std::chrono::seconds(1);
  const auto length = request.value("Content-Length");
  std::size_t size = 0;
  std::from_chars(length.data(), length.data() + length.size(), size);
  const auto end = std::chrono::steady_clock::now() + kBodyTimeMax;
  body.resize(size);
  for (std::size_t have = 0; have < size;) {
    const int got = mg_read(connection, body.data() + have, size - have);
    if (got <= 0 || std::chrono::steady_clock::now() > end) return false;
    have += static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(mg_connection* connection, std::string_view bytes) {
  return bytes.empty() || mg_write(connection, bytes.data(), bytes.size()) == static_cast<int>(bytes.size());
}

int send(mg_connection* connection, const Answer& answer, bool has_body, bool has_tls) {
  // Without this CivetWeb would go on reading the body for as long as a slow client drips it.
  mg_disable_connection_keep_alive(connection);
  std::string bytes = head_of(answer, http_date(), static_cast<long long>(answer.body.size()), has_tls);
  if (has_body) bytes += answer.body;
  room_of(connection).enter(connection, port_of_peer(connection));  // for room to send; it leaves when it is closed
  write_all(connection, bytes);
  return answer.status;
}

// A document with line feeds becomes one data line each (WHATWG HTML, server-sent events).
std::string event_of(std::string_view document) {
  std::string event = "event: status\n";
  while (!document.empty()) {
    const auto end = std::min(document.find('\n'), document.size());
    event.append("data: ").append(document.substr(0, end)).append("\n");
    document.remove_prefix(std::min(end + 1, document.size()));
  }
  return event.append("\n");
}

std::string_view sentence_of(int status) {
  switch (status) {
    case 400:
      return "The head of the request is malformed, larger than 8 KiB, or came too slowly.";
    case 411:
      return "Content-Length is not a number.";
    case 505:
      return "This server speaks HTTP/1.0 and HTTP/1.1.";
    default:
      return "The request cannot be answered.";
  }
}

}  // namespace

Server::Running::Running(const ServerConfig& config, Sources given)
    : sources(std::move(given)),
      address(address_of(config)),
      has_tls(config.is_behind_tls || !config.certificate.empty()),
      host_names{config.host, "127.0.0.1", "localhost"},
      streams_max(std::max(1, config.threads / 4)),
      waiting(static_cast<std::size_t>(std::max(1, config.threads - streams_max - kWorkersFree))) {
  host_names.insert(host_names.end(), config.host_names.begin(), config.host_names.end());
  const bool is_secure = !config.certificate.empty();
  if (is_secure) check_certificate(config.certificate);
  const std::string listen = address + ":" + std::to_string(config.port) + (is_secure ? "s" : "");
  std::string allow = "-0.0.0.0/0";
  for (std::size_t at = 0; at < config.allow.size();) {
    const std::size_t end = std::min(config.allow.find(',', at), config.allow.size());
    allow += ",+" + config.allow.substr(at, end - at);
    at = end + 1;
  }
  const std::string threads = std::to_string(config.threads);
  // The defaults answer any origin, list directories and keep slow clients for 30 s: every one of these is on purpose.
  // clang-format off
  std::vector<const char*> options = {
      "listening_ports", listen.c_str(),
      "num_threads", threads.c_str(),
      "connection_queue", "32",
      "request_timeout_ms", "3000",
      "keep_alive_timeout_ms", "500",
      "enable_keep_alive", "no",
      "max_request_size", "8192",
      "enable_directory_listing", "no",
      "access_control_allow_origin", "",
      "access_control_allow_methods", "",
      "access_control_allow_headers", "",
      "access_control_list", allow.c_str(),
      "enable_auth_domain_check", "no",
      "decode_url", "yes",
      "linger_timeout_ms", "1000"};
  // clang-format on
  if (is_secure)
    options.insert(options.end(), {"ssl_certificate", config.certificate.c_str(), "ssl_protocol_version", "4"});
  options.push_back(nullptr);
  mg_callbacks callbacks{};
  // begin_request comes before anything CivetWeb would answer by itself (preflight, authorization, upgrade, files).
  callbacks.begin_request = [](mg_connection* connection) {
    return static_cast<Running*>(mg_get_user_context_data(connection))->answer(connection);
  };
  callbacks.http_error = [](mg_connection* connection, int status, const char*) {
    return static_cast<Running*>(mg_get_user_context_data(connection))->answer_error(connection, status);
  };
  callbacks.init_connection = [](const mg_connection* connection, void**) {
    room_of(connection).enter(connection, port_of_peer(connection));
    return 0;
  };
  callbacks.connection_close = [](const mg_connection* connection) {
    room_of(connection).close(connection, port_of_peer(connection));
  };
  callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
  if (is_secure)
    bring_in_tls();
  else
    mg_init_library(0);
  context = mg_start(&callbacks, this, options.data());
  if (context == nullptr) {
    mg_exit_library();
    throw core::Fault(core::Exit::kFailed, "The page cannot listen on " + listen + ": is another program there" +
                                               (is_secure ? ", or the certificate of no use?" : "?"));
  }
  mg_server_port bound[1];
  TELLERD_ASSERT(mg_get_server_ports(context, 1, bound) == 1);
  port = bound[0].port;
  waiting.serve(port);
}

namespace {

WaitingRoom& room_of(const mg_connection* connection) {
  return static_cast<Server::Running*>(mg_get_user_data(mg_get_context(connection)))->waiting;
}

}  // namespace

Server::Running::~Running() {
  {
    const std::lock_guard lock(mutex);
    is_stopping = true;
  }
  stopping.notify_all();
  // CivetWeb's acceptor looks at its stop flag when a connection comes, else every two seconds: knock until it has.
  std::atomic<bool> is_stopped{false};
  std::thread knocking([this, &is_stopped] {
    while (!is_stopped) {
      knock(address, port);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  mg_stop(context);
  is_stopped = true;
  knocking.join();
  mg_exit_library();
}

int Server::Running::answer(mg_connection* connection) {
  waiting.leave(connection, port_of_peer(connection));
  const Request request = request_of(*mg_get_request_info(connection));
  if (const auto refused = refusal(request, host_names)) {
    log_refusal(refused->status);
    return send(connection, *refused, request.method != "HEAD", has_tls);
  }
  if (request.path == kLivePath) return stream(connection, request);
  std::string body;
  const bool has_body = request.method == "POST" && resource_for(request, sources);
  if (has_body) waiting.enter(connection, port_of_peer(connection));
  if (has_body && !read_body(connection, request, body)) {
    return send(connection, problem(408, "The body came too slowly or not whole."), true, has_tls);
  }
  if (has_body) waiting.leave(connection, port_of_peer(connection));
  return send(connection, guarded(request, body), request.method != "HEAD", has_tls);
}

int Server::Running::answer_error(mg_connection* connection, int status) {
  log_refusal(status);
  send(connection, problem(status, sentence_of(status)), true, has_tls);
  return 0;
}

// The boundary of the sources: what they throw ends here.
Answer Server::Running::guarded(const Request& request, std::string_view body) {
  try {
    return answer_of(request, body, sources);
  } catch (const std::exception& fault) {
    core::log(core::Level::kError, "ops", request.path + ": " + fault.what());
    return problem(500, "The answer could not be made; the journal says why.");
  }
}

int Server::Running::stream(mg_connection* connection, const Request& request) {
  if (const auto answer = misuse(request, false)) return send(connection, *answer, true, has_tls);
  Answer head;
  head.content_type = "text/event-stream; charset=utf-8";
  if (request.method == "HEAD") return send(connection, head, false, has_tls);
  if (!may_stream()) {
    Answer answer = problem(503, "As many live streams as this server holds are open; read /api/v1/status instead.");
    answer.retry_after_s = 30;
    return send(connection, answer, true, has_tls);
  }
  mg_disable_connection_keep_alive(connection);
  const Request status{"GET", "/api/v1/status", "", std::strlen("/api/v1/status"), {}};
  bool is_open = write_all(connection, head_of(head, http_date(), -1, has_tls));
  std::string last;
  while (is_open) {
    // Each second says something, so that a client that went away is noticed and one that stays sees life.
    Answer now = guarded(status, {});
    if (now.status != 200) {
      is_open = write_all(connection, ": the status document could not be made\n\n");
    } else {
      is_open = write_all(connection, now.body == last ? "event: beat\ndata: {}\n\n" : event_of(now.body));
      last = std::move(now.body);
    }
    is_open = is_open && wait_a_second();
  }
  const std::lock_guard lock(mutex);
  --streams;
  return head.status;
}

bool Server::Running::may_stream() {
  const std::lock_guard lock(mutex);
  if (is_stopping || streams >= streams_max) return false;
  ++streams;
  return true;
}

bool Server::Running::wait_a_second() {
  std::unique_lock lock(mutex);
  return !stopping.wait_for(lock, std::chrono::seconds(1), [this] { return is_stopping; });
}

void Server::Running::log_refusal(int status) {
  std::uint64_t left_out = 0;
  {
    const std::lock_guard lock(mutex);
    if (!refusal_limit.may_log(left_out)) return;
  }
  core::log(core::Level::kNotice, "ops",
            "refused a request with " + std::to_string(status) + " (" + std::to_string(left_out) + " more not shown)");
}

Server::Server(const ServerConfig& config, Sources sources)
    : running_(std::make_unique<Running>(config, std::move(sources))) {
  port_ = running_->port;
}

Server::~Server() = default;

int Server::port() const { return port_; }

void Server::stop() { running_.reset(); }

}  // namespace tellerd::ops

#include "ops/gate.h"

#include <algorithm>
#include <charconv>

namespace tellerd::ops {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_port(std::string_view host) noexcept {
  const auto colon = host.find(':');
  if (colon == std::string_view::npos) return host;
  const auto port = host.substr(colon + 1);
  return is_digits(port) && port.size() <= 5 ? host.substr(0, colon) : std::string_view{};
}

std::optional<Answer> refused_method(const Request& request) {
  if (request.method == "GET" || request.method == "HEAD" || request.method == "POST") return std::nullopt;
  Answer answer = problem(405, "This server answers GET, HEAD and POST only.");
  answer.allow = "GET, HEAD";
  return answer;
}

// A foreign name that resolves to this machine (DNS rebinding) arrives with that name in Host.
std::optional<Answer> refused_host(const Request& request, const std::vector<std::string>& host_names) {
  const auto hosts = request.values("Host");
  if (hosts.size() > 1) return problem(400, "The request has more than one Host header.");
  const auto name = hosts.empty() ? std::string_view{} : without_port(hosts.front());
  const bool known = std::any_of(host_names.begin(), host_names.end(),
                                 [name](const std::string& allowed) { return same_word(name, allowed); });
  if (known && !name.empty()) return std::nullopt;
  return problem(421, "This server does not answer for the host name in the request.");
}

// Two ways to say where a body ends let two parsers disagree (request smuggling).
std::optional<Answer> refused_body(const Request& request) {
  const auto lengths = request.values("Content-Length");
  const bool has_transfer_encoding = !request.values("Transfer-Encoding").empty();
  if (has_transfer_encoding && !lengths.empty()) {
    return problem(400, "The request has both Content-Length and Transfer-Encoding.");
  }
  if (lengths.size() > 1) return problem(400, "The request has more than one Content-Length.");
  if (has_transfer_encoding) return problem(411, "A body must come with its Content-Length; chunks are not accepted.");
  if (lengths.empty()) return std::nullopt;
  const auto text = lengths.front();
  if (!is_digits(text)) return problem(400, "Content-Length is not a number.");
  long long length = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), length);
  if (parsed.ec != std::errc{} || length > kBodyBytesMax) return problem(413, "The body is larger than 64 KiB.");
  return std::nullopt;
}

std::optional<Answer> refused_path(const Request& request) {
  if (request.path.empty() || request.path.front() != '/') {
    return problem(400, "The address must be a path that starts with a slash.");
  }
  // CivetWeb decodes %00 in place and then sees a shorter C string, so "/healthz%00x" would reach /healthz. No address
  // of ours needs an encoded character: whatever decoding made shorter is refused.
  if (request.path.size() != request.raw_path_bytes) {
    return problem(400, "The path has percent-encoded characters; no address here needs them.");
  }
  return std::nullopt;
}

// A form on a foreign page can POST but can neither set this header nor hide where it comes from.
std::optional<Answer> refused_post(const Request& request) {
  if (request.method != "POST") return std::nullopt;
  if (request.value("X-Tellerd") != "1") return problem(403, "A POST needs the header X-Tellerd: 1.");
  const auto site = request.value("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") {
    return problem(403, "A POST from another site is not accepted.");
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> Request::values(std::string_view name) const {
  std::vector<std::string_view> found;
  for (const auto& [header, header_value] : headers) {
    if (same_word(header, name)) found.emplace_back(header_value);
  }
  return found;
}

std::string_view Request::value(std::string_view name) const {
  const auto found = values(name);
  return found.empty() ? std::string_view{} : found.front();
}

std::optional<Answer> refusal(const Request& request, const std::vector<std::string>& host_names) {
  if (auto answer = refused_method(request)) return answer;
  if (auto answer = refused_host(request, host_names)) return answer;
  if (auto answer = refused_body(request)) return answer;
  if (request.headers.size() > kHeadersMax) return problem(431, "The request has more than 32 headers.");
  if (auto answer = refused_path(request)) return answer;
  return refused_post(request);
}

}  // namespace tellerd::ops

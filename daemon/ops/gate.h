// The handler gate: what every request must satisfy before any page or figure is looked up, in a fixed order.
// Pure: a request as the parser saw it goes in, a refusal (a problem answer) or nothing comes out.
// Source: OWASP ASVS 5.0 (3.5, 4.2.1, 13.4), RFC 9112 (framing), RFC 9110 (421 Misdirected Request).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/answer.h"

namespace tellerd::ops {

inline constexpr std::size_t kHeadersMax = 32;
inline constexpr long long kBodyBytesMax = 64 << 10;

struct Request {
  std::string method;
  std::string path;                // percent-decoded, cut at the first NUL
  std::string query;               // without '?'
  std::size_t raw_path_bytes = 0;  // length before decoding: differs from path.size() when anything was encoded
  std::vector<std::pair<std::string, std::string>> headers;

  std::vector<std::string_view> values(std::string_view name) const;  // of every header with that name, any case
  std::string_view value(std::string_view name) const;                // of the first, or ""
};

// host_names: lower case, without port. The port of a Host header is not compared: behind a forwarding socket it
// differs.
std::optional<Answer> refusal(const Request& request, const std::vector<std::string>& host_names);

}  // namespace tellerd::ops

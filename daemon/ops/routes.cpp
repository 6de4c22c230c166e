#include "ops/routes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "core/checksum.h"
#include "core/embedded.h"
#include "ops/metrics.h"

namespace tellerd::ops {
namespace {

struct Asset {
  std::string_view path, file, content_type;
};
constexpr Asset kAssets[] = {
    {"/", "web/index.html", "text/html; charset=utf-8"},
    {"/app.js", "web/app.js", "text/javascript; charset=utf-8"},
    {"/app.css", "web/app.css", "text/css; charset=utf-8"},
    {"/favicon.svg", "web/favicon.svg", "image/svg+xml; charset=utf-8"},
};
constexpr std::string_view kMartPrefix = "/api/v1/marts/";

Answer text_answer(std::string body, std::string_view content_type) {
  Answer answer;
  answer.content_type = content_type;
  answer.body = std::move(body);
  return answer;
}

// If-None-Match is a list, and a proxy may have weakened the tag.
bool has_tag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    auto one = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
  }
  return false;
}

Answer asset_answer(const Asset& asset, const Request& request) {
  const auto bytes = core::embedded_file(asset.file);
  Answer answer = text_answer({}, asset.content_type);
  answer.etag = '"' + core::hash_hex(bytes) + '"';
  if (has_tag(request.value("If-None-Match"), answer.etag)) {
    answer.status = 304;
  } else {
    answer.body = bytes;
  }
  return answer;
}

Answer probe_answer(bool is_good, std::string_view otherwise) {
  if (is_good) return text_answer("ok\n", "text/plain; charset=utf-8");
  Answer answer = problem(503, otherwise);
  answer.retry_after_s = 1;
  return answer;
}

struct MartQuery {
  int limit = kMartRowsDefault;
  int offset = 0;
  std::string_view format = "json";
};

std::optional<int> number_within(std::string_view text, int low, int high) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  return is_whole && value >= low && value <= high ? std::optional(value) : std::nullopt;
}

// One name=value into the query; false when it is none of ours, out of bounds, or there already.
bool take_parameter(std::string_view part, MartQuery& query, std::map<std::string_view, bool>& taken) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) return false;
  const auto name = part.substr(0, equals);
  const auto value = part.substr(equals + 1);
  if (!taken.emplace(name, true).second) return false;
  if (name == "format") {
    query.format = value;
    return value == "json" || value == "csv";
  }
  const bool is_limit = name == "limit";
  if (!is_limit && name != "offset") return false;
  const auto number = is_limit ? number_within(value, 1, kMartRowsMax) : number_within(value, 0, kMartOffsetMax);
  if (number) (is_limit ? query.limit : query.offset) = *number;
  return number.has_value();
}

std::optional<MartQuery> mart_query(std::string_view text) {
  MartQuery query;
  std::map<std::string_view, bool> taken;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    if (!take_parameter(text.substr(0, end), query, taken)) return std::nullopt;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

Answer mart_answer(const Request& request, const Sources& sources) {
  // The same words for a mart that is not there and one that is not served: the page tells nobody which is which.
  static constexpr std::string_view kNotServed =
      "There is no such mart here. Marts about single customers are not served without a login; use tellerctl export.";
  const auto name = std::string_view(request.path).substr(kMartPrefix.size());
  if (std::find(std::begin(kOpenMarts), std::end(kOpenMarts), name) == std::end(kOpenMarts)) {
    return problem(404, kNotServed);
  }
  const auto query = mart_query(request.query);
  if (!query) {
    return problem(400, "A mart takes limit (1 to 1000), offset (0 to 1000000) and format (json or csv), each once.");
  }
  auto rows = sources.mart(name, query->format, query->limit, query->offset);
  if (!rows) return problem(404, kNotServed);
  return text_answer(std::move(*rows),
                     query->format == "csv" ? "text/csv; charset=utf-8" : "application/json; charset=utf-8");
}

}  // namespace

std::optional<Answer> misuse(const Request& request, bool takes_parameters) {
  if (request.method != "GET" && request.method != "HEAD") {
    Answer answer = problem(405, "This address can only be read.");
    answer.allow = "GET, HEAD";
    return answer;
  }
  if (!takes_parameters && !request.query.empty()) return problem(400, "This address takes no parameters.");
  return std::nullopt;
}

Answer answer_of(const Request& request, const Sources& sources) {
  const std::string_view path = request.path;
  const bool is_mart = path.starts_with(kMartPrefix);
  if (auto answer = misuse(request, is_mart)) return *answer;
  if (is_mart) return mart_answer(request, sources);
  for (const Asset& asset : kAssets) {
    if (path == asset.path) return asset_answer(asset, request);
  }
  if (path == "/api/v1/status") return text_answer(sources.status_json(), "application/json; charset=utf-8");
  if (path == "/metrics") return text_answer(sources.metrics_text(), kMetricsContentType);
  if (path == "/healthz") return probe_answer(sources.is_healthy(), "The daemon is not healthy.");
  if (path == "/readyz") return probe_answer(sources.is_ready(), "The daemon is not ready.");
  return problem(404, "There is nothing at this address.");
}

}  // namespace tellerd::ops

#include "ops/routes.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/checksum.h"
#include "core/embedded.h"
#include "ops/metrics.h"

namespace tellerd::ops {
namespace {

struct Asset {
  std::string path;
  std::string_view file, content_type;
};

std::string_view type_of(std::string_view file) {
  if (file.ends_with(".html")) return "text/html; charset=utf-8";
  if (file.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (file.ends_with(".css")) return "text/css; charset=utf-8";
  if (file.ends_with(".svg")) return "image/svg+xml; charset=utf-8";
  return "application/json; charset=utf-8";
}

// Every file of web/ at its own name, index.html at "/", and the description of the API.
const std::vector<Asset>& assets() {
  static const std::vector<Asset> all = [] {
    constexpr std::string_view kFolder = "web/";
    std::vector<Asset> found{{"/api/v1/openapi.json", "schema/openapi.json", type_of("")}};
    for (const auto& file : core::embedded_files()) {
      if (!file.path.starts_with(kFolder)) continue;
      const auto name = file.path.substr(kFolder.size());
      found.push_back({name == "index.html" ? "/" : "/" + std::string(name), file.path, type_of(file.path)});
    }
    return found;
  }();
  return all;
}

const Asset* asset_at(std::string_view path) {
  const auto found =
      std::find_if(assets().begin(), assets().end(), [path](const Asset& one) { return one.path == path; });
  return found == assets().end() ? nullptr : &*found;
}

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

bool is_at(const Resource& resource, std::string_view path) {
  return resource.path.ends_with('/') ? path.starts_with(resource.path) && path.size() > resource.path.size()
                                      : path == resource.path;
}

// The same words for what is not there and what may not be seen: nobody without a login learns which is which.
Answer refused(const Principal& who, const Request& request, const Sources& sources) {
  if (!who.is_signed_in()) return problem(401, "This address needs somebody who has signed in.");
  if (sources.record) sources.record(who, {"ask", "", request.method + " " + request.path}, "refused");
  return problem(403, "Your role may not see this.");
}

// Written down first, shown then.
Answer resource_answer(const Resource& resource, const Request& request, std::string_view body,
                       const Sources& sources) {
  const Principal who = sources.who ? sources.who(request) : Principal{};
  if (!who.may(resource.roles)) return refused(who, request, sources);
  if (!resource.takes_parameters && !request.query.empty()) return problem(400, "This address takes no parameters.");
  const auto parameters = parameters_of(request.query);
  if (!parameters) return problem(400, "The part after the question mark must be name=value pairs, each name once.");
  const bool is_prefix = resource.path.ends_with('/');
  Reply reply = resource.answer(
      {request, who, is_prefix ? std::string_view(request.path).substr(resource.path.size()) : std::string_view{},
       *parameters, body});
  if (reply.reading)
    sources.record(who, *reply.reading, reply.answer.status == 200 ? "shown" : std::to_string(reply.answer.status));
  if (!reply.answer.etag.empty() && has_tag(request.value("If-None-Match"), reply.answer.etag)) {
    reply.answer.status = 304;
    reply.answer.body.clear();
  }
  return reply.answer;
}

// Whoever reads it in a browser gets the pages, which say so; a program gets the problem.
Answer nothing_there(const Request& request) {
  const bool is_for_programs = request.method == "POST" || request.path.starts_with("/api/");
  if (is_for_programs || request.value("Accept").find("text/html") == std::string_view::npos)
    return problem(404, "There is nothing at this address.");
  const Asset& page = *asset_at("/");
  Answer answer = text_answer(std::string(core::embedded_file(page.file)), page.content_type);
  answer.status = 404;
  return answer;
}

Answer wrong_method(const Request& request, const Sources& sources) {
  for (const Resource& resource : sources.resources) {
    if (!is_at(resource, request.path)) continue;
    Answer answer = problem(405, "This address is not for this method.");
    answer.allow = resource.method == "POST" ? "POST" : "GET, HEAD";
    return answer;
  }
  return nothing_there(request);
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

const Resource* resource_for(const Request& request, const Sources& sources) {
  const std::string_view method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
  const Resource* found = nullptr;  // an exact path before one that only begins alike
  for (const Resource& resource : sources.resources) {
    if (resource.method != method || !is_at(resource, request.path)) continue;
    if (!found || resource.path.size() > found->path.size()) found = &resource;
  }
  return found;
}

Answer answer_of(const Request& request, std::string_view body, const Sources& sources) {
  if (const Resource* resource = resource_for(request, sources))
    return resource_answer(*resource, request, body, sources);
  const std::string_view path = request.path;
  const Asset* asset = asset_at(path);
  const bool is_ours =
      asset || path == "/api/v1/status" || path == "/metrics" || path == "/healthz" || path == "/readyz";
  if (!is_ours) return wrong_method(request, sources);
  if (auto answer = misuse(request, false)) return *answer;
  if (asset) return asset_answer(*asset, request);
  if (path == "/api/v1/status") return text_answer(sources.status_json(), "application/json; charset=utf-8");
  if (path == "/metrics") return text_answer(sources.metrics_text(), kMetricsContentType);
  if (path == "/healthz") return probe_answer(sources.is_healthy(), "The daemon is not healthy.");
  return probe_answer(sources.is_ready(), "The daemon is not ready.");
}

}  // namespace tellerd::ops

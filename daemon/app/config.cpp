#include "app/config.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "core/fault.h"

namespace tellerd::app {
namespace {

[[noreturn]] void wrong(const std::filesystem::path& file, const toml::node& node, const std::string& what) {
  throw core::Fault(core::Exit::kConfig, fmt::format("{} line {}: {}", file.string(), node.source().begin.line, what));
}

using Take = std::function<void(const toml::node&)>;

std::string endpoint_of(std::string text, const std::filesystem::path& data) {
  const auto at = text.find("DATA");
  if (at != std::string::npos) text.replace(at, 4, data.string());
  return text;
}

}  // namespace

Config read_config(const std::filesystem::path& data, const std::filesystem::path& file) {
  Config config;
  config.data = data;
  auto socket = [&](const char* name) { return "ipc://" + (data / "run" / name).string(); };
  config.ingest_endpoint = socket("ingest.sock");
  config.query_endpoint = socket("query.sock");
  config.feed_endpoint = socket("feed.sock");
  config.queue_endpoint = socket("queue.sock");
  if (file.empty()) return config;

  std::int64_t http_port = config.http_port, stop_mb = config.disk_free_bytes_stop >> 20, weeks = config.bronze_weeks;
  auto text = [&](std::string& to) -> Take {
    return [&](const toml::node& node) {
      if (!node.is_string()) wrong(file, node, "expected a text in quotes");
      to = **node.as_string();
    };
  };
  auto texts = [&](std::vector<std::string>& to) -> Take {
    return [&](const toml::node& node) {
      to.clear();
      if (!node.is_array()) wrong(file, node, "expected a list of texts in quotes");
      for (const toml::node& one : *node.as_array()) {
        if (!one.is_string()) wrong(file, one, "expected a text in quotes");
        to.push_back(**one.as_string());
      }
    };
  };
  auto yes_or_no = [&](bool& to) -> Take {
    return [&](const toml::node& node) {
      if (!node.is_boolean()) wrong(file, node, "expected true or false");
      to = **node.as_boolean();
    };
  };
  auto number = [&](std::int64_t& to, std::int64_t low, std::int64_t high) -> Take {
    return [&to, low, high, &file](const toml::node& node) {
      if (!node.is_integer()) wrong(file, node, "expected a whole number");
      to = **node.as_integer();
      if (to < low || to > high) wrong(file, node, fmt::format("{} is out of range: {} to {}", to, low, high));
    };
  };
  const std::map<std::string, std::map<std::string, Take>> known = {
      {"branch", {{"name", text(config.branch_name)}, {"timezone", text(config.timezone)}}},
      {"ingest", {{"endpoint", text(config.ingest_endpoint)}}},
      {"feed", {{"endpoint", text(config.feed_endpoint)}}},
      {"queue", {{"endpoint", text(config.queue_endpoint)}}},
      {"query", {{"endpoint", text(config.query_endpoint)}}},
      {"http",
       {{"port", number(http_port, 0, 65535)},
        {"host", text(config.http_host)},
        {"host_names", texts(config.http_host_names)},
        {"allow", text(config.http_allow)},
        {"tls_certificate", text(config.http_certificate)},
        {"behind_tls", yes_or_no(config.is_behind_tls)},
        {"session_idle_seconds", number(config.session_idle_seconds, 1, 86'400)},
        {"session_seconds", number(config.session_seconds, 1, 604'800)}}},
      {"retention", {{"bronze_weeks", number(weeks, 1, 520)}}},
      {"limits",
       {{"lag_records_max", number(config.lag_records_max, 1000, 1'000'000'000)},
        {"disk_free_mb_stop", number(stop_mb, 0, 1'000'000)}}},
      {"model", {{"look_seconds", number(config.look_seconds, 0, 86'400)}}},
      {"policy", {{"pack", text(config.pack)}}}};

  std::ifstream in(file);
  if (!in) throw core::Fault(core::Exit::kConfig, fmt::format("{}: cannot be read", file.string()));
  std::stringstream bytes;
  bytes << in.rdbuf();
  const std::string content = bytes.str(), name = file.string();
  toml::table table;
  try {
    table = toml::parse(std::string_view(content), std::string_view(name));
  } catch (const toml::parse_error& error) {
    throw core::Fault(core::Exit::kConfig,
                      fmt::format("{} line {}: {}", name, error.source().begin.line, error.description()));
  }
  for (const auto& [section, node] : table) {
    const auto of = known.find(std::string(section.str()));
    if (of == known.end() || !node.is_table())
      wrong(file, node, fmt::format("[{}] is not a section of this file", section.str()));
    for (const auto& [key, value] : *node.as_table()) {
      const auto take = of->second.find(std::string(key.str()));
      if (take == of->second.end())
        wrong(file, value, fmt::format("{} is not a setting of [{}]", key.str(), section.str()));
      take->second(value);
      if (section.str() == "http" && key.str() == "port") config.is_http_port_chosen = true;
    }
  }
  config.http_port = static_cast<int>(http_port);
  config.bronze_weeks = static_cast<int>(weeks);
  config.disk_free_bytes_stop = stop_mb << 20;
  for (auto* endpoint :
       {&config.ingest_endpoint, &config.query_endpoint, &config.feed_endpoint, &config.queue_endpoint})
    *endpoint = endpoint_of(*endpoint, data);
  return config;
}

}  // namespace tellerd::app

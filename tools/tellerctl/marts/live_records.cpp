#include "tellerctl/marts/live_records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "store/database.h"
#include "wire/json.h"

namespace tellerd::tellerctl {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kRecordsAtOnce = 512;

bronze::Seq last_seq(const std::filesystem::path& folder) {
  const auto files = bronze::log_files(folder);
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    auto database = store::Database::open_reader(*file);
    if (const auto seq = database.integer("SELECT coalesce(max(seq),0) FROM record")) return seq;
  }
  return 0;
}

}  // namespace

LiveRecords::LiveRecords(const std::filesystem::path& bronze, bronze::Seq after)
    : reader_(bronze), after_(after < 0 ? last_seq(bronze) : after) {
  after_ = std::max(after_, reader_.first_seq() - 1);  // older weeks have been dropped
}

const std::vector<std::string>& LiveRecords::next() {
  lines_.clear();
  if (!reader_.read_after(after_, kRecordsAtOnce, group_)) return lines_;
  for (const bronze::Record& record : group_.records) lines_.push_back(line_of(record));
  after_ = group_.records.back().seq;
  return lines_;
}

std::string LiveRecords::producer_name(std::int32_t id) {
  if (id == 0) return "tellerd";
  if (producers_.find(id) == producers_.end())
    for (const auto& producer : reader_.producers()) producers_[producer.id] = producer.name;
  return producers_[id];
}

std::string LiveRecords::line_of(const bronze::Record& record) {
  ordered_json head{{"seq", record.seq},
                    {"now_us", record.now_us},
                    {"received_us", record.received_us},
                    {"producer", producer_name(record.producer)},
                    {"producer_seq", record.producer_seq}};
  if (record.kind == wire::Kind::kRefused) head["refused"] = true;
  const bool is_event = record.kind < wire::Kind::kTick || record.kind == wire::Kind::kRefused;
  std::string body;
  if (is_event && wire::verify_event(record.payload)) {
    wire::append_json(decoder_.decode(record.payload), body);
  } else {
    const json payload = json::parse(record.payload, nullptr, false);
    ordered_json rest{{"kind", std::string(wire::name_of(record.kind))}};
    if (!payload.is_discarded()) rest["payload"] = payload;
    body = rest.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  std::string line = head.dump(-1, ' ', false, json::error_handler_t::replace);
  line.back() = ',';
  return line.append(body, 1);
}

bool matches_filter(const std::string& line, std::string_view filter) {
  const std::size_t equals = filter.find('=');
  if (equals == std::string_view::npos) return false;
  const json object = json::parse(line, nullptr, false);
  const auto member = object.find(std::string(filter.substr(0, equals)));
  if (member == object.end()) return false;
  const std::string_view wanted = filter.substr(equals + 1);
  return member->is_string() ? member->get_ref<const std::string&>() == wanted : member->dump() == wanted;
}

}  // namespace tellerd::tellerctl

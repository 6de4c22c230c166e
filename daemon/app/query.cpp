#include "app/query.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <zmq_addon.hpp>

#include "app/choice_answer.h"
#include "app/customer_questions.h"
#include "app/repair.h"
#include "app/replayed.h"
#include "core/fault.h"
#include "decide/pack.h"
#include "deliver/json_rows.h"
#include "ingest/sockets.h"
#include "model/churn_model.h"
#include "store/database.h"

namespace tellerd::app {
namespace {

using deliver::Json;

constexpr bronze::Seq kRecordsNear = 8'192;  // some milliseconds of deriving
constexpr int kFramesAPump = 64;             // questions, so that those of the desks and a stop have their turn

std::int64_t steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Json refusal(const char* code, const std::string& text) { return {{"ok", false}, {"code", code}, {"text", text}}; }

store::Database reader(const Config& config) {
  auto database = store::Database::open_reader(config.data / "teller.db");
  database.limit_read_time(2 * core::kSecond);
  return database;
}

Json training(const Trainer::State& state) {
  static constexpr std::array<const char*, 5> kStages = {"idle", "running", "trained", "refused", "failed"};
  return {{"ok", true},         {"number", state.number}, {"stage", kStages[static_cast<std::size_t>(state.stage)]},
          {"text", state.text}, {"model", state.model},   {"commit_seq", state.seq}};
}

Json packs(store::Database& reader, int percent) {
  const auto rows = [&reader](const char* sql) {
    store::Statement all(reader, sql);
    return deliver::json_rows(all);
  };
  const Json active = rows("SELECT pack_seq AS seq, pack_name AS name, pack_hash AS hash FROM cursor").at(0);
  Json coming = rows("SELECT seq, name, hash FROM policy_coming");
  if (!coming.empty()) coming[0]["percent"] = percent;
  return {{"ok", true}, {"active", active}, {"coming", coming.empty() ? Json() : coming[0]}};
}

// A recorded model by the beginning of its id ("none" turns scoring off), or one that is brought along, sealed, and
// recorded first. Null when `id` can be activated.
Json model_to_activate(const Config& config, Recorder& recorder, const Json& ask, std::string& id) {
  if (ask.contains("sealed")) {
    const std::string sealed = ask["sealed"];
    id = model::ChurnModel(sealed).id();
    recorder.submit(wire::Kind::kModelTrained, "0\n" + sealed);
    return {};
  }
  const std::string wanted = ask.value("model", "");
  if (wanted == "none") return {};
  auto database = reader(config);
  store::Statement find(
      database,
      "SELECT DISTINCT id FROM churn_model WHERE state='recorded' AND substr(id,1,length(?1))=?1 AND length(?1)>0");
  const Json found = deliver::json_rows(find.bind(1, std::string_view(wanted)));
  if (found.size() != 1)
    return refusal("NOT_FOUND",
                   fmt::format("{} recorded models have an id that begins with \"{}\": see tellerctl model list",
                               found.size(), wanted));
  id = found[0]["id"];
  return {};
}

}  // namespace

Query::Query(zmq::context_t& context, const Config& config, Recorder& recorder, Answers answers)
    : config_(config),
      recorder_(recorder),
      answers_(std::move(answers)),
      socket_(ingest::bound_router(context, {config.query_endpoint})) {}

void Query::send(const std::string& peer, const std::string& frame) {
  try {
    if (socket_.send(zmq::buffer(peer), zmq::send_flags::sndmore | zmq::send_flags::dontwait))
      static_cast<void>(socket_.send(zmq::buffer(frame), zmq::send_flags::dontwait));
  } catch (const zmq::error_t& gone) {
    if (gone.num() != EHOSTUNREACH && gone.num() != EAGAIN) throw;
  }
}

void Query::pump() {
  std::vector<zmq::message_t> parts;
  for (int count = 0;
       count < kFramesAPump && zmq::recv_multipart(socket_, std::back_inserter(parts), zmq::recv_flags::dontwait);
       ++count) {
    if (parts.size() == 2) take(parts[0].to_string(), parts[1]);
    parts.clear();
  }
  answer_replay();
  const std::int64_t now_us = steady_us();
  std::erase_if(submitted_, [&](const Submitted& one) {
    const bronze::Seq seq = one.seq->load();
    if (seq == 0) return false;
    Json answer = one.answer;
    answer.update({{"ok", true}, {"commit_seq", seq}});
    send(one.peer, deliver::dump(answer));
    return true;
  });
  std::erase_if(waits_, [&](const Wait& wait) {
    const bronze::Seq have = wait.is_flushed_wanted ? answers_.flushed_seq() : answers_.applied_seq();
    const bool is_there = have >= wait.seq;
    if (!is_there && now_us < wait.until_us) return false;
    Json answer{{"id", Json::parse(wait.id)}, {"ok", is_there}};
    if (!is_there) answer.update(refusal("TIMEOUT", fmt::format("derived up to {} of {}: ask again", have, wait.seq)));
    send(wait.peer, answer.dump());
    return true;
  });
}

void Query::replay(const deliver::Desks::Replay& replay, std::function<void(std::string)> done) {
  const std::lock_guard held(replays_mutex_);
  replays_.emplace_back(replay, std::move(done));
}

// A record that much is before is looked for seldom: looking takes a processor from who derives it.
int Query::patience_ms() const {
  constexpr int kNear = 1, kFar = 20, kNothing = 200;
  {
    const std::lock_guard held(replays_mutex_);
    if (!submitted_.empty() || !replays_.empty()) return kNear;
  }
  if (waits_.empty()) return kNothing;
  const bronze::Seq applied = answers_.applied_seq();
  const bool is_near =
      std::any_of(waits_.begin(), waits_.end(), [&](const Wait& wait) { return wait.seq - applied <= kRecordsNear; });
  return is_near ? kNear : kFar;
}

// One a turn: each may read for a while, and others ask, too.
void Query::answer_replay() {
  std::pair<deliver::Desks::Replay, std::function<void(std::string)>> asked;
  {
    const std::lock_guard held(replays_mutex_);
    if (replays_.empty()) return;
    asked = std::move(replays_.front());
    replays_.pop_front();
  }
  const std::string text = deliver::dump(replayed(config_, asked.first));
  asked.second(text.substr(1, text.size() - 2));
}

void Query::take(const std::string& peer, zmq::message_t& frame) {
  const Json ask = Json::parse(frame.to_string_view(), nullptr, false);
  if (!ask.is_object() || !ask.contains("id") || !ask.contains("verb") || !ask["verb"].is_string())
    return send(peer, refusal("BAD_REQUEST", "expected {\"id\": …, \"verb\": …}").dump());
  const std::string verb = ask["verb"];
  Json answer;
  try {
    if (verb == "Wait") {
      const bronze::Seq seq = ask.value("commit_seq", std::int64_t{0});
      const bool is_flushed_wanted = ask.value("stage", "readable") != "applied";
      waits_.push_back({peer, ask["id"].dump(), seq, is_flushed_wanted,
                        steady_us() + ask.value("timeout_ms", std::int64_t{1500}) * 1000});
      if (is_flushed_wanted) answers_.want_flushed(seq);
      return;
    }
    if (verb == "Status")
      answer = {{"ok", true}, {"status", Json::parse(answers_.status())}};
    else if (CustomerQuestions::knows(verb)) {
      zmq_msg_t* message = frame.handle();
      answer = answers_.about_customer(
          asker_of(zmq_msg_gets(message, "User-Id"), zmq_msg_gets(message, "Peer-Address")), verb, ask);
    } else if (verb == "WhyEmpty") {
      auto database = reader(config_);
      answer = why_empty(database, ask.value("queue", "marketing"));
    } else if (verb == "Replay") {
      answer = replayed(config_, {ask.value("topic", ""), ask.value("from_seq", std::int64_t{1}),
                                  ask.value("limit", std::int64_t{1000}), ask.value("from_us", std::int64_t{0})});
    } else if (verb == "ClockAccept") {
      recorder_.clock().accept();
      answer = {{"ok", true}};
    } else if (verb == "Policy") {
      auto database = reader(config_);
      answer = packs(database, answers_.coming_percent());
    } else if (verb == "ActivatePack") {
      decide::PackFiles files;
      for (const auto& [name, text] : ask.at("files").items()) files[name] = text.get<std::string>();
      const auto pack = decide::parse_pack(files);
      // No hash is noted with it: a restart keeps it.
      return submit(peer, wire::Kind::kPackComing, decide::serialise_pack(files),
                    {{"id", ask["id"]}, {"name", pack.name}, {"hash", pack.hash}});
    } else if (verb == "Train") {
      answer = {{"ok", true}, {"number", answers_.train()}};
    } else if (verb == "Training") {
      answer = training(answers_.training());
    } else if (verb == "ActivateModel") {
      std::string id;
      answer = model_to_activate(config_, recorder_, ask, id);
      if (answer.is_null()) return submit(peer, wire::Kind::kModelActivated, id, {{"id", ask["id"]}, {"model", id}});
    } else if (verb.starts_with("User")) {
      answer = answers_.access(verb, ask);
    } else if (verb == "Repair") {
      std::string record;
      answer = repair(config_, ask, record);
      if (answer.is_null()) return submit(peer, wire::Kind::kRepair, std::move(record), {{"id", ask["id"]}});
    } else {
      answer = refusal("UNKNOWN_VERB", fmt::format("{} is not a verb of this endpoint", verb));
    }
  } catch (const core::Fault& fault) {
    answer = refusal("FAILED", fault.what());
  } catch (const nlohmann::json::exception& error) {
    answer = refusal("BAD_REQUEST", error.what());
  } catch (const std::exception& error) {  // no question ends the daemon
    answer = refusal("FAILED", error.what());
  }
  answer["id"] = ask["id"];
  send(peer, deliver::dump(answer));
}

// The answer goes when the record is on disk.
void Query::submit(const std::string& peer, wire::Kind kind, std::string payload,
                   const nlohmann::ordered_json& answer) {
  auto seq = std::make_shared<std::atomic<bronze::Seq>>(0);
  submitted_.push_back({peer, answer, seq});
  recorder_.submit(kind, std::move(payload), {}, [seq](bronze::Seq written) { seq->store(written); });
}

}  // namespace tellerd::app

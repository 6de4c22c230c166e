// The query endpoint: one JSON question a frame, one JSON answer (schema/README.md). Wait answers when its seq is
// there. Threads: pump() is the delivery thread's.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "app/config.h"
#include "app/recorder.h"
#include "app/trainer.h"
#include "deliver/desks.h"
#include "deliver/json_rows.h"

namespace tellerd::app {

class Query {
 public:
  struct Answers {
    std::function<std::string()> status;
    std::function<bronze::Seq()> applied_seq, flushed_seq;
    std::function<void(bronze::Seq)> want_flushed;
    std::function<int()> coming_percent;  // of a pack that is to decide
    std::function<std::int64_t()> train;  // begins a training: its number
    std::function<Trainer::State()> training;
    std::function<deliver::Json(const std::string& verb, const deliver::Json& ask)>
        access;  // verbs that begin with "User"
    std::function<deliver::Json(const std::string& who, const std::string& verb, const deliver::Json& ask)>
        about_customer;  // what CustomerQuestions knows
  };
  Query(zmq::context_t& context, const Config& config, Recorder& recorder, Answers answers);
  void pump();  // takes questions, answers what can be answered
  void* handle() { return socket_.handle(); }
  int patience_ms() const;  // until the next pump() at the latest
  // For the desks, from their thread: `done` is called in this one's, with members of a JSON object.
  void replay(const deliver::Desks::Replay& replay, std::function<void(std::string)> done);

 private:
  struct Wait {
    std::string peer, id;
    bronze::Seq seq;
    bool is_flushed_wanted;
    std::int64_t until_us;
  };
  struct Submitted {  // a record that is on its way to disk
    std::string peer;
    nlohmann::ordered_json answer;
    std::shared_ptr<std::atomic<bronze::Seq>> seq;
  };
  void answer_replay();
  void take(const std::string& peer, zmq::message_t& frame);
  void submit(const std::string& peer, wire::Kind kind, std::string payload, const nlohmann::ordered_json& answer);
  void send(const std::string& peer, const std::string& frame);

  const Config& config_;
  Recorder& recorder_;
  Answers answers_;
  zmq::socket_t socket_;
  std::vector<Wait> waits_;
  std::vector<Submitted> submitted_;
  mutable std::mutex replays_mutex_;
  std::deque<std::pair<deliver::Desks::Replay, std::function<void(std::string)>>> replays_;
};

}  // namespace tellerd::app

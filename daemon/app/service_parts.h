// What the daemon is made of, for service.cpp and service_derive.cpp alone. Threads: the main thread's, but for what is
// atomic or has a mutex beside it.
#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>  // before Asio 1.74: it forgets to
#include <vector>
#include <zmq.hpp>

#include "app/api.h"
#include "app/customer_questions.h"
#include "app/deriver.h"
#include "app/query.h"
#include "app/readers.h"
#include "app/recorder.h"
#include "app/service.h"
#include "app/status.h"
#include "app/trainer.h"
#include "bronze/hand_over.h"
#include "core/limits.h"
#include "deliver/desks.h"
#include "deliver/feed.h"
#include "ops/access.h"
#include "ops/server.h"

namespace tellerd::app {

// Only the process that holds DATA/lock writes (open file description lock: it goes with the process).
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& data);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;

 private:
  int descriptor_ = -1;
};

// What other threads see of the engine that runs; nothing while none does. What was taken of it outlives it.
class Present {
 public:
  class Shown {  // as long as this lives
   public:
    Shown(Present& present, const Engine& engine, Deriver& deriver) : present_(present) {
      present_.show(engine.counters(), engine.queues(), &deriver);
    }
    ~Shown() { present_.show(nullptr, nullptr, nullptr); }
    Shown(const Shown&) = delete;

   private:
    Present& present_;
  };
  std::shared_ptr<const EngineCounters> counters() const {
    const std::lock_guard held(mutex_);
    return counters_;
  }
  std::shared_ptr<deliver::QueueBook> queues() const {
    const std::lock_guard held(mutex_);
    return queues_;
  }
  // Calls `use` with the deriver, which stays as long; false when there is none.
  bool with_deriver(const std::function<void(Deriver&)>& use) const {
    const std::lock_guard held(mutex_);
    if (deriver_) use(*deriver_);
    return deriver_ != nullptr;
  }

 private:
  void show(std::shared_ptr<const EngineCounters> counters, std::shared_ptr<deliver::QueueBook> queues,
            Deriver* deriver) {
    const std::lock_guard held(mutex_);
    counters_ = std::move(counters);
    queues_ = std::move(queues);
    deriver_ = deriver;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<const EngineCounters> counters_;
  std::shared_ptr<deliver::QueueBook> queues_;
  Deriver* deriver_ = nullptr;
};

struct Service::Parts {
  explicit Parts(const Config& given)
      : config(given),
        lock(given.data),
        context(1),
        hand_over(core::limits::kHandOverBytesMax),
        readers(given.data / "teller.db") {}

  Config config;
  DirectoryLock lock;
  zmq::context_t context;
  ingest::WorldClock world;
  bronze::HandOver hand_over;
  Readers readers;
  HistoriesByCustomer histories;
  std::unique_ptr<Recorder> recorder;
  std::unique_ptr<Status> status;
  std::unique_ptr<ops::Access> access;
  std::unique_ptr<Answers> answers;
  std::unique_ptr<deliver::Feed> feed;
  std::unique_ptr<Trainer> trainer;
  std::unique_ptr<CustomerQuestions> questions;
  std::unique_ptr<Query> query;
  std::unique_ptr<deliver::Desks> desks;
  std::unique_ptr<ops::Server> page;

  boost::asio::io_context io;
  std::mutex producers_mutex;
  std::vector<std::string> producer_names{""};
  Present present;
  std::atomic<bool> is_accepting{false}, is_delivering{true}, is_alive{true}, is_stopping{false};
  std::atomic<std::uint64_t> delivery_beats{0}, desk_beats{0}, work_beats{0};
  std::chrono::steady_clock::time_point next_housekeeping{};
  std::mutex fault_mutex;
  std::exception_ptr fault;

  bool was_clean = true;
  std::string recorded_zone, recorded_pack;  // the main thread's; the log's own belong to the recorder
  void record_settings();
  std::string producer_name(std::int32_t id);
  void set_aside_other_version(const EngineOptions& options);
  void keep_house(Engine& folded);
  void derive();
  void derive_on();
  core::Instant policy_us();  // the time contacts are judged by
  void open_desks();
  void copy_store(const std::filesystem::path& into, std::function<void(std::string trouble)> done);
  void check_after_crash();
  void deliver();
  void lend();
  bool has_fault() {
    const std::lock_guard held(fault_mutex);
    return fault != nullptr;
  }
  void guard(const char* room, const std::function<void()>& work);
  void serve_page();
  void end(std::exception_ptr why);
};

}  // namespace tellerd::app

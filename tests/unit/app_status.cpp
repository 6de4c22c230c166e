// The status while the store cannot be read: what the rooms count is told all the same.
#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <zmq.hpp>

#include "app/status.h"
#include "support/scratch_folder.h"

using namespace tellerd;

TEST_CASE("the status answers, and so do the metrics, when nothing in the store could be summed yet") {
  const tests::ScratchFolder folder;
  app::Config config;
  config.data = folder.path();
  zmq::context_t context(1);
  ingest::WorldClock world;
  bronze::HandOver hand_over(1 << 20);
  app::RecorderConfig recording;
  recording.bronze = folder.path() / "bronze";
  recording.endpoints = {"ipc://" + (folder.path() / "ingest.sock").string()};
  const app::Recorder recorder(context, recording, world, hand_over);
  auto counters = std::make_shared<app::EngineCounters>();
  counters->coming_percent.store(40);
  app::Status::Rooms rooms;
  rooms.recorder = &recorder;
  rooms.engine = [&] { return counters; };  // is there, but its store is not, or takes too long
  rooms.hand_over = &hand_over;
  rooms.is_ready = rooms.is_alive = [] { return true; };
  rooms.is_stopping = [] { return false; };
  rooms.subscribers = [] { return 0; };
  rooms.leases_expired = [] { return std::int64_t{0}; };
  app::Status status(config, rooms);
  const auto told = nlohmann::json::parse(status.json());
  CHECK(told["state"] == "running");
  CHECK(told["policy"].empty());
  CHECK(status.metrics().find("tellerd_customers ") != std::string::npos);
}

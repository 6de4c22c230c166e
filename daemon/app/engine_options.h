// What an engine is given: where its store is, and who is told what while it works.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "bronze/record.h"
#include "wire/facts.h"

namespace tellerd::app {

struct EngineOptions {
  std::filesystem::path database;
  bronze::Seq log_end = 0;        // the newest record, when known: room is made for what is to be applied up to it
  bool is_scratch = false;        // verify, rebuild, plan: nothing has to survive a power cut
  std::function<void()> on_work;  // called now and then inside a long turn or snapshot
  std::function<void()> on_behind = {};  // tests: called from the other thread before it writes
  std::size_t kept_rows_max = SIZE_MAX;  // tests: facts found without a statement
  // Called for each fact that is refused, or waits for a rate, in the engine's thread.
  std::function<void(bronze::Seq seq, wire::Kind kind, std::string_view reason, std::string_view field)> on_verdict;
  // Name of a producer by its number in the log; used for quarantine and to know a load.
  std::function<std::string(std::int32_t)> producer_name;
};

}  // namespace tellerd::app

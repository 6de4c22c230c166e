// The measurements of `tellerctl bench`. Each returns what it found; progress goes to standard error.
// Errors: core::Fault(kFailed). Every process and folder of a measurement is gone when it returns or throws.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "tellerctl/bench/report.h"

namespace tellerd::tellerctl::bench {

struct Options {
  std::filesystem::path where;                          // scratch folders are made here
  std::string policy;                                   // "" leaves the daemon its own
  std::int64_t customers = 0, events = 0, history = 0;  // 0: the measurement's own
  int rounds = 0;
  std::string skew, ids;  // "": uniform, skewed and uuid are a line each
  bool is_quick = false;
  std::string dataset;                // of churn and offers: one of them, or all
  std::filesystem::path dataset_dir;  // holds a folder of each
};

Section measure_ingest(const Options& options);
Section measure_versus(const Options& options);
Section measure_latency(const Options& options);
Section measure_restart(const Options& options);
Section measure_memory(const Options& options);
Section measure_churn(const Options& options);
Section measure_queue(const Options& options);
Section measure_choose(const Options& options);
Section measure_api(const Options& options);
Section measure_quarter(const Options& options);
Section measure_offers(const Options& options);

// One line of progress on standard error.
void say(const std::string& sentence);

}  // namespace tellerd::tellerctl::bench

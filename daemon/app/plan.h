// What another pack would have done: the last days of the log derived twice in scratch files, as it was and with the
// new pack in force from the first of those days on, and the two compared. Outcomes belong to the offers that were
// made, so what the new pack would have earned is estimated off policy, with intervals clustered by customer. Threads:
// the caller's; the live files are only read.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/rebuild.h"
#include "decide/pack_files.h"
#include "model/off_policy.h"

namespace tellerd::app {

struct PlanSide {
  std::int64_t contacts = 0, customers = 0;  // offers made in those days, and for how many
  double expected_minor = 0;                 // of those offers: P times worth, or their expected revenue
  std::map<std::pair<std::string, std::string>, std::int64_t> standing;  // (action, segment) at the end
};

struct PlanMove {
  std::string action, segment;
  std::int64_t was = 0, would_be = 0, gained = 0, lost = 0;  // customers for whom it stands at the end
};

struct Plan {
  bronze::Seq from = 0, through = 0;
  std::int64_t from_us = 0, to_us = 0, moved_customers = 0;
  PlanSide now, planned;
  std::vector<PlanMove> moves;  // of those that differ, the largest first
  std::size_t labelled = 0;     // logged choices whose outcome is known
  model::OffPolicy off_policy;  // value an offer under the new pack's rule
  model::Estimate logged;       // as it was
};

// `scratch` is an empty folder. Fault(kFailed) when the log does not reach back so far.
Plan plan(const std::filesystem::path& data, const std::filesystem::path& scratch, const decide::PackFiles& files,
          int days, const Progress& progress);

}  // namespace tellerd::app

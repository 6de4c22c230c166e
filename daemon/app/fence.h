// Fences: verified snapshots of teller.db with their cursor, DATA/fence/<seq>.db. One is taken before a bronze week
// goes, so that what is derived can still be derived again from what is left of the log (design.md 1, Verify). Threads:
// the engine's; finding one is for anyone.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>

#include "app/engine.h"

namespace tellerd::app {

struct Fence {
  Seq seq = 0;
  std::filesystem::path file;
};

// Oldest fence from which the log goes on without a gap; nothing when there is none.
std::optional<Fence> oldest_fence(const std::filesystem::path& data, Seq log_first_seq);
// Flushes, snapshots, checks and syncs; a fence of the same seq is left as it is.
Fence take_fence(Engine& engine, const std::filesystem::path& data);

// What stands was derived by other rules: a fence of it, and the older ones go, for nobody can derive on from them any
// more.
Fence take_only_fence(Engine& engine, const std::filesystem::path& data);

// Drops bronze weeks beyond `weeks_kept`, oldest first, once they are derived and a fence stands behind them; fences
// that no longer reach the log go too. Returns how many weeks were dropped.
int drop_old_weeks(Engine& engine, const std::filesystem::path& data, int weeks_kept);

}  // namespace tellerd::app

#include "app/readers.h"

#include <sys/stat.h>

#include <exception>
#include <string_view>

#include "core/fault.h"

namespace tellerd::app {
namespace {

constexpr std::size_t kIdleMax = 4;

}  // namespace

// The file may have been made anew since: a connection to the old one would show what no longer is.
Readers::Turn Readers::take(std::int64_t patience_us) {
  struct stat now {};
  const ino_t file = ::stat(file_.c_str(), &now) == 0 ? now.st_ino : 0;
  std::unique_ptr<store::Database> database;
  {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty() && !database) {
      if (idle_.back().file == file) database = std::move(idle_.back().database);
      idle_.pop_back();
    }
  }
  if (!database) {
    database = std::make_unique<store::Database>(store::Database::open_reader(file_));
    database->keep_statements();
  }
  database->limit_read_time(patience_us);
  {
    const std::lock_guard lock(mutex_);
    busy_.insert(database.get());
  }
  return Turn(*this, std::move(database), file);
}

Readers::Turn::~Turn() {
  if (!database_) return;
  const std::lock_guard lock(readers_->mutex_);
  readers_->busy_.erase(database_.get());
  if (std::uncaught_exceptions() > 0) return;  // after a fault nothing is known about it
  if (readers_->idle_.size() < kIdleMax) readers_->idle_.push_back({std::move(database_), file_});
}

void Readers::interrupt() {
  const std::lock_guard lock(mutex_);
  for (store::Database* database : busy_) database->interrupt();
}

bool is_interrupted(const std::exception& fault) {
  return std::string_view(fault.what()).find("interrupted (9)") != std::string_view::npos;
}

}  // namespace tellerd::app

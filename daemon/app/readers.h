// Read-only connections to teller.db for the API, kept open between questions: opening one reads the whole schema.
// A question is given two seconds, or what is named; past them its statement is interrupted, which is a core::Fault.
// Nobody keeps a read transaction open: a statement is run to its end or reset before the connection goes back.
// Threads: any; a Turn belongs to one.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "core/time.h"
#include "store/database.h"

namespace tellerd::app {

inline constexpr std::int64_t kQuestionUs = 2 * core::kSecond;
inline constexpr std::int64_t kSumUs = 20 * core::kSecond;  // for sums, which are kept and which nobody waits out

class Readers {
 public:
  class Turn {
   public:
    Turn(Readers& readers, std::unique_ptr<store::Database> database, ino_t file)
        : readers_(&readers), database_(std::move(database)), file_(file) {}
    ~Turn();
    Turn(Turn&&) = default;
    store::Database& operator*() const noexcept { return *database_; }
    ino_t file() const noexcept { return file_; }  // tells one store from another

   private:
    Readers* readers_;
    std::unique_ptr<store::Database> database_;
    ino_t file_;
  };

  explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}
  Turn take(std::int64_t patience_us = kQuestionUs);
  void interrupt();  // whatever is asked now

 private:
  struct Idle {
    std::unique_ptr<store::Database> database;
    ino_t file;
  };
  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<Idle> idle_;
  std::set<store::Database*> busy_;
};

bool is_interrupted(const std::exception& fault);  // it took longer than a question may

}  // namespace tellerd::app

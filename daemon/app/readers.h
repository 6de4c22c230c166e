// Read-only connections to teller.db for the API, kept open between questions: opening one reads the whole schema.
// A question is given two seconds; past them its statement is interrupted, which is a core::Fault. Nobody keeps a read
// transaction open: a statement is run to its end or reset before the connection goes back.
// Threads: any; a Turn belongs to one.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "store/database.h"

namespace tellerd::app {

class Readers {
 public:
  class Turn {
   public:
    Turn(Readers& readers, std::unique_ptr<store::Database> database, ino_t file)
        : readers_(&readers), database_(std::move(database)), file_(file) {}
    ~Turn();
    Turn(Turn&&) = default;
    store::Database& operator*() const noexcept { return *database_; }

   private:
    Readers* readers_;
    std::unique_ptr<store::Database> database_;
    ino_t file_;
  };

  explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}
  Turn take();

 private:
  struct Idle {
    std::unique_ptr<store::Database> database;
    ino_t file;
  };
  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<Idle> idle_;
};

bool is_interrupted(const std::exception& fault);  // it took longer than a question may

}  // namespace tellerd::app

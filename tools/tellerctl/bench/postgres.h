// A PostgreSQL cluster of the benchmark's own, and the same facts kept in it: unique keys, newest version wins, derived
// columns per customer, one durable transaction a batch. Not the machine's own server: another folder, no port.
// Errors: core::Fault(kFailed), also when PostgreSQL 15 is not installed. Threads: the main one.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tellerctl/bench/child.h"
#include "tellerctl/bench/traffic.h"

namespace tellerd::tellerctl::bench {

class Postgres {
 public:
  explicit Postgres(const std::filesystem::path& folder);
  ~Postgres();
  Child& child() noexcept { return server_; }

  // Facts as COPY text, one row a key (the newest of its batch), made before the clock starts.
  static std::string copy_rows(Traffic& traffic, std::int64_t first, std::int64_t count);
  void preload(Traffic& traffic, std::int64_t customers, std::int64_t history);
  void take_batch(const std::string& rows);  // durable and derived when it returns
  std::int64_t facts();

 private:
  struct Connection;
  void execute(const std::string& sql);
  void copy(const std::string& table, const std::string& rows);

  std::filesystem::path folder_;
  Child server_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tellerd::tellerctl::bench

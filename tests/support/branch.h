// A branch in a test's words: tell it facts at a moment, ask its tables. Time of arrival is the wall clock's.
#pragma once
#include <string>
#include <string_view>

#include "support/fold.h"
#include "support/scratch_folder.h"

namespace tellerd::tests {

class Branch {
 public:
  explicit Branch(std::string_view pack, ingest::ClockMode clock = ingest::ClockMode::kWall)
      : Branch(decide::read_pack_files(pack), clock) {}
  explicit Branch(const decide::PackFiles& pack, ingest::ClockMode clock = ingest::ClockMode::kWall)
      : log_(clock), fold_(log_, folder_ / "teller.db") {
    log_.pack(pack);
  }

  Branch& at(core::Instant now_us) {
    log_.arrive_at(now_us);
    return *this;
  }
  core::Instant now() const { return log_.received_us(); }
  // A fact of the customer, by default happening now; ids are made up.
  bronze::Seq tell(std::string_view customer, wire::Body body, core::Instant occurred_us = 0, std::string_view id = {},
                   std::uint64_t version = 0) {
    wire::Event event;
    const std::string made = "E" + std::to_string(++ids_);
    event.id = id.empty() ? std::string_view(made) : id;
    event.customer = customer;
    event.occurred_us = occurred_us ? occurred_us : now();
    event.version = version;
    event.body = std::move(body);
    return log_.event(event);
  }
  void pay(std::string_view customer, std::int64_t amount_minor, core::Instant occurred_us = 0) {
    tell(customer, wire::Transaction{amount_minor, "RUB", "debit", 5411, "", "", ""}, occurred_us);
  }
  void meet(std::string_view customer, std::string_view registered_on = {}) {
    wire::Profile profile;
    profile.registered_on = registered_on;
    tell(customer, profile);
  }
  LogMaker& log() { return log_; }
  Fold& fold() { return fold_; }
  const std::filesystem::path& file() const noexcept { return fold_.file(); }
  std::string ask(const std::string& sql) {
    fold_.apply_all();
    return fold_.ask(sql);
  }

 private:
  LogMaker log_;
  ScratchFolder folder_;
  Fold fold_;
  int ids_ = 0;
};

}  // namespace tellerd::tests

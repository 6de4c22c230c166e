// A branch whose pack chooses: packs with other shares of the arms, a customer who may be spoken to, a loan.
#pragma once
#include <deque>
#include <string>
#include <string_view>

#include "support/branch.h"
#include "support/world.h"

namespace tellerd::tests {

inline decide::PackFiles pack_with(int random, int holdout) {
  decide::PackFiles files = decide::read_pack_files("default");
  std::string& contact = files.at("contact.toml");
  const auto put = [&](const std::string& key, int percent) {
    const std::size_t at = contact.find(key + " = "), end = contact.find('\n', at);
    contact.replace(at, end - at, key + " = " + std::to_string(percent));
  };
  put("random_percent", random);
  put("holdout_percent", holdout);
  return files;
}

inline const char* const kOpen = "SELECT action FROM mart_offer WHERE state='READY' ORDER BY action";

inline std::string date_of(core::Instant at) { return core::format_date(static_cast<core::Day>(at / core::kDay)); }

inline void meet(Branch& branch, std::string_view customer, std::string_view registered_on = {}) {
  branch.meet(customer, registered_on);
  branch.tell(customer, wire::Consent{"marketing", "all", true, "form", ""});
}

// A loan whose only instalment is due so many days from now.
inline void lend(Branch& branch, int days) {
  static std::deque<std::string> kept;  // an event only points at its texts
  const std::string& start = kept.emplace_back(date_of(branch.now() - 30 * core::kDay));
  const std::string& end = kept.emplace_back(date_of(branch.now() + 300 * core::kDay));
  const std::string& due = kept.emplace_back(date_of(branch.now() + days * core::kDay));
  wire::Loan loan;
  loan.loan_name = "L1";
  loan.amount_minor = 100'000'00;
  loan.currency = "RUB";
  loan.start_date = start;
  loan.end_date = end;
  loan.payment_count = 1;
  loan.planned_minor = 10'000'00;
  branch.tell("A", loan);
  wire::InstalmentPayment instalment;
  instalment.loan_name = "L1";
  instalment.payment_number = 1;
  instalment.payment_date = due;
  branch.tell("A", instalment);
}

}  // namespace tellerd::tests

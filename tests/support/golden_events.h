// One event of each kind with every field set: the material that the mutation tests and the fuzzer start from.
// Texts are string literals, so the events live for ever. Times are around occurred_us = 2026-11-20T10:00:00Z.
#pragma once
#include <vector>

#include "core/time.h"
#include "wire/facts.h"

namespace tellerd::test {

inline constexpr core::Instant kGoldenUs = 1'795'168'800 * core::kSecond;

inline std::vector<wire::Event> golden_events() {
  namespace w = wire;
  const std::vector<w::Body> bodies = {
      w::Transaction{-129'900, "RUB", "debit", 5411, "ПРОДУКТЫ 24", "Казань", "pos"},
      w::SupportContact{"card blocked", "phone"},
      w::Sms{"900", "Покупка 1 299 р."},
      w::HostVisit{"bank.example"},
      w::Login{true, "phone", "Firefox"},
      w::Activity{"page", 7, 3},
      w::Holding{"ETF", "Broad Index", 12'500'000, 10'050, 11'075, "RUB", "2025-03-01"},
      w::Loan{"car", 90'000'000, "RUB", "2024-01-15", "2029-01-15", 60, 1'750'000, "2026-11-01"},
      w::LoanChange{"car", "pause", "2026-05-01", "2026-07-31", 5},
      w::InstalmentPayment{"car", 12, "2025-01-15", "2025-01-17", 1'750'000},
      w::BillPayment{540'000, "RUB", "utilities", "Completed"},
      w::Product{"P-17", "lamps", "Desk lamp", 249'900, "RUB", false},
      w::ProductView{"s-1", "P-17", "lamps", 249'900, 8200, "search"},
      w::Order{"P-17", 2, 499'800, "RUB", "paid", "s-1"},
      w::Impression{"s-1", "P-17", 3, true, "click"},
      w::Outcome{"00d1f3a2b4c5e697", "ACCEPTED", "calls back", 100'000, "2026-12-01", "desk-4"},
      w::Rate{"USD", "RUB", 92'350'000, "official"},
      w::Profile{"Иванова Анна Петровна",
                 "79001234567",
                 "anna@example.org",
                 "1990-02-28",
                 "2020-05-05",
                 "Казань",
                 "mass",
                 "active",
                 "F",
                 "higher",
                 "engineer",
                 "Tatarstan",
                 "married",
                 "ул. Пушкина, 1",
                 "9200 123456",
                 2,
                 12'000'000,
                 "ru",
                 "Europe/Moscow",
                 17,
                 false},
      w::Attribute{"pet", "cat", "survey"},
      w::Alias{"loans", "17", false},
      w::Merchant{"M-5", "Bookshop", 5942, "Казань"},
      w::Consent{"marketing", "phone", true, "form 12", "2027-01-01"},
      w::Restriction{"do_not_call", false, "call", "2027-01-01"},
      w::Unreadable{"BAD_AMOUNT", "amount", "TXN_1;12,x;RUB", "bank_transactions.csv:7"},
      w::BackfillEnd{"done"},
  };
  std::vector<w::Event> events;
  for (const auto& body : bodies) {
    w::Event event{"id-000017", "broker", "CLIENT_000017", kGoldenUs, 3, body};
    if (!w::names_a_customer(event.kind())) event.customer = {};
    events.push_back(event);
  }
  return events;
}

}  // namespace tellerd::test

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tellerctl/words/daemon_words.h"

using namespace tellerd;
using nlohmann::json;

namespace {
bool says(const std::string& words, const std::string& part) {
  const bool is_there = words.find(part) != std::string::npos;
  if (!is_there) MESSAGE("no \"" << part << "\" in:\n" << words);
  return is_there;
}
}  // namespace

TEST_SUITE("ctl.words") {
  TEST_CASE("the status is a page of lines with units") {
    const json status = {
        {"version", "0.1.0"},
        {"branch", "Tver"},
        {"timezone", "Europe/Moscow"},
        {"light", "red"},
        {"clock", "following"},
        {"started_us", 0},
        {"rooms",
         {{{"name", "ingest"},
           {"light", "red"},
           {"value", 12345},
           {"unit", "events/s"},
           {"text", "the disk is full: intake waits"}}}},
        {"ingest", {{"fsync_ms_p50", 1.25}, {"fsync_ms_p99", 9.0}, {"ack_ms_p99", 11.0}}},
        {"lag", {{"records", 1500}}},
        {"disk",
         {{"free_bytes", 2'500'000'000}, {"data_bytes", 1'500'000}, {"bronze_weeks", 3}, {"retention_weeks", 8}}},
        {"tiers", {{{"name", "VIP"}, {"count", 1000}}, {{"name", "Basic"}, {"count", 2}}}},
        {"quarantine", {{{"reason", "BAD_AMOUNT"}, {"count", 3}}}},
        {"overdue", {{"loans", 40}, {"overdue_loans", 4}}},
        {"errors", {{{"at_us", 1'000'000}, {"text", "not reloaded"}}}}};
    const std::string words = tellerctl::status_words(status);
    for (const char* part :
         {"tellerd 0.1.0, branch \"Tver\", Europe/Moscow: red", "12,345 events/s", "the disk is full: intake waits",
          "1970-01-01 00:00:00 UTC", "p50 1.2 ms, p99 9.0 ms", "1,500 records",
          "2.5 GB free, 1.5 MB of data, 3 weeks of log (kept: 8)", "VIP 1,000, Basic 2", "BAD_AMOUNT 3",
          "4 of 40 overdue", "1970-01-01 00:00:01 UTC  not reloaded"})
      CHECK(says(words, part));
    CHECK(says(tellerctl::status_words(json::object()), "quarantine  empty"));
  }

  TEST_CASE("a customer is a card with amounts, weeks and what was offered") {
    const json answer = {{"customer",
                          {{"key", "C1"},
                           {"name", "A*** B***"},
                           {"city", "Omsk"},
                           {"registered_on", "2022-09-21"},
                           {"tier", "VIP"},
                           {"combined_segment", "VIP Active"},
                           {"tier_since_us", 0},
                           {"churn_state", "active"},
                           {"inactive_weeks", 2},
                           {"tx_weeks", 4},
                           {"transaction_total_minor", -123456},
                           {"transaction_count", 7},
                           {"transaction_max_minor", 99}}},
                         {"offers",
                          {{{"offer_id", "5aab"},
                            {"state", "READY"},
                            {"expected_revenue_minor", 5'000'000},
                            {"expires_us", 0},
                            {"offer_type", "Luxury Credit Card"}}}},
                         {"payments",
                          {{{"payment_date", "2025-01-02"},
                            {"loan_name", "car"},
                            {"planned_minor", 100},
                            {"paid_fact_amount_minor", 0},
                            {"payment_fact_date", nullptr},
                            {"is_overdue", 1}}}}};
    const std::string words = tellerctl::customer_words(answer);
    for (const char* part :
         {"C1  A*** B***, Omsk, registered on 2022-09-21", "VIP Active (VIP) since 1970-01-01",
          "active, last transaction 2 weeks ago", "-1,234.56 in 7 transactions, the largest 0.99", ".#..\n",
          "50,000.00  until 1970-01-01 00:00:00 UTC  Luxury Credit Card", "not paid", "overdue"})
      CHECK(says(words, part));
    CHECK(says(tellerctl::customer_words({{"customer", {{"key", "C2"}, {"inactive_weeks", nullptr}}}}), "none yet"));
  }
}

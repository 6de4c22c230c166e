#include <doctest/doctest.h>

#include <regex>

#include "unit/generated.h"

using namespace tellerd::generated;

namespace {

struct Table {
  std::string file, id_column, id_form, date_column;
  std::size_t ids;  // for 500 clients: a tenth of domain.md 5
};
const std::vector<Table> kDated{{"bank_transactions.csv", "transaction_id", "TXN_[0-9]{8}", "transaction_date", 1500},
                                {"client_logins.csv", "login_id", "LOGIN_[0-9]{8}", "login_timestamp", 800},
                                {"client_activities.csv", "activity_id", "ACT_[0-9]{8}", "activity_date", 1000},
                                {"payments.csv", "payment_id", "PAY_[0-9]{8}", "payment_date", 700},
                                {"securities_portfolios.csv", "portfolio_id", "PORT_[0-9]{6}", "purchase_date", 300}};

std::string header_of(const fs::path& path) {
  const std::string bytes = bytes_of(path);
  return bytes.substr(0, bytes.find('\n'));
}

}  // namespace

TEST_SUITE("tellerctl.generate_broker") {
  TEST_CASE("the broker's files have its columns, id forms and volumes") {
    const Scratch scratch;
    const fs::path out = make(scratch / "broker", "broker", 500);
    CHECK(header_of(out / "clients.csv") ==
          "client_id,client_name,phone,email,birth_date,registration_date,city,segment,status");
    CHECK(header_of(out / "bank_transactions.csv") ==
          "transaction_id,client_id,transaction_date,amount,currency,transaction_type,channel");
    CHECK(header_of(out / "client_logins.csv") ==
          "login_id,client_id,login_timestamp,ip_address,device_type,browser,success");
    CHECK(header_of(out / "client_activities.csv") ==
          "activity_id,client_id,activity_date,activity_type,duration_minutes,page_views");
    CHECK(header_of(out / "payments.csv") == "payment_id,client_id,payment_date,amount,currency,payment_type,status");
    CHECK(header_of(out / "securities_portfolios.csv") ==
          "portfolio_id,client_id,security_type,security_name,quantity,purchase_price,current_price,purchase_date");
    CHECK(header_of(out / "currency_rates.csv") == "rate_id,currency_pair,rate_date,rate_value,rate_type");

    const auto clients = csv(out / "clients.csv");
    CHECK(values(clients, "client_id").size() == 500);
    for (const Table& table : kDated) {
      CAPTURE(table.file);
      const auto rows = csv(out / table.file);
      const auto ids = values(rows, table.id_column);
      CHECK(ids.size() == table.ids);
      const double more = static_cast<double>(rows.size() - ids.size()) / static_cast<double>(ids.size());
      CHECK(more > 0.005);
      CHECK(more < 0.04);
      for (const std::string& id : ids) CHECK(std::regex_match(id, std::regex(table.id_form)));
    }
    CHECK(values(csv(out / "currency_rates.csv"), "rate_id").size() == 100);
  }

  TEST_CASE("the broker's values are those of the source system") {
    const Scratch scratch;
    const fs::path out = make(scratch / "broker", "broker", 500);
    const auto transactions = csv(out / "bank_transactions.csv");
    using Set = std::set<std::string>;
    CHECK(values(transactions, "transaction_type") == Set{"Debit", "Credit", "Transfer"});
    CHECK(values(transactions, "currency") == Set{"RUB", "USD", "EUR"});
    CHECK(values(csv(out / "client_logins.csv"), "success") == Set{"True", "False"});
    CHECK(values(csv(out / "securities_portfolios.csv"), "security_type") ==
          Set{"Stock", "Bond", "ETF", "Mutual_Fund"});
    CHECK(values(csv(out / "payments.csv"), "status") == Set{"Completed", "Pending", "Failed"});
    CHECK(values(csv(out / "currency_rates.csv"), "currency_pair") == Set{"USD/RUB", "EUR/RUB"});
    for (const Row& row : transactions) CHECK(std::regex_match(row.at("amount"), std::regex("[0-9]+\\.[0-9]{2}")));
  }

  TEST_CASE("each broker row belongs to a client and lies before the last day") {
    const Scratch scratch;
    const fs::path out = make(scratch / "broker", "broker", 300);
    const auto clients = values(csv(out / "clients.csv"), "client_id");
    for (const Table& table : kDated) {
      for (const Row& row : csv(out / table.file)) {
        CHECK(clients.count(row.at("client_id")) == 1);
        CHECK(row.at(table.date_column).substr(0, 10) < kUntil);
      }
    }
  }

  TEST_CASE("a row that comes again is the same row or a later version with a later date") {
    const Scratch scratch;
    const fs::path out = make(scratch / "broker", "broker", 2000);
    std::size_t repeats = 0, corrections = 0;
    for (const Table& table : kDated) {
      std::map<std::string, Row> first;
      for (const Row& row : csv(out / table.file)) {
        const auto [at, is_new] = first.emplace(row.at(table.id_column), row);
        if (is_new) continue;
        if (row == at->second) ++repeats;
        if (row == at->second) continue;
        ++corrections;
        CHECK(row.at("client_id") == at->second.at("client_id"));
        CHECK(row.at(table.date_column).substr(0, 10) > at->second.at(table.date_column).substr(0, 10));
      }
    }
    CHECK(repeats > 100);
    CHECK(corrections > 100);
  }

  TEST_CASE("every foreign amount finds a rate of an earlier day") {
    const Scratch scratch;
    const fs::path out = make(scratch / "broker", "broker", 300);
    std::map<std::string, std::string> first_rate;
    for (const Row& row : csv(out / "currency_rates.csv")) {
      const std::string currency = row.at("currency_pair").substr(0, 3);
      const std::string day = row.at("rate_date").substr(0, 10);
      if (first_rate.count(currency) == 0 || day < first_rate[currency]) first_rate[currency] = day;
    }
    for (const Row& row : csv(out / "bank_transactions.csv"))
      if (row.at("currency") != "RUB") CHECK(first_rate.at(row.at("currency")) < row.at("transaction_date"));
  }
}

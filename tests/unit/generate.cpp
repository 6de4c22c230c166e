#include "tellerctl/generate/generate.h"

#include <doctest/doctest.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "core/fault.h"
#include "core/text.h"
#include "tellerctl/generate/chance.h"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using tellerd::core::Fault;
using tellerd::tellerctl::generate;
using tellerd::tellerctl::GenerateOptions;
using Row = std::map<std::string, std::string>;

const std::string kUntil = "2026-11-21";
constexpr std::int64_t kUntilUs = 1'795'219'200'000'000;  // date -ud 2026-11-21 +%s

class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("tellerd-generate-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
  }
  ~Scratch() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

fs::path make(const fs::path& out, const std::string& profile, int clients, std::uint64_t seed = 1) {
  GenerateOptions options;
  options.out = out;
  options.profile = profile;
  options.clients = clients;
  options.seed = seed;
  options.until = kUntil;
  generate(options);
  return out;
}

std::string refusal(const GenerateOptions& options) {
  try {
    generate(options);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::map<std::string, std::string> folder_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder).string()] = bytes_of(entry.path());
  return files;
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  return cells;
}

std::vector<Row> csv(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const auto names = cells_of(line);
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const auto cells = cells_of(line);
    REQUIRE(cells.size() == names.size());
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) row[names[i]] = cells[i];
    rows.push_back(row);
  }
  return rows;
}

std::vector<json> ndjson(const fs::path& path) {
  std::ifstream file(path);
  std::vector<json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(json::parse(line));
  return rows;
}

json array_of(const fs::path& path) { return json::parse(bytes_of(path)); }

std::set<std::string> values(const std::vector<Row>& rows, const std::string& column) {
  std::set<std::string> found;
  for (const Row& row : rows) found.insert(row.at(column));
  return found;
}

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

TEST_SUITE("tellerctl.generate") {
  // The draws of a Python rewrite of splitmix64 and xoshiro256**, itself checked against the authors' published
  // sequences (seed 1234567; state 1, 2, 3, 4).
  TEST_CASE("draws follow the published generators") {
    using namespace tellerd::tellerctl;
    Chance chance(7, Stream::kTransactions, 42);
    CHECK(chance.next() == 17082478590173988742u);
    CHECK(chance.next() == 9775906666828731720u);
    Chance bounded(7, Stream::kTransactions, 42);
    CHECK(bounded.below(1000) == 926);
    CHECK(bounded.below(1000) == 529);
    CHECK(bounded.below(1000) == 731);
  }

  TEST_CASE("the same seed gives the same bytes and another seed others, in every profile") {
    const Scratch scratch;
    for (const std::string profile : {"bank", "broker", "loans", "shop"}) {
      CAPTURE(profile);
      const auto first = folder_of(make(scratch / (profile + "1"), profile, 60, 5));
      const auto again = folder_of(make(scratch / (profile + "2"), profile, 60, 5));
      const auto other = folder_of(make(scratch / (profile + "3"), profile, 60, 6));
      CHECK(first == again);
      REQUIRE(first.size() == other.size());
      for (const auto& [name, bytes] : first) {
        CAPTURE(name);
        CHECK(bytes.size() > 100);
        CHECK(bytes != other.at(name));
      }
    }
  }

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

  TEST_CASE("loans, clients and payments refer to each other and about one instalment in seven is overdue") {
    const Scratch scratch;
    const fs::path out = make(scratch / "loans", "loans", 500);
    std::set<int> clients;
    std::set<std::string> passports;
    for (const json& client : array_of(out / "clients.json")) {
      CHECK(client.size() == 13);
      clients.insert(client.at("client_id").get<int>());
      passports.insert(client.at("passport").get<std::string>());
    }
    CHECK(clients.size() == 500);
    CHECK(passports.size() == 500);

    std::map<std::pair<int, std::string>, json> loans;
    for (const json& loan : array_of(out / "loans.json")) {
      CHECK(clients.count(loan.at("client_id").get<int>()) == 1);
      CHECK(loan.at("loan_start_date") < loan.at("loan_end_date"));
      CHECK(loans.emplace(std::pair(loan.at("client_id").get<int>(), loan.at("loan_name").get<std::string>()), loan)
                .second);
    }
    int overdue = 0, rows = 0;
    std::set<std::tuple<int, std::string, int>> keys;
    for (const json& payment : array_of(out / "payments.json")) {
      const std::pair key(payment.at("client_id").get<int>(), payment.at("loan_name").get<std::string>());
      REQUIRE(loans.count(key) == 1);
      const json& loan = loans.at(key);
      CHECK(keys.emplace(key.first, key.second, payment.at("payment_number").get<int>()).second);
      CHECK(payment.at("payment_date") > loan.at("loan_start_date"));
      CHECK(payment.at("payment_date") <= loan.at("loan_end_date"));
      CHECK(payment.at("payment_fact_date") < kUntil);
      ++rows;
      if (payment.at("payment_fact_date") > payment.at("payment_date") ||
          payment.at("paid_fact_amount") < loan.at("paid_amount"))
        ++overdue;
    }
    CHECK(rows > 5000);
    CHECK(overdue * 100 > rows * 10);
    CHECK(overdue * 100 < rows * 18);
  }

  TEST_CASE("in a bank a borrower is the broker's client of the same number, under the same name") {
    const Scratch scratch;
    const fs::path out = make(scratch / "bank", "bank", 300);
    std::map<std::string, std::string> names;
    for (const Row& row : csv(out / "clients.csv"))
      names[row.at("client_id")] = tellerd::core::trimmed(row.at("client_name"));
    std::map<std::string, std::string> alias;
    for (const json& line : ndjson(out / "aliases.ndjson")) {
      CHECK(line.at("kind") == "alias");
      CHECK(line.at("other_system") == "loans");
      alias[line.at("other_key")] = line.at("customer");
    }
    const json borrowers = array_of(out / "loans" / "clients.json");
    CHECK(borrowers.size() == alias.size());
    CHECK(borrowers.size() > 90);
    for (const json& client : borrowers) {
      const std::string customer = alias.at(std::to_string(client.at("client_id").get<int>()));
      REQUIRE(customer.rfind("broker:", 0) == 0);
      CHECK(std::stoi(customer.substr(14)) == client.at("client_id").get<int>());
      CHECK(names.at(customer.substr(7)) == client.at("fio").get<std::string>());
    }
  }

  TEST_CASE("a bank's events come in the order of time, with ids of their own, and refer to what is there") {
    const Scratch scratch;
    const fs::path out = make(scratch / "bank", "bank", 300);
    const auto clients = values(csv(out / "clients.csv"), "client_id");
    std::set<std::string> ids, merchants, products, kinds;
    std::int64_t last = 0;
    for (const json& event : ndjson(out / "events.ndjson")) {
      const std::string kind = event.at("kind");
      kinds.insert(kind);
      CHECK(ids.insert(kind + event.at("id").get<std::string>()).second);
      const auto at = event.at("occurred_us").get<std::int64_t>();
      CHECK(at >= last);
      CHECK(at < kUntilUs);
      last = at;
      if (kind == "merchant") merchants.insert(event.at("merchant"));
      if (kind == "product") products.insert(event.at("product"));
      if (kind == "merchant" || kind == "product") continue;
      CHECK(clients.count(event.at("customer").get<std::string>().substr(7)) == 1);
      if (kind == "transaction") CHECK(merchants.count(event.at("merchant")) == 1);
      if (kind == "product_view" || kind == "order") CHECK(products.count(event.at("product")) == 1);
      if (kind == "impression") CHECK(products.count(event.at("item")) == 1);
    }
    const std::set<std::string> expected{"transaction", "support_contact", "sms",          "host_visit",
                                         "consent",     "restriction",     "product_view", "order",
                                         "impression",  "attribute",       "merchant",     "product"};
    CHECK(kinds == expected);
  }

  TEST_CASE("some customers leave and most stay") {
    const Scratch scratch;
    const fs::path out = make(scratch / "bank", "bank", 600);
    std::map<std::string, std::int64_t> last;
    for (const json& event : ndjson(out / "events.ndjson"))
      if (event.at("kind") == "transaction") last[event.at("customer")] = event.at("occurred_us");
    constexpr std::int64_t kTwelveWeeksUs = 12 * 7 * 86'400'000'000;
    const auto gone =
        std::count_if(last.begin(), last.end(), [](const auto& one) { return one.second < kUntilUs - kTwelveWeeksUs; });
    CHECK(last.size() > 570);
    CHECK(gone > 60);
    CHECK(gone < 180);
  }

  TEST_CASE("the default pack knows the competitors and the merchant codes of the made-up bank") {
    const Scratch scratch;
    const fs::path out = make(scratch / "bank", "bank", 200);
    const std::string pack = TELLERD_SOURCE_DIR "/systemd/policy/default/";
    const toml::table competitors = toml::parse_file(pack + "competitors.toml");
    const auto list = [&](std::string_view name) {
      std::vector<std::string> texts;
      for (const auto& item : *competitors[name].as_array()) texts.push_back(item.value<std::string>().value());
      return texts;
    };
    const tellerd::core::SubstringPatterns patterns(list("sms_patterns"));
    const tellerd::core::HostPatterns hosts(list("hosts"));
    const std::set<std::string> rivals{"ROMASHKA", "SEVERNY", "GORIZONT", "VOLGA", "DEBETKA"};
    int rival_sms = 0, rival_hosts = 0, own_hosts = 0;
    for (const json& event : ndjson(out / "events.ndjson")) {
      if (event.at("kind") == "sms") {
        const bool is_rival = rivals.count(event.at("sender")) == 1;
        rival_sms += is_rival;
        CHECK(patterns.matches(event.at("text").get<std::string>()) == is_rival);
      }
      if (event.at("kind") == "host_visit")
        (hosts.matches(event.at("host").get<std::string>()) ? rival_hosts : own_hosts)++;
    }
    CHECK(rival_sms > 50);
    CHECK(rival_hosts > 50);
    CHECK(own_hosts > rival_hosts);
  }

  TEST_CASE("a shop tells what was shown, and reacts only to what was shown") {
    const Scratch scratch;
    const fs::path out = make(scratch / "shop", "shop", 200);
    std::map<std::string, int> count, reactions;
    for (const json& event : ndjson(out / "events.ndjson")) {
      ++count[event.at("kind")];
      if (event.at("kind") != "impression") continue;
      ++reactions[event.at("reaction")];
      if (event.at("reaction") != "") CHECK(event.at("noticed") == true);
    }
    CHECK(count["product"] == 360);
    for (const char* kind : {"product_view", "order", "impression", "attribute"}) CHECK(count[kind] > 100);
    CHECK(reactions[""] > reactions["click"]);
    CHECK(reactions["click"] > reactions["order"]);
  }

  TEST_CASE("a folder with other files is refused and left as it is; our own files are replaced") {
    const Scratch scratch;
    const fs::path out = make(scratch / "out", "broker", 20, 1);
    const auto before = folder_of(out);
    make(out, "broker", 20, 2);
    CHECK(folder_of(out) != before);

    std::ofstream(out / "thesis.txt") << "years of work";
    const auto with_other = folder_of(out);
    GenerateOptions options{out, 20, 3, kUntil, "broker", {}};
    CHECK(refusal(options).find("thesis.txt") != std::string::npos);
    CHECK(folder_of(out) == with_other);
    options.profile = "shop";
    CHECK(refusal(options).find("other files") != std::string::npos);
  }

  TEST_CASE("a number of clients, a date or a profile that cannot be is refused before anything is written") {
    const Scratch scratch;
    const GenerateOptions good{scratch / "out", 20, 1, kUntil, "loans", {}};
    for (const int clients : {0, -1, 1'000'000}) {
      GenerateOptions options = good;
      options.clients = clients;
      CHECK(refusal(options).find("from 1 to 999999") != std::string::npos);
    }
    for (const std::string until : {"", "2026-02-30", "tomorrow"}) {
      GenerateOptions options = good;
      options.until = until;
      CHECK(refusal(options).find("is no date") != std::string::npos);
    }
    GenerateOptions options = good;
    options.profile = "insurance";
    CHECK(refusal(options).find("bank, loans, broker or shop") != std::string::npos);
    CHECK_FALSE(fs::exists(good.out));
    options = good;
    options.clients = 1;
    CHECK(refusal(options).empty());
    CHECK(array_of(good.out / "clients.json").size() == 1);
  }

  TEST_CASE("progress begins at nothing, never goes back and ends at everything") {
    const Scratch scratch;
    std::vector<double> seen;
    GenerateOptions options{scratch / "out", 20, 1, kUntil, "bank", {}};
    options.progress = [&](double done, std::string_view) { seen.push_back(done); };
    generate(options);
    REQUIRE(seen.size() >= 2);
    CHECK(seen.front() == 0.0);
    CHECK(seen.back() == 1.0);
    CHECK(std::is_sorted(seen.begin(), seen.end()));
  }
}

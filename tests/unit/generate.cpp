#include "tellerctl/generate/generate.h"

#include <doctest/doctest.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "tellerctl/generate/chance.h"
#include "unit/generated.h"

using namespace tellerd::generated;

TEST_SUITE("tellerctl.generate") {
  // The draws of a Python rewrite of splitmix64 and xoshiro256**, itself checked against the authors' published
  // sequences (seed 1234567; state 1, 2, 3, 4).

  TEST_CASE("draws follow the published generators") {
    using namespace tellerd::tellerctl;
    Chance chance(7, Stream::kTransactions, 42);
    CHECK(chance.next() == 17082478590173988742u);
    CHECK(chance.next() == 9775906666828731720u);
    for (int draw = 3; draw < 10; ++draw) chance.next();
    CHECK(chance.next() == 17751084420674553157u);
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
      for (const auto& file : first) {
        const auto& [name, bytes] = file;
        CAPTURE(file.first);
        CHECK(bytes.size() > 100);
        CHECK(bytes != other.at(name));
      }
    }
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
    std::ofstream(out / "clients.csv.part") << "left by a run that was killed";
    make(out, "broker", 20, 2);
    CHECK(folder_of(out) != before);
    CHECK(folder_of(out).size() == before.size());

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
    std::ofstream(scratch / "file") << "no folder";
    options = good;
    options.out = scratch / "file";
    CHECK(refusal(options).find("cannot be used as a folder") != std::string::npos);
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

  TEST_CASE("card payments go on to the last day and are most on Fridays and Saturdays") {
    const Scratch scratch;
    const fs::path out = make(scratch / "bank", "bank", 600);
    constexpr std::int64_t kDayUs = 86'400'000'000;
    std::map<std::int64_t, int> days_back;
    for (const json& event : ndjson(out / "events.ndjson"))
      if (event.at("kind") == "transaction")
        ++days_back[(kUntilUs - 1 - event.at("occurred_us").get<std::int64_t>()) / kDayUs];
    for (int day = 0; day < 52 * 7; ++day) CHECK(days_back[day] > 0);
    std::array<int, 7> weekday{};  // until is a Saturday: a day back is Friday, four are Tuesday, and so on
    for (const auto& [back, count] : days_back) weekday[static_cast<std::size_t>((4 + 52 * 7 - back) % 7)] += count;
    CHECK(weekday[4] > weekday[0]);
    CHECK(weekday[5] > weekday[6]);
    CHECK(weekday[4] * 10 > weekday[0] * 15);  // four parts against two, in twenty
  }
}

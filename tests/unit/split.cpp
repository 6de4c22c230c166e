#include "tellerctl/split/split.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "unit/generated.h"

using namespace tellerd::generated;

namespace {

using tellerd::tellerctl::split;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

json part_of(const fs::path& dir, int part, const std::string& what) {
  const std::string number = std::to_string(part);
  return array_of(dir / ("part_" + number) / (what + "_" + number + ".json"));
}

std::vector<std::string> names_of(const json& rows, const char* field) {
  std::vector<std::string> names;
  for (const json& row : rows) names.push_back(row.at(field).is_string() ? row.at(field) : json(row.at(field).dump()));
  return names;
}

std::string refusal_of_split(const fs::path& dir, int parts) {
  try {
    split(dir, parts);
  } catch (const tellerd::core::Fault& fault) {
    return fault.what();
  }
  return "";
}

using Names = std::vector<std::string>;

// Five loans, of which B and C start on the same day and E is the oldest.
void write_five(const fs::path& dir) {
  write(dir / "clients.json",
        R"([{"client_id":1,"count_of_children":1.0},{"client_id":2},{"client_id":3},{"client_id":4}])");
  write(dir / "loans.json", R"([{"client_id":1,"loan_name":"A","loan_start_date":"2025-03-01"},
    {"client_id":2,"loan_name":"B","loan_start_date":"2025-02-01"},{"client_id":1,"loan_name":"C","loan_start_date":"2025-02-01"},
    {"client_id":3,"loan_name":"D","loan_start_date":"2025-04-01"},{"client_id":2,"loan_name":"E","loan_start_date":"2025-01-01"}])");
  write(dir / "payments.json",
        R"([{"client_id":1,"loan_name":"A","payment_number":1},{"client_id":2,"loan_name":"E","payment_number":2},
    {"client_id":1,"loan_name":"E","payment_number":3},{"client_id":3,"loan_name":"D","payment_number":4}])");
}

}  // namespace

TEST_SUITE("tellerctl.split") {
  TEST_CASE("part i holds the first i * (total / parts + 1) loans by start date, worked out on paper") {
    const Scratch scratch;
    const fs::path dir = scratch / "five";
    write_five(dir);
    split(dir, 2);  // 5 / 2 + 1 = 3 loans a part
    CHECK(names_of(part_of(dir, 1, "loans"), "loan_name") == Names{"E", "B", "C"});
    CHECK(names_of(part_of(dir, 2, "loans"), "loan_name") == Names{"E", "B", "C", "A", "D"});
    CHECK(names_of(part_of(dir, 1, "clients"), "client_id") == Names{"1", "2"});
    CHECK(names_of(part_of(dir, 2, "clients"), "client_id") == Names{"1", "2", "3"});  // 4 never borrowed
    CHECK(names_of(part_of(dir, 1, "payments"), "payment_number") == Names{"2"});      // 3 is of another client's E
    CHECK(names_of(part_of(dir, 2, "payments"), "payment_number") == Names{"1", "2", "4"});
  }

  TEST_CASE("rows keep their columns and the form of their numbers") {
    const Scratch scratch;
    const fs::path dir = scratch / "five";
    write_five(dir);
    split(dir, 1);
    std::ifstream file(dir / "part_1" / "clients_1.json");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    CHECK(text.find(R"({"client_id":1,"count_of_children":1.0})") != std::string::npos);
  }

  TEST_CASE("parts of a generated bank agree with a plain calculation") {
    const Scratch scratch;
    const fs::path dir = scratch / "bank";
    tellerd::tellerctl::generate({dir, 200, 9, "2026-11-21", "bank", {}});
    constexpr int kParts = 4;
    split(dir, kParts);
    json loans = array_of(dir / "loans" / "loans.json");
    std::stable_sort(loans.begin(), loans.end(),
                     [](const json& a, const json& b) { return a.at("loan_start_date") < b.at("loan_start_date"); });
    const std::size_t per_part = loans.size() / kParts + 1;
    for (int part = 1; part <= kParts; ++part) {
      CAPTURE(part);
      const std::size_t count = std::min(loans.size(), per_part * static_cast<std::size_t>(part));
      json some = json::array(), clients = json::array(), payments = json::array();
      std::set<std::pair<json, json>> names;
      std::set<json> ids;
      for (std::size_t i = 0; i < count; ++i) {
        some.push_back(loans[i]);
        names.emplace(loans[i].at("client_id"), loans[i].at("loan_name"));
        ids.insert(loans[i].at("client_id"));
      }
      for (const json& client : array_of(dir / "loans" / "clients.json"))
        if (ids.count(client.at("client_id"))) clients.push_back(client);
      for (const json& payment : array_of(dir / "loans" / "payments.json"))
        if (names.count({payment.at("client_id"), payment.at("loan_name")})) payments.push_back(payment);
      CHECK(part_of(dir, part, "loans") == some);
      CHECK(part_of(dir, part, "clients") == clients);
      CHECK(part_of(dir, part, "payments") == payments);
      CHECK(payments.size() > 0);
    }
  }

  TEST_CASE("what cannot be split is refused with the place that is wrong") {
    const Scratch scratch;
    const fs::path dir = scratch / "five";
    CHECK(refusal_of_split(dir, 2).find("holds no loans.json") != std::string::npos);
    write_five(dir);
    CHECK(refusal_of_split(dir, 0).find("from 1 to 1000") != std::string::npos);
    CHECK(refusal_of_split(dir, 1001).find("from 1 to 1000") != std::string::npos);
    write(dir / "payments.json", "[{\"client_id\":1}]");
    CHECK(refusal_of_split(dir, 2).find("payments.json has a row without loan_name") != std::string::npos);
    write(dir / "payments.json", "{\"client_id\":1}");
    CHECK(refusal_of_split(dir, 2).find("payments.json is no JSON array") != std::string::npos);
    CHECK_FALSE(fs::exists(dir / "part_1"));
  }
}

#include <doctest/doctest.h>

#include <fstream>
#include <map>

#include "core/fault.h"
#include "tellerctl/load/file_bytes.h"
#include "tellerctl/load/loader.h"
#include "tellerctl/load/plan.h"
#include "tellerctl/load/report.h"
#include "tellerctl/load/rows.h"
#include "tellerctl/load/sources.h"
#include "unit/ctl_peer.h"

using namespace tellerd;
using namespace tellerd::test;
using namespace tellerd::tellerctl;

namespace {

using Texts = std::vector<std::string>;

// "1: a=x b=y" a row; "3: MALFORMED <raw>" where it is refused.
template <class Rows>
Texts rows_of(std::string_view bytes) {
  Rows rows(bytes);
  Row row;
  Texts texts;
  while (rows.next(row)) {
    std::string text = std::to_string(row.line) + ":";
    for (const auto& field : row.fields) text += " " + std::string(field.name) + "=" + std::string(field.value);
    if (row.refusal)
      text += " " + std::string(wire::name_of(row.refusal->code)) + " <" + std::string(row.raw.substr(0, 20)) + ">";
    texts.push_back(text);
  }
  return texts;
}

void write(const std::filesystem::path& file, std::string_view text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

// The fields a row of that file becomes, and then its event.
struct Translated {
  std::map<std::string, std::string> fields;
  wire::Event event;
  std::string refusal;
};
Translated translated(const char* file, std::string_view bytes) {
  static const core::Calendar calendar("Europe/Moscow");
  static Translator translator(calendar);
  static std::optional<wire::EventReader> reader;
  static Row row;
  const Source* source = source_of(file);
  REQUIRE(source != nullptr);
  static std::optional<CsvRows> csv;
  static std::optional<JsonRows> lines;
  if (source->extension == ".csv")
    REQUIRE(csv.emplace(bytes).next(row));
  else
    REQUIRE(lines.emplace(bytes).next(row));
  REQUIRE_FALSE(row.refusal);
  reader.emplace(calendar, source->system, source->kind);
  Translated result;
  const auto fields = translator.translate(*source, row.fields);
  for (const auto& field : fields) result.fields[std::string(field.name)] = field.value;
  const auto made = reader->assemble(fields);
  if (const auto* event = std::get_if<const wire::Event*>(&made)) result.event = **event;
  if (const auto* refusal = std::get_if<wire::Refusal>(&made)) result.refusal = refusal->field + " " + refusal->words;
  return result;
}

}  // namespace

TEST_SUITE("tellerctl.rows") {
  TEST_CASE("CSV has quotes, doubled quotes, commas and line ends inside, and either line end") {
    CHECK(rows_of<CsvRows>("\xEF\xBB\xBFid, name\r\n1,\"a, \"\"b\"\"\"\r\n2,\"two\nlines\"\n3, c \n") ==
          Texts{"2: id=1 name=a, \"b\"", "3: id=2 name=two\nlines", "5: id=3 name=c"});
  }
  TEST_CASE("CSV without a last line end, without rows, without anything") {
    CHECK(rows_of<CsvRows>("id\n7") == Texts{"2: id=7"});
    CHECK(rows_of<CsvRows>("id\n").empty());
    CHECK(rows_of<CsvRows>("").empty());
  }
  TEST_CASE("empty lines of CSV are no rows, semicolons are taken where the header has no comma") {
    CHECK(rows_of<CsvRows>("a;b\n\n1;2,5\n\n") == Texts{"3: a=1 b=2,5"});
  }
  TEST_CASE("a CSV row with too few or too many cells is refused, the next one is read") {
    CHECK(rows_of<CsvRows>("a,b\n1\n1,2,3\n4,5\n") == Texts{"2: MALFORMED <1>", "3: MALFORMED <1,2,3>", "4: a=4 b=5"});
  }
  TEST_CASE("a quote that never closes costs its own line, not the rest of the file") {
    std::string text = "a,b\n1,\"x\n";
    for (int n = 0; n < 20'000; ++n) text += "4,5\n";
    const auto rows = rows_of<CsvRows>(text);
    REQUIRE(rows.size() == 20'001);
    CHECK(rows[0] == "2: MALFORMED <1,\"x>");
    CHECK(rows[1] == "3: a=4 b=5");
    CHECK(rows.back() == "20002: a=4 b=5");
  }

  TEST_CASE("JSON lines: one object a line, empty lines are none, a broken one costs itself") {
    CHECK(rows_of<JsonRows>("{\"a\":1}\r\n\n{broken\n{\"a\":\"x\"}") ==
          Texts{"1: a=1", "3: MALFORMED <{broken>", "4: a=x"});
    CHECK(rows_of<JsonRows>(" \n").empty());
  }
  TEST_CASE("a JSON array is read element by element, whatever stands inside its texts") {
    CHECK(rows_of<JsonRows>("[\n {\"a\": \"],}\\\"\"},\n {\"a\": 1.50}\n]\n") == Texts{"2: a=],}\"", "3: a=1.50"});
    CHECK(rows_of<JsonRows>("[]").empty());
    CHECK(rows_of<JsonRows>("[1, {\"a\":2}]") == Texts{"1: MALFORMED <1>", "1: a=2"});
  }
  TEST_CASE("an array that is cut off or goes on after its end says so in one row") {
    CHECK(rows_of<JsonRows>("[{\"a\":1},") == Texts{"1: a=1", "1: MALFORMED <>"});
    CHECK(rows_of<JsonRows>("[{\"a\":1}, {\"a\"") == Texts{"1: a=1", "1: MALFORMED <{\"a\">", "1: MALFORMED <>"});
    CHECK(rows_of<JsonRows>("[{\"a\":1}] x") == Texts{"1: a=1", "1: MALFORMED <x>"});
  }
}

TEST_SUITE("tellerctl.sources") {
  TEST_CASE("a file name says whose it is") {
    CHECK(source_of("x/clients.csv")->system == "broker");
    CHECK(source_of("x/clients.json")->system == "loans");
    CHECK(source_of("x/payments_12.json")->kind == wire::Kind::kInstalmentPayment);
    CHECK(source_of("x/payments.csv")->kind == wire::Kind::kBillPayment);
    CHECK(source_of("x/payments_1.csv") == nullptr);
    CHECK(source_of("x/clients_old.json") == nullptr);
    CHECK(source_of("x/events.ndjson") == nullptr);
  }

  TEST_CASE("a client of the broker is cleaned and dated by its registration") {
    const auto client = translated(
        "clients.csv",
        "client_id,client_name,phone,email,birth_date,registration_date,city,segment,status\n"
        "CLIENT_000001,\"  Name 1 \",+7 (900) 0000001,\" a@b.c \",1980-01-01,2026-01-01,Kazan,Basic,Active\n");
    REQUIRE(client.refusal == "");
    CHECK(client.event.system == "broker");
    CHECK(client.event.customer == "CLIENT_000001");
    CHECK(client.event.occurred_us == 1'767'214'800'000'000);  // TZ=Europe/Moscow date -d 2026-01-01 +%s
    CHECK(client.event.version == 1'767'214'800'000'000);
    const auto& profile = std::get<wire::Profile>(client.event.body);
    CHECK(profile.name == "Name 1");
    CHECK(profile.phone == "79000000001");
    CHECK(profile.email == "a@b.c");
    CHECK(profile.registered_on == "2026-01-01");
  }

  TEST_CASE("a bank transaction: codes upper case, direction lower case, the amount exact") {
    const char* header = "transaction_id,client_id,transaction_date,amount,currency,transaction_type,channel\n";
    const auto good = translated("bank_transactions.csv",
                                 std::string(header) + "TXN_1,CLIENT_1,2026-01-01 00:00:01,49999.99, usd ,Debit,ATM\n");
    REQUIRE(good.refusal == "");
    const auto& fact = std::get<wire::Transaction>(good.event.body);
    CHECK(fact.amount_minor == 4'999'999);
    CHECK(fact.currency == "USD");
    CHECK(fact.direction == "debit");
    CHECK(fact.channel == "ATM");
    CHECK(good.event.id == "TXN_1");
    CHECK(good.event.occurred_us == 1'767'214'801'000'000);
    const auto empty =
        translated("bank_transactions.csv", std::string(header) + "TXN_1,CLIENT_1,2026-01-01,,RUB,Debit,ATM\n");
    CHECK(empty.refusal == "amount is no decimal number");
  }

  TEST_CASE("a holding and a rate keep their fractions") {
    const auto holding = translated(
        "securities_portfolios.csv",
        "portfolio_id,client_id,security_type,security_name,quantity,purchase_price,current_price,purchase_date\n"
        "P,C,ETF,S,0.000001,10,5000.5,2026-01-01\n");
    REQUIRE(holding.refusal == "");
    const auto& fact = std::get<wire::Holding>(holding.event.body);
    CHECK(fact.quantity_micro == 1);
    CHECK(fact.purchase_price_minor == 1000);
    CHECK(fact.current_price_minor == 500'050);
    CHECK(fact.purchase_date == "2026-01-01");
    const auto rate = translated(
        "currency_rates.csv",
        "rate_id,currency_pair,rate_date,rate_value,rate_type\nR,usd/RUB,2026-01-01 00:00:00,92.1234,Close\n");
    REQUIRE(rate.refusal == "");
    CHECK(std::get<wire::Rate>(rate.event.body).base == "USD");
    CHECK(std::get<wire::Rate>(rate.event.body).quote == "RUB");
    CHECK(std::get<wire::Rate>(rate.event.body).value_micro == 92'123'400);
    CHECK(rate.event.customer.empty());
  }

  TEST_CASE("loans are in roubles, whole numbers may have a point, nulls are absent") {
    const auto loan =
        translated("loans_2.json",
                   R"([{"client_id":17.0,"loan_name":"ABC-1","loan_amount":50001.0,"loan_start_date":"2024-01-01",)"
                   R"("loan_end_date":"2026-06-01","payment_numbers":24,"paid_amount":2083}])");
    REQUIRE(loan.refusal == "");
    CHECK(loan.event.customer == "17");
    CHECK(loan.event.system == "loans");
    CHECK(loan.event.version == 0);
    const auto& fact = std::get<wire::Loan>(loan.event.body);
    CHECK(fact.amount_minor == 5'000'100);
    CHECK(fact.planned_minor == 208'300);
    CHECK(fact.currency == "RUB");
    CHECK(fact.payment_count == 24);
    CHECK(loan.event.occurred_us == 1'704'056'400'000'000);  // TZ=Europe/Moscow date -d 2024-01-01 +%s

    const auto open = translated(
        "payments.json", R"([{"client_id":17,"loan_name":"ABC-1","payment_number":3,"payment_date":"2024-02-01",)"
                         R"("payment_fact_date":null,"paid_fact_amount":null}])");
    REQUIRE(open.refusal == "");
    CHECK(std::get<wire::InstalmentPayment>(open.event.body).fact_date.empty());
    CHECK(std::get<wire::InstalmentPayment>(open.event.body).paid_minor == 0);
    CHECK(std::get<wire::InstalmentPayment>(open.event.body).payment_number == 3);

    const auto client =
        translated("clients.json",
                   R"([{"client_id":5,"fio":"Фамилия Имя","count_of_children":1.0,"region":null,"income":20000}])");
    REQUIRE(client.refusal == "");
    const auto& profile = std::get<wire::Profile>(client.event.body);
    CHECK(profile.name == "Фамилия Имя");
    CHECK(profile.children == 1);
    CHECK(profile.region.empty());
    CHECK(profile.income_minor == 2'000'000);
    CHECK(client.event.occurred_us == 0);
    const auto nobody = translated("clients.json", R"([{"client_id":5,"count_of_children":null}])");
    CHECK(std::get<wire::Profile>(nobody.event.body).children == -1);  // not told is not none
  }

  TEST_CASE("a map of columns says where it is wrong") {
    const TemporaryFolder folder;
    write(folder.path / "good.toml", "ClientNo = \"customer\"\n\"Sum, RUB\" = \"amount\"\n");
    CHECK(read_column_map(folder.path / "good.toml") == ColumnMap{{"ClientNo", "customer"}, {"Sum, RUB", "amount"}});
    write(folder.path / "bad.toml", "a = \"id\"\nb = 5\n");
    CHECK_THROWS_AS(read_column_map(folder.path / "bad.toml"), core::Fault);
    write(folder.path / "worse.toml", "a = \n");
    CHECK_THROWS_AS(read_column_map(folder.path / "worse.toml"), core::Fault);
  }
}

TEST_SUITE("tellerctl.plan") {
  TEST_CASE("a folder is read profiles first, then joins, rates and loans; what is unknown is left alone") {
    const TemporaryFolder folder;
    for (const char* name : {"bank_transactions.csv", "currency_rates.csv", "events.ndjson", "aliases.ndjson",
                             "clients.csv", "loans/loans.json", "loans/payments.json", "loans/clients.json",
                             "notes.txt", "other.csv", "deeper/clients.csv"})
      write(folder.path / name, "");
    Texts names;
    for (const auto& file : files_of({folder.path})) names.push_back(file.lexically_relative(folder.path).string());
    CHECK(names == Texts{"clients.csv", "loans/clients.json", "aliases.ndjson", "currency_rates.csv",
                         "loans/loans.json", "bank_transactions.csv", "events.ndjson", "loans/payments.json"});
  }
  TEST_CASE("a file named is taken as it is; nothing, or only parts, is a sentence") {
    const TemporaryFolder folder;
    write(folder.path / "other.csv", "");
    CHECK(files_of({folder.path / "other.csv"}).size() == 1);
    CHECK_THROWS_AS(files_of({folder.path}), core::Fault);
    CHECK_THROWS_AS(files_of({folder.path / "none"}), core::Fault);
    write(folder.path / "part_1" / "clients_1.json", "[]");
    CHECK_THROWS_WITH(
        files_of({folder.path}),
        (folder.path.string() + " holds parts: load the next one with --part N, or all that are missing with --all")
            .c_str());
  }
  TEST_CASE("parts are found by number") {
    const TemporaryFolder folder;
    for (const char* name : {"part_1", "part_10", "part_2", "part_x", "part_", "part_0"})
      std::filesystem::create_directory(folder.path / name);
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, path] : parts_of(folder.path)) numbers.push_back(number);
    CHECK(numbers == std::vector<std::uint64_t>{1, 2, 10});
  }
}

TEST_SUITE("tellerctl.load") {
  TEST_CASE("a summary says how many, how many not and why") {
    FileReport report;
    report.file = "x/clients.csv";
    report.rows = 5000;
    report.seconds = 0.5;
    CHECK(summary_line(report) == "clients.csv: 5,000 rows, 0 refused, 10,000 rows/s");
    report.known_before = 4000;
    report.refused = 3;
    report.reasons = {{"BAD_AMOUNT", 2}, {"BAD_TIME", 1}};
    CHECK(summary_line(report) ==
          "clients.csv: 5,000 rows, 3 refused (BAD_AMOUNT 2, BAD_TIME 1; see tellerctl quarantine list), 4,000 loaded "
          "before, 2,000 rows/s");
    CHECK(with_commas(0) == "0");
    CHECK(with_commas(999) == "999");
    CHECK(with_commas(1'234'567) == "1,234,567");
  }

  TEST_CASE("a file's hash is the SHA-256 of its bytes") {
    const TemporaryFolder folder;
    write(folder.path / "abc", "abc");
    CHECK(FileBytes(folder.path / "abc").sha256() ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    write(folder.path / "empty", "");
    CHECK(FileBytes(folder.path / "empty").sha256() ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_THROWS_AS(FileBytes(folder.path), core::Fault);
    CHECK_THROWS_AS(FileBytes(folder.path / "none"), core::Fault);
  }
}

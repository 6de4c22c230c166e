#include <doctest/doctest.h>

#include <sstream>

#include "bronze/log.h"
#include "core/checksum.h"
#include "core/fault.h"
#include "tellerctl/marts/export.h"
#include "tellerctl/marts/live_records.h"
#include "unit/ctl_peer.h"

using namespace tellerd;
using namespace tellerd::test;
using namespace tellerd::tellerctl;

namespace {

store::Database with_marts() {
  auto database = store::Database::in_memory();
  database.execute(
      "CREATE TABLE t(customer_key, name, probability, n); INSERT INTO t VALUES('C1', 'a, \"b\"', 0.25, 7),"
      " ('C2', 'Анна' || char(10) || 'x', NULL, -1);"
      "CREATE VIEW mart_offer AS SELECT * FROM t; CREATE TABLE secret(x); CREATE VIEW other AS SELECT 1;");
  return database;
}

std::string exported(std::string_view name, ExportFormat format) {
  auto database = with_marts();
  std::ostringstream to;
  CHECK(export_rows(database, export_sql(database, name), format, to) == 2);
  return to.str();
}

}  // namespace

TEST_SUITE("tellerctl.export") {
  TEST_CASE("CSV has a header, quotes where they are needed, and nothing for NULL") {
    CHECK(exported("mart_offer", ExportFormat::kCsv) ==
          "customer_key,name,probability,n\r\nC1,\"a, \"\"b\"\"\",0.25,7\r\nC2,\"Анна\nx\",,-1\r\n");
  }
  TEST_CASE("JSON lines keep numbers as numbers and NULL as null; an alias is a mart") {
    CHECK(exported("offers", ExportFormat::kNdjson) ==
          "{\"customer_key\":\"C1\",\"name\":\"a, \\\"b\\\"\",\"probability\":0.25,\"n\":7}\n"
          "{\"customer_key\":\"C2\",\"name\":\"Анна\\nx\",\"probability\":null,\"n\":-1}\n");
  }
  TEST_CASE("only marts are exported") {
    auto database = with_marts();
    for (const char* name : {"secret", "other", "mart_", "mart_offer; DROP TABLE t", ""}) {
      CAPTURE(name);
      CHECK_THROWS_AS(export_sql(database, name), core::Fault);
    }
    CHECK_THROWS_WITH(
        export_sql(database, "x"),
        "there is no mart x; there are churn, segments, offers, overdue, marketing, vicidial, mart_offer");
  }
}

TEST_SUITE("tellerctl.live_records") {
  TEST_CASE("records come as JSON lines, from now on or from a seq, and can be picked out") {
    const TemporaryFolder folder;
    bronze::Log log(folder.path, {});
    wire::Encoder encoder;
    const auto append = [&](wire::Kind kind, std::string_view payload) {
      log.begin(1'767'225'600'000'000);
      auto& producer = log.producer("load:x", 1);
      bronze::Record record;
      record.seq = log.last_seq() + 1;
      record.now_us = record.received_us = 1'767'225'600'000'000;
      record.producer = kind == wire::Kind::kTick ? 0 : producer.id;
      record.producer_seq = 5;
      record.kind = kind;
      record.payload = payload;
      record.crc = core::crc32c(payload);
      log.append(record);
      log.commit();
    };
    wire::Event login;
    login.id = "l1";
    login.customer = "C";
    login.body = wire::Login{true, "", ""};
    append(wire::Kind::kLogin, encoder.encode(login));

    LiveRecords from_now(folder.path, -1), all(folder.path, 0);
    CHECK(from_now.next().empty());
    const std::string head = R"("now_us":1767225600000000,"received_us":1767225600000000,"producer":)";
    CHECK(all.next() == std::vector<std::string>{
                            R"({"seq":1,)" + head +
                            R"("load:x","producer_seq":5,"kind":"login","id":"l1","customer":"C","occurred_us":0,)"
                            R"("occurred_at":"1970-01-01T00:00:00.000000Z","success":true})"});
    append(wire::Kind::kTick, R"({"due":1})");
    append(wire::Kind::kRefused, "no event at all");
    const auto lines = from_now.next();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] == R"({"seq":2,)" + head + R"("tellerd","producer_seq":5,"kind":"tick","payload":{"due":1}})");
    CHECK(lines[1] == R"({"seq":3,)" + head + R"("load:x","producer_seq":5,"refused":true,"kind":"refused"})");
    CHECK(from_now.next().empty());

    CHECK(matches_filter(lines[0], "kind=tick"));
    CHECK(matches_filter(lines[0], "seq=2"));
    CHECK(matches_filter(lines[1], "refused=true"));
    CHECK_FALSE(matches_filter(lines[0], "kind=refused"));
    CHECK_FALSE(matches_filter(lines[0], "customer=C"));
    CHECK_FALSE(matches_filter(lines[0], "kind"));
  }
}

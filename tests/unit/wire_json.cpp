#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "wire/codec.h"
#include "wire/json.h"

using namespace tellerd;
using wire::VerdictCode;

namespace {

const core::Calendar kMoscow("Europe/Moscow");

struct Reading {
  explicit Reading(std::string_view line, std::string_view system = "main") : reader(kMoscow, system) {
    const auto made = reader.read(line);
    if (const auto* event_found = std::get_if<const wire::Event*>(&made)) event = **event_found;
    if (const auto* refusal_found = std::get_if<wire::Refusal>(&made)) refusal = *refusal_found;
  }
  wire::EventReader reader;
  wire::Event event;
  std::optional<wire::Refusal> refusal;
};

std::string verdict(std::string_view line) {
  const Reading read(line);
  if (!read.refusal) return "read";
  return std::string(wire::name_of(read.refusal->code)) + " " + read.refusal->field;
}

// A transaction with these members more.
std::string with(const std::string& members) {
  return R"({"kind":"transaction","id":"t","customer":"C","occurred_us":1,)" + members + "}";
}
std::int64_t amount(const std::string& members) {
  const Reading read(with(members));
  REQUIRE_FALSE(read.refusal);
  return std::get<wire::Transaction>(read.event.body).amount_minor;
}

}  // namespace

TEST_SUITE("wire.json") {
  TEST_CASE("a line is an event with the schema's field names") {
    const Reading read(
        R"({"kind":"transaction","id":"t1","customer":"C7","occurred_us":1767225600000000,"version":3,"amount_minor":1050,)"
        R"("currency":"RUB","direction":"debit","mcc":5411,"merchant":"Ромашка \"24\"","city":null})");
    REQUIRE_FALSE(read.refusal);
    CHECK(read.event.id == "t1");
    CHECK(read.event.customer == "C7");
    CHECK(read.event.system.empty());
    CHECK(read.event.occurred_us == 1767225600000000);
    CHECK(read.event.version == 3);
    const auto& fact = std::get<wire::Transaction>(read.event.body);
    CHECK(fact.amount_minor == 1050);
    CHECK(fact.mcc == 5411);
    CHECK(fact.merchant == "Ромашка \"24\"");
    CHECK(fact.city.empty());
  }

  TEST_CASE("a decimal amount is exact in the digits of its currency, whatever the order of the members") {
    CHECK(amount(R"("amount":10.5,"currency":"RUB")") == 1050);
    CHECK(amount(R"("currency":"RUB","amount":"10.50")") == 1050);
    CHECK(amount(R"("amount":500,"currency":"JPY")") == 500);
    CHECK(amount(R"("amount":1.234,"currency":"KWD")") == 1234);
    CHECK(amount(R"("amount":-0.07,"currency":"USD")") == -7);
    CHECK(amount(R"("amount":999999999999.993,"currency":"BHD")") == 999999999999993);
    CHECK(amount(R"("amount":1000000000000000,"currency":"JPY")") == 1000000000000000);  // the greatest
    CHECK(verdict(with(R"("amount":1000000000000001,"currency":"JPY")")) == "BAD_AMOUNT amount");
    CHECK(verdict(with(R"("amount":1.234,"currency":"RUB")")) == "BAD_AMOUNT amount");
    CHECK(verdict(with(R"("amount":5,"currency":"XYZ")")) == "BAD_AMOUNT currency");
  }

  TEST_CASE("an amount that is no finite decimal is a bad amount, another field a bad value") {
    CHECK(verdict(with(R"("amount":NaN,"currency":"RUB")")) == "BAD_AMOUNT amount");
    CHECK(verdict(with(R"("amount_minor":-Infinity)")) == "BAD_AMOUNT amount_minor");
    CHECK(verdict(with(R"("amount":"nan")")) == "BAD_AMOUNT amount");
    CHECK(verdict(with(R"("amount":1e999)")) == "BAD_AMOUNT amount");
    CHECK(verdict(with(R"("amount_minor":1.5)")) == "BAD_AMOUNT amount_minor");
    CHECK(verdict(with(R"("mcc":NaN)")) == "BAD_VALUE mcc");
    CHECK(verdict(with(R"("mcc":2147483648)")) == "BAD_VALUE mcc");
    CHECK(verdict(with(R"("mcc":2147483647)")) == "read");
    CHECK(verdict(with(R"("mcc":5411.0)")) == "read");
  }

  TEST_CASE("quantity and rate are millionths") {
    const Reading rate(R"({"kind":"rate","id":"r","occurred_us":1,"base":"USD","quote":"RUB","value":92.1234})");
    CHECK(std::get<wire::Rate>(rate.event.body).value_micro == 92'123'400);
    const Reading holding(
        R"({"kind":"holding","id":"h","customer":"C","occurred_us":1,"quantity":"0.5","current_price":10.01})");
    CHECK(std::get<wire::Holding>(holding.event.body).quantity_micro == 500'000);
    CHECK(std::get<wire::Holding>(holding.event.body).current_price_minor == 1001);
    const Reading attribute(
        R"({"kind":"attribute","customer":"C","name":"n","value":"92.1"})");  // a text of the same name stays a text
    CHECK(std::get<wire::Attribute>(attribute.event.body).value == "92.1");
  }

  TEST_CASE("a customer names its system before the first colon, else it is the file's") {
    const std::string line = R"({"kind":"sms","id":"s","occurred_us":1,"customer":")";
    CHECK(Reading(line + "way4:a:b\"}").event.system == "way4");
    CHECK(Reading(line + "way4:a:b\"}").event.customer == "a:b");
    CHECK(Reading(line + "a\"}", "loans").event.system == "loans");
    CHECK(Reading(line + "main:a\"}", "loans").event.system.empty());
    CHECK(Reading(R"({"kind":"sms","id":"s","occurred_us":1,"customer":17})").event.customer == "17");
  }

  TEST_CASE("a time without an offset is branch time") {
    const std::string line = R"({"kind":"sms","id":"s","customer":"C","occurred_at":")";
    CHECK(Reading(line + "2026-01-01T03:00:00\"}").event.occurred_us == 1767225600000000);  // date -u -d 2026-01-01 +%s
    CHECK(Reading(line + "2026-01-01T00:00:00Z\"}").event.occurred_us == 1767225600000000);
    CHECK(Reading(line + "2026-01-01\"}").event.occurred_us == 1767225600000000 - 3 * core::kHour);
    CHECK(verdict(line + "yesterday\"}") == "BAD_TIME occurred_at");
    CHECK(verdict(R"({"kind":"sms","id":"s","customer":"C","occurred_us":"x"})") == "BAD_TIME occurred_us");
    CHECK(verdict(R"({"kind":"sms","id":"s","customer":"C"})") == "MISSING_FIELD occurred_us");
    CHECK(verdict(R"({"kind":"product","product":"P"})") == "read");  // not dated activity
  }

  TEST_CASE("what is not understood is refused with its field") {
    CHECK(verdict(with(R"("colour":"red")")) == "BAD_VALUE colour");
    CHECK(verdict(with(R"("mcc":1,"mcc":2)")) == "BAD_VALUE mcc");
    CHECK(verdict(with(R"("city":["a"])")) == "BAD_VALUE city");
    CHECK(verdict(with(R"("version":-1)")) == "BAD_VALUE version");
    CHECK(verdict(R"({"kind":"tick"})") == "UNKNOWN_KIND kind");
    CHECK(verdict(R"({"id":"x"})") == "MISSING_FIELD kind");
    CHECK(verdict(R"({"kind":"login","id":"l","customer":"C","occurred_us":1,"success":"yes"})") ==
          "BAD_VALUE success");
    CHECK(verdict(R"([1])") == "MALFORMED ");
    CHECK(verdict("17") == "MALFORMED ");
    CHECK(verdict("") == "MALFORMED ");
    CHECK(verdict(R"({"kind":"sms")") == "MALFORMED ");
    CHECK(verdict("{\"kind\":\"sms\",\"text\":\"\xFF\"}") == "MALFORMED ");
    CHECK(verdict(with(R"("mcc":1})")) == "MALFORMED ");
    CHECK(verdict(std::string(100'000, '[')) == "MALFORMED ");
  }

  TEST_CASE("a reader keeps nothing of the line before") {
    wire::EventReader reader(kMoscow);
    REQUIRE(std::holds_alternative<const wire::Event*>(reader.read(with(R"("mcc":5411,"city":"Казань")"))));
    REQUIRE(std::holds_alternative<wire::Refusal>(reader.read("{")));
    const auto made = reader.read(R"({"kind":"transaction","id":"u","customer":"D","occurred_us":2})");
    const auto& fact = std::get<wire::Transaction>(std::get<const wire::Event*>(made)->body);
    CHECK(fact.mcc == 0);
    CHECK(fact.city.empty());
  }

  TEST_CASE("an event as JSON reads back as the same bytes") {
    for (
        const std::string line :
        {R"({"kind":"profile","id":"p","customer":"loans:1","occurred_us":5,"name":"Анна \"А\"","children":0,"resident":false})",
         R"({"kind":"sms","id":"s","customer":"main:a:b","occurred_us":-1,"text":"\u0000\n"})",
         R"({"kind":"product","system":"shop","product":"P","price_minor":-5,"in_stock":false})",
         R"({"kind":"loan","customer":"x","version":18446744073709551615,"loan_name":"L","amount":"1000000000000.00"})"}) {
      CAPTURE(line);
      const Reading first(line);
      REQUIRE_FALSE(first.refusal);
      std::string text;
      wire::append_json(first.event, text);
      const Reading again(text);
      REQUIRE_FALSE(again.refusal);
      wire::Encoder one, other;
      CHECK(std::string(one.encode(first.event)) == std::string(other.encode(again.event)));
    }
  }

  TEST_CASE("JSON leaves out what is at its default and names the time twice") {
    const Reading read(
        R"({"kind":"login","id":"l","customer":"way4:9","occurred_us":1767225600000001,"success":true})");
    std::string text = "> ";
    wire::append_json(read.event, text);
    CHECK(text == R"(> {"kind":"login","id":"l","customer":"way4:9","occurred_us":1767225600000001,)"
                  R"("occurred_at":"2026-01-01T00:00:00.000001Z","success":true})");
  }
}

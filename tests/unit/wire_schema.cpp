// The plain structs against the text of schema/event.fbs: the same kinds in the same order, the same fields, types,
// defaults.
#include <doctest/doctest.h>

#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "core/embedded.h"
#include "wire/batch.h"
#include "wire/facts.h"

namespace {

using namespace tellerd;

struct Field {
  std::string name, type, preset;
  bool operator==(const Field&) const = default;
};
using Fields = std::vector<Field>;

std::string shown(const Fields& fields) {
  std::string text;
  for (const auto& field : fields) text += field.name + ":" + field.type + "=" + field.preset + " ";
  return text;
}

// A table of the schema's text; what the text leaves out is the type's zero.
Fields table_of(const std::string& schema, const std::string& name) {
  std::smatch body;
  Fields fields;
  if (!std::regex_search(schema, body, std::regex("table " + name + " \\{([^}]*)\\}"))) return fields;
  const std::string text = body[1];
  const std::regex field(R"((\w+):(\w+)(?: = ([-\w]+))?;)");
  for (std::sregex_iterator at(text.begin(), text.end(), field), end; at != end; ++at) {
    const std::string type = (*at)[2], given = (*at)[3];
    const std::string zero = type == "string" ? "" : type == "bool" ? "false" : "0";
    fields.push_back({(*at)[1], type, given.empty() ? zero : given});
  }
  return fields;
}

// Members of a union or enum of the schema's text; `head` stands before the brace.
std::vector<std::string> members_of(const std::string& schema, const std::string& head) {
  std::smatch body;
  std::vector<std::string> members;
  REQUIRE(std::regex_search(schema, body, std::regex(head + R"( \{([^}]*)\})")));
  const std::string text = body[1];
  const std::regex member(R"(\w+)");
  for (std::sregex_iterator at(text.begin(), text.end(), member), end; at != end; ++at) members.push_back(at->str());
  return members;
}

std::string snake(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper && !text.empty()) text += '_';
    text += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

struct Collect {
  Fields& fields;
  void operator()(wire::Text name, const wire::Text& value) {
    fields.push_back({std::string(name), "string", std::string(value)});
  }
  void operator()(wire::Text name, const bool& value) {
    fields.push_back({std::string(name), "bool", value ? "true" : "false"});
  }
  void operator()(wire::Text name, const std::int32_t& value) {
    fields.push_back({std::string(name), "int", std::to_string(value)});
  }
  void operator()(wire::Text name, const std::int64_t& value) {
    fields.push_back({std::string(name), "long", std::to_string(value)});
  }
};

template <std::size_t Number>
void check_kind(const std::string& schema, const std::vector<std::string>& members) {
  using Fact = std::variant_alternative_t<Number, wire::Body>;
  const std::string& name = members[Number - 1];
  CAPTURE(name);
  CHECK(static_cast<std::size_t>(Fact::kKind) == Number);
  CHECK(std::string(Fact::kName) == snake(name));
  CHECK(std::string(wire::name_of(Fact::kKind)) == snake(name));
  Fields fields;
  const Fact fresh;
  Fact::each(fresh, Collect{fields});
  CHECK(shown(fields) == shown(table_of(schema, name)));
}

template <std::size_t... At>
void check_kinds(const std::string& schema, const std::vector<std::string>& members, std::index_sequence<At...>) {
  (check_kind<At + 1>(schema, members), ...);
}

}  // namespace

TEST_SUITE("wire.schema") {
  TEST_CASE("each struct has its table's fields, in order, with its types and defaults") {
    const std::string schema(core::embedded_file("schema/event.fbs"));
    const auto members = members_of(schema, "union Body");
    REQUIRE(members.size() == wire::kEventKinds);
    check_kinds(schema, members, std::make_index_sequence<wire::kEventKinds>{});
  }

  TEST_CASE("the codes of an answer have the schema's names and numbers") {
    const std::string schema(core::embedded_file("schema/ack.fbs"));
    const auto acks = members_of(schema, "enum AckCode : ubyte"),
               verdicts = members_of(schema, "enum VerdictCode : ubyte");
    CHECK(acks.size() == 7);
    CHECK(verdicts.size() == 12);
    for (std::size_t at = 0; at < acks.size(); ++at)
      CHECK(wire::name_of(static_cast<wire::AckCode>(at)) == upper(snake(acks[at])));
    for (std::size_t at = 0; at < verdicts.size(); ++at)
      CHECK(wire::name_of(static_cast<wire::VerdictCode>(at)) == upper(snake(verdicts[at])));
  }

  TEST_CASE("the reading of the schema's text sees order, types and defaults") {
    const Fields fields = table_of("table A { x:long; y:string; }\ntable Ab { on:bool = true; n:int = -1; }", "Ab");
    CHECK(shown(fields) == "on:bool=true n:int=-1 ");
  }
}

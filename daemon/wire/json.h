// One event as a JSON object (design.md 6): "kind", "id", "customer", "occurred_us" or "occurred_at", "version", and
// the schema's field names. X_minor may be given as decimal X in the digits of the event's currency, X_micro as decimal
// X: exact, never through floating point. Fields that are unknown or given twice are refused. Errors: what a line says
// never throws, it is a Refusal. Threads: one EventReader a thread.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/time.h"
#include "wire/batch.h"
#include "wire/facts.h"

namespace tellerd::wire {

struct Refusal {
  VerdictCode code = VerdictCode::kBadValue;
  std::string field, words;  // words: for people, without the value (it may be personal)
};

// A named value of a source: a JSON member, a cell of a table. Numbers keep the text they were written in.
enum class Form : std::uint8_t { kText, kNumber, kBool, kNull };
struct Field {
  Text name, value;
  Form form = Form::kText;
};

// The members of one flat JSON object. Views live until the next parse.
class FlatObject {
 public:
  std::optional<Refusal> parse(std::string_view text);
  const std::vector<Field>& fields() const noexcept { return fields_; }

 private:
  friend struct FlatObjectSax;
  struct Member {
    std::string name, value;
    Form form = Form::kText;
  };
  std::vector<Member> members_;  // storage kept from line to line; the first count_ are this line's
  std::size_t count_ = 0;
  std::vector<Field> fields_;
};

class EventReader {
 public:
  // `system`: whose keys customers are when they do not name one; `kind`: of events that do not say.
  EventReader(const core::Calendar& calendar, std::string_view system = "main", Kind kind = Kind::kNone);

  // The event's texts live until the next read, or as long as `fields` do.
  std::variant<const Event*, Refusal> read(std::string_view json_object);
  std::variant<const Event*, Refusal> assemble(std::span<const Field> fields);

 private:
  std::optional<Refusal> set_head(const Field& field, bool& is_dated);
  std::optional<Refusal> set_body(std::span<const Field> fields);

  const core::Calendar& calendar_;
  std::string system_;
  Kind kind_;
  FlatObject object_;
  Event event_;
};

// Appends the event as one JSON object without a line end; what is at its default is left out. "customer" names the
// system unless it is main. Bytes that are not UTF-8 are replaced.
void append_json(const Event& event, std::string& to);

}  // namespace tellerd::wire

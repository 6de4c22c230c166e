#include "wire/codec.h"

#include <flatbuffers/flatbuffers.h>

#include <array>
#include <cstring>
#include <utility>

#include "core/assert.h"
#include "core/limits.h"
#include "schema/event_generated.h"

namespace tellerd::wire {
namespace {

namespace limits = core::limits;

constexpr flatbuffers::voffset_t slot(int field) { return static_cast<flatbuffers::voffset_t>(4 + 2 * field); }
constexpr int kFieldsMax = 32;

Text text_of(const flatbuffers::String* text) noexcept { return text ? Text(text->c_str(), text->size()) : Text(); }

// Reads a table's fields in the order `each` names them.
struct ReadFields {
  const flatbuffers::Table& table;
  int field = 0;
  void operator()(Text, Text& out) { out = text_of(table.GetPointer<const flatbuffers::String*>(slot(field++))); }
  void operator()(Text, std::int64_t& out) { out = table.GetField<std::int64_t>(slot(field++), out); }
  void operator()(Text, std::int32_t& out) { out = table.GetField<std::int32_t>(slot(field++), out); }
  void operator()(Text, bool& out) { out = table.GetField<std::uint8_t>(slot(field++), out) != 0; }
};

template <std::size_t Index = 1>
void read_body(std::size_t type, const flatbuffers::Table& table, Body& body) {
  if constexpr (Index < std::variant_size_v<Body>) {
    if (type != Index) return read_body<Index + 1>(type, table, body);
    using Fact = std::variant_alternative_t<Index, Body>;
    static_assert(static_cast<std::size_t>(Fact::kKind) == Index);
    Fact::each(body.emplace<Index>(), ReadFields{table});
  }
}

}  // namespace

Text name_of(Kind kind) noexcept {
  Text name = "?";
  auto try_one = [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((static_cast<std::size_t>(kind) == I + 1 ? void(name = std::variant_alternative_t<I + 1, Body>::kName) : void()),
     ...);
  };
  try_one(std::make_index_sequence<kEventKinds>{});
  switch (kind) {
    case Kind::kTick:
      return "tick";
    case Kind::kPackActivated:
      return "pack_activated";
    case Kind::kPackComing:
      return "pack_coming";
    case Kind::kConfigRecorded:
      return "config_recorded";
    case Kind::kRepair:
      return "repair";
    case Kind::kRefused:
      return "refused";
    case Kind::kQueueSession:
      return "queue_session";
    case Kind::kQueueGrant:
      return "queue_grant";
    case Kind::kQueueLease:
      return "queue_lease";
    case Kind::kQueueOutcome:
      return "queue_outcome";
    case Kind::kQueueTimer:
      return "queue_timer";
    case Kind::kModelTrained:
      return "model_trained";
    case Kind::kModelActivated:
      return "model_activated";
    default:
      return name;
  }
}

Kind kind_named(Text name) noexcept {
  for (int kind = 1; kind <= kEventKinds; ++kind)
    if (name_of(static_cast<Kind>(kind)) == name) return static_cast<Kind>(kind);
  return Kind::kNone;
}

bool verify_event(std::string_view bytes) noexcept {
  if (bytes.size() < limits::kEventBytesMin || bytes.size() > limits::kEventBytesMax) return false;
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                                 limits::kVerifyDepthMax, limits::kVerifyTablesMax);
  return schema::VerifyEventBuffer(verifier);
}

std::string_view Decoder::aligned(std::string_view bytes) {
  if (bytes.empty() || reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0) return bytes;
  if (scratch_bytes_ < bytes.size()) {
    scratch_bytes_ = std::max<std::size_t>(bytes.size(), 4096);
    scratch_ = std::make_unique<char[]>(scratch_bytes_);
  }
  std::memcpy(scratch_.get(), bytes.data(), bytes.size());
  return {scratch_.get(), bytes.size()};
}

Event Decoder::decode_head(std::string_view bytes) {
  const auto* root = flatbuffers::GetRoot<schema::Event>(bytes.data());
  Event event;
  event.id = text_of(root->id());
  event.system = text_of(root->system());
  event.customer = text_of(root->customer());
  event.occurred_us = root->occurred_us();
  event.version = root->version();
  return event;
}

Event Decoder::decode(std::string_view bytes) {
  bytes = aligned(bytes);
  Event event = decode_head(bytes);
  const auto* root = flatbuffers::GetRoot<schema::Event>(bytes.data());
  if (const auto* table = static_cast<const flatbuffers::Table*>(root->body()))
    read_body(static_cast<std::size_t>(root->body_type()), *table, event.body);
  return event;
}

struct Encoder::Builder {
  flatbuffers::FlatBufferBuilder fbb{512};
  std::array<flatbuffers::uoffset_t, kFieldsMax> offsets{};

  flatbuffers::uoffset_t text(Text value) { return value.empty() ? 0 : fbb.CreateString(value.data(), value.size()).o; }
};

namespace {

// First pass: strings must stand before their table. Second pass: the table; what equals the schema's default is left
// out.
template <class B>
struct WriteTexts {
  B& builder;
  int field = 0;
  void operator()(Text, const Text& value) { builder.offsets[static_cast<std::size_t>(field++)] = builder.text(value); }
  template <class T>
  void operator()(Text, const T&) {
    ++field;
  }
};

struct ReadDefaults {
  std::array<std::int64_t, kFieldsMax>& defaults;
  int field = 0;
  void operator()(Text, const Text&) { ++field; }
  template <class T>
  void operator()(Text, const T& value) {
    defaults[static_cast<std::size_t>(field++)] = static_cast<std::int64_t>(value);
  }
};

template <class B>
struct WriteFields {
  B& builder;
  const std::array<std::int64_t, kFieldsMax>& defaults;
  int field = 0;
  void operator()(Text, const Text&) {
    const auto at = static_cast<std::size_t>(field);
    if (builder.offsets[at]) builder.fbb.AddOffset(slot(field), flatbuffers::Offset<void>(builder.offsets[at]));
    ++field;
  }
  void operator()(Text, const bool& value) { put<std::uint8_t>(value); }
  template <class T>
  void operator()(Text, const T& value) {
    put<T>(value);
  }
  template <class T, class V>
  void put(V value) {
    builder.fbb.template AddElement<T>(slot(field), static_cast<T>(value),
                                       static_cast<T>(defaults[static_cast<std::size_t>(field)]));
    ++field;
  }
};

}  // namespace

Encoder::Encoder() : builder_(std::make_unique<Builder>()) {}
Encoder::~Encoder() = default;

std::string_view Encoder::encode(const Event& event) {
  auto& fbb = builder_->fbb;
  fbb.Clear();
  const flatbuffers::uoffset_t body = std::visit(
      [&]<class Fact>(const Fact& fact) -> flatbuffers::uoffset_t {
        if constexpr (std::is_same_v<Fact, std::monostate>) {
          return 0;
        } else {
          static const auto defaults = [] {
            std::array<std::int64_t, kFieldsMax> values{};
            const Fact fresh;
            Fact::each(fresh, ReadDefaults{values});
            return values;
          }();
          Fact::each(fact, WriteTexts<Builder>{*builder_});
          const auto start = fbb.StartTable();
          Fact::each(fact, WriteFields<Builder>{*builder_, defaults});
          return fbb.EndTable(start);
        }
      },
      event.body);
  const auto id = builder_->text(event.id), system = builder_->text(event.system),
             customer = builder_->text(event.customer);
  schema::EventBuilder root(fbb);
  if (id) root.add_id(id);
  if (system) root.add_system(system);
  if (customer) root.add_customer(customer);
  root.add_occurred_us(event.occurred_us);
  root.add_version(event.version);
  root.add_body_type(static_cast<schema::Body>(event.body.index()));
  if (body) root.add_body(body);
  fbb.Finish(root.Finish(), schema::EventIdentifier());
  return {reinterpret_cast<const char*>(fbb.GetBufferPointer()), fbb.GetSize()};
}

}  // namespace tellerd::wire

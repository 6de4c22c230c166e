#include "silver/tail.h"

#include <algorithm>

#include "core/assert.h"
#include "core/limits.h"

namespace tellerd::silver {
namespace {

using wire::Kind;
using wire::Text;

constexpr std::size_t kSlotsMax = Tail::kRowsMax * 16, kTextBytesMax = 1u << 20;
constexpr std::size_t kSlotsOfARow = 32;  // more than any kind has
constexpr int kLengthBits = 20;
static_assert(core::limits::kEventBytesMax < (1u << kLengthBits));

}  // namespace

Tail::Tail() {
  heads_.reserve(kRowsMax);
  slots_.reserve(kSlotsMax);
  texts_.reserve(kTextBytesMax);
}

// An event's bytes bound the bytes of its texts together.
bool Tail::has_room() const noexcept {
  return heads_.size() < kRowsMax && slots_.size() + kSlotsOfARow <= kSlotsMax &&
         texts_.size() + core::limits::kEventBytesMax <= kTextBytesMax;
}

std::int64_t Tail::keep(Text text) {
  const std::size_t offset = texts_.size();
  texts_.insert(texts_.end(), text.begin(), text.end());
  return static_cast<std::int64_t>(offset << kLengthBits | text.size());
}

Text Tail::text_of(std::int64_t slot) const noexcept {
  const auto packed = static_cast<std::uint64_t>(slot);
  return {texts_.data() + (packed >> kLengthBits), packed & ((1u << kLengthBits) - 1)};
}

void Tail::append(const Row& row) {
  TELLERD_ASSERT(stage_ == Stage::kOpen && has_room() && (heads_.empty() || heads_.back().seq < row.seq));
  const Kind kind = row.event.kind();
  places_[static_cast<std::size_t>(kind)].push_back(static_cast<std::uint32_t>(heads_.size()));
  heads_.push_back({row.seq, row.prev, row.event.occurred_us, row.event.version, row.mark.value_or(0),
                    static_cast<std::uint32_t>(slots_.size()), row.customer, kind, row.state, row.mark.has_value()});
  slots_.push_back(keep(row.event.id));
  std::visit(
      [&]<class Fact>(const Fact& fact) {
        if constexpr (!std::is_same_v<Fact, std::monostate>)
          Fact::each(fact, [&]<class T>(Text, const T& value) {
            if constexpr (std::is_same_v<T, Text>)
              slots_.push_back(keep(value));
            else
              slots_.push_back(static_cast<std::int64_t>(value));
          });
      },
      row.event.body);
}

std::optional<std::size_t> Tail::place_of(Seq seq) const noexcept {
  if (heads_.empty() || seq < heads_.front().seq || seq > heads_.back().seq) return std::nullopt;
  const auto head =
      std::lower_bound(heads_.begin(), heads_.end(), seq, [](const Head& one, Seq wanted) { return one.seq < wanted; });
  if (head == heads_.end() || head->seq != seq) return std::nullopt;
  return static_cast<std::size_t>(head - heads_.begin());
}

void Tail::set_state(Seq seq, RowState state) { heads_[*place_of(seq)].state = state; }

void Tail::set_mark(Seq seq, std::optional<std::int64_t> mark) {
  Head& head = heads_[*place_of(seq)];
  head.mark = mark.value_or(0);
  head.is_marked = mark.has_value();
}

std::optional<Row> Tail::find(Kind kind, Seq seq) const {
  const auto place = place_of(seq);
  if (!place || heads_[*place].kind != kind) return std::nullopt;
  const Head& head = heads_[*place];
  Row row;
  row.seq = seq;
  row.customer = head.customer;
  row.prev = head.prev;
  row.state = head.state;
  if (head.is_marked) row.mark = head.mark;
  row.event.occurred_us = head.occurred_us;
  row.event.version = head.version;
  const std::int64_t* slot = slots_.data() + head.first_slot;
  row.event.id = text_of(*slot++);
  with_fact(kind, [&]<class Fact>(const Fact&) {
    Fact::each(row.event.body.emplace<Fact>(), [&]<class T>(Text, T& value) {
      if constexpr (std::is_same_v<T, Text>)
        value = text_of(*slot++);
      else
        value = static_cast<T>(*slot++);
    });
  });
  return row;
}

void Tail::fill(Kind kind, std::size_t at, store::BulkRow& into) const {
  const Head& head = heads_[places_[static_cast<std::size_t>(kind)][at]];
  const std::int64_t* slot = slots_.data() + head.first_slot;
  into.add_all(head.seq, std::int64_t{head.customer}, head.prev, head.occurred_us,
               static_cast<std::int64_t>(head.version), static_cast<std::int64_t>(head.state), text_of(*slot++));
  if (has_mark(kind)) {
    if (head.is_marked)
      into.add(head.mark);
    else
      into.add_null();
  }
  with_fact(kind, [&]<class Fact>(const Fact& fact) {
    Fact::each(fact, [&]<class T>(Text, const T&) {
      if constexpr (std::is_same_v<T, Text>)
        into.add(text_of(*slot++));
      else
        into.add(*slot++);
    });
  });
}

void Tail::clear() noexcept {
  heads_.clear();
  slots_.clear();
  texts_.clear();
  for (auto& places : places_) places.clear();
  stage_ = Stage::kOpen;
}

std::array<std::span<char>, Tail::kParts> Tail::room_for_as_much_as(const Tail& other) noexcept {
  const auto part = []<class T>(std::vector<T>& ours, const std::vector<T>& theirs) {
    return std::span(reinterpret_cast<char*>(ours.data()), std::min(theirs.size(), ours.capacity()) * sizeof(T));
  };
  return {part(heads_, other.heads_), part(slots_, other.slots_), part(texts_, other.texts_)};
}

}  // namespace tellerd::silver

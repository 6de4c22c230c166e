#include "app/coming_pack.h"

#include <utility>

namespace tellerd::app {

using silver::CustomerId;
using silver::Row;
using wire::Kind;

DerivedAnew derived_anew(const decide::Pack* old, const decide::Pack& next) {
  if (!old) return {true, true, true};
  const auto &before = old->aggregates, &after = next.aggregates;
  DerivedAnew anew;
  anew.money = before.convert_currency != after.convert_currency || old->branch_currency != next.branch_currency;
  auto counting = before;
  counting.unpaid_is_overdue = after.unpaid_is_overdue;
  anew.facts = anew.money || !(counting == after) || old->competitors.sms_texts != next.competitors.sms_texts ||
               old->competitors.host_names != next.competitors.host_names ||
               old->mcc.category_of_code != next.mcc.category_of_code;
  anew.loans = before.unpaid_is_overdue != after.unpaid_is_overdue || !(old->overdue == next.overdue);
  return anew;
}

ComingPack::ComingPack(std::string_view bytes, silver::Seq record)
    : payload(bytes),
      seq(record),
      pack(std::make_unique<decide::Pack>(decide::parse_pack(decide::deserialise_pack(payload)))) {}

ComingGold::ComingGold(const decide::Pack& pack, silver::Seq since, core::Week week)
    : pack_(pack), windows_(windows_of(pack)), since_(since), week_(week), gold_(1), is_stale_(1) {}

ComingGold::~ComingGold() = default;

void ComingGold::grow(CustomerId id) {
  if (id < gold_.size()) return;
  gold_.resize(id + std::size_t{1});
  is_stale_.resize(gold_.size());
}

void ComingGold::touch(CustomerId id) {
  grow(id);
  if (is_stale_[id]) return;
  is_stale_[id] = true;
  stale_.push_back(id);
  remarks_.erase(id);
}

void ComingGold::add(gold::Customer& to, std::vector<Remark>& remarks, const Row& read, const gold::Rates& rates,
                     const core::Calendar& calendar) const {
  const Kind kind = read.event.kind();
  Row row = read;
  if (silver::has_mark(kind)) row.mark = mark_of(row.event, &pack_, rates);
  if (row.mark != read.mark) remarks.push_back({kind, row.seq, row.mark});
  gold::add(to, measure_of(row, &pack_, calendar), windows_);
}

void ComingGold::scan(store::Database& reader, int rows_max, const silver::Identities& identities,
                      const gold::Rates& rates, const core::Calendar& calendar) {
  while (kind_ != 0) {
    const Kind kind = static_cast<Kind>(kind_);
    if (silver::has_rows(kind) && wire::is_dated_activity(kind)) {
      if (!scan_) scan_.emplace(reader, kind);
      int seen = 0;
      const bool is_last = scan_->go_on(rows_max, [&](const Row& row) {
        ++seen;
        if (!row.customer) return;
        const CustomerId leader = identities.leader(row.customer);
        grow(leader);
        if (is_stale_[leader]) return;
        gold::Customer& gathered = gold_[leader];
        gold::advance(gathered, week_);
        of_row_.clear();
        add(gathered, of_row_, row, rates, calendar);
        if (gathered.week != week_)
          return touch(leader);  // minutes in the next week: its windows are counted from there
        if (of_row_.empty()) return;
        auto& remarks = remarks_[leader];
        remarks.insert(remarks.end(), of_row_.begin(), of_row_.end());
      });
      rows_ += seen;
      rows_max -= seen;
      if (!is_last) return;
      scan_.reset();
    }
    kind_ = kind_ == wire::kEventKinds ? 0 : kind_ + 1;
    if (rows_max <= 0) return;
  }
}

CustomerId ComingGold::take_stale() {
  const CustomerId id = stale_.back();
  stale_.pop_back();
  return id;
}

void ComingGold::put(CustomerId id, Customer gathered) {
  ++gathered_;
  is_stale_[id] = false;
  gold_[id] = std::move(gathered.gold);
  if (!gathered.remarks.empty()) remarks_[id] = std::move(gathered.remarks);
}

std::optional<ComingGold::Customer> ComingGold::take(CustomerId id) {
  if (kind_ != 0 || (id < gold_.size() && is_stale_[id])) return std::nullopt;
  Customer one;
  if (id >= gold_.size()) return one;  // has no facts
  one.gold = std::move(gold_[id]);
  if (const auto found = remarks_.find(id); found != remarks_.end()) one.remarks = std::move(found->second);
  return one;
}

}  // namespace tellerd::app

// Packs and configuration in the engine: an activation is a record, and what it changes is derived again in its turn.
#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/engine.h"
#include "app/engine_statements.h"
#include "core/fault.h"
#include "core/log.h"

namespace tellerd::app {

using silver::Row;
using wire::Kind;

namespace {

// Of a coming pack: a chain is read row by row, so past a share of the customers one pass over all rows is shorter.
constexpr std::size_t kStaleInTurn = 16, kStaleShareMax = 4;
constexpr int kRowsACustomer = 32;  // about, of a chain, as a row of a scan costs

}  // namespace

int Engine::number_of(std::string_view what, const std::string& name, std::int64_t level) {
  Names& names = names_[std::string(what)];
  const auto [at, is_new] = names.numbers.try_emplace(name, static_cast<int>(names.names.size()));
  if (is_new) names.names.push_back(name);
  statements_->put_name.bind_all(what, std::int64_t{at->second}, std::string_view(name), level).run();
  return at->second;
}

// What desks and marts know of an offer; the same words get the same number under every pack.
int Engine::number_template(const decide::Template& offer, const std::string& queue_name) {
  const auto& segment = pack_->segments.combined[offer.segment].name;
  std::string text = fmt::format("{}|{}|{}|{}|{}|{}|{}|{}", queue_name, segment, offer.action, offer.type,
                                 offer.name_ru, offer.base_minor, offer.priority, offer.days_valid);
  const std::string skills = nlohmann::json(offer.skills).dump();
  text += fmt::format("|{}|{}|{}|{}|{}|{}", offer.issue, offer.group, static_cast<int>(offer.purpose),
                      static_cast<int>(offer.channel), static_cast<int>(offer.credit), skills);
  const std::string parameters = nlohmann::ordered_json(offer.terms.parameters).dump();
  if (!offer.terms.is_empty()) text += fmt::format("|{}|{}", offer.terms.treatment, parameters);
  const bool is_new = !names_["template"].numbers.contains(text);
  const int number = number_of("template", text, 0);
  know_template(number, {queue_name, segment, offer.action, offer.type, offer.name_ru, offer.issue, offer.group,
                         offer.priority, offer.purpose, offer.channel, offer.credit, offer.skills, offer.terms});
  if (is_new)
    statements_->put_template
        .bind_all(std::int64_t{number}, std::string_view(queue_name), std::string_view(segment),
                  std::string_view(offer.action), std::string_view(offer.type), std::string_view(offer.name_ru),
                  offer.base_minor, std::int64_t{offer.priority}, std::int64_t{offer.days_valid},
                  std::string_view(offer.issue), std::string_view(offer.group),
                  static_cast<std::int64_t>(offer.purpose), static_cast<std::int64_t>(offer.channel),
                  static_cast<std::int64_t>(offer.credit), std::string_view(skills),
                  std::string_view(offer.terms.treatment), std::string_view(parameters))
        .run();
  return number;
}

// Compiles the pack and numbers its names; state that depends on it is the caller's to derive.
void Engine::use_pack(std::unique_ptr<decide::Pack> pack, Seq seq) {
  settle();  // a flush under way writes by the rules it began with
  drop_catalogue();
  rules_.reset();
  pack_ = std::move(pack);
  rules_ = std::make_unique<decide::Rules>(*pack_);
  pack_hash_ = pack_->hash;
  pack_name_ = pack_->name;
  pack_seq_ = seq;
  branch_currency_ = pack_->branch_currency;
  const auto& aggregates = pack_->aggregates;
  windows_ = windows_of(*pack_);
  loan_rules_ = {aggregates.unpaid_is_overdue, pack_->overdue.grace_days, pack_->overdue.materiality_minor};
  marketing_.set_rules({pack_->offers.marketing.active_in_window});
  tier_number_.clear();
  tier_reason_.clear();
  combined_number_.clear();
  template_number_.clear();
  for (const auto& tier : pack_->segments.tiers) {
    tier_number_.push_back(number_of("tier", tier.name, tier.level));
    tier_reason_.push_back(number_of("reason", tier.reason_en.empty() ? tier.when : tier.reason_en, 0));
  }
  for (const auto& combined : pack_->segments.combined)
    combined_number_.push_back(number_of("combined", combined.name, 0));
  for (const auto& offer : pack_->offers.templates)
    template_number_.push_back(number_template(offer, pack_->offers.queue));
  number_of("horizon_weeks", "horizon_weeks", pack_->churn.horizon_weeks);
  number_of("unpaid_is_overdue", "unpaid_is_overdue", aggregates.unpaid_is_overdue);
  const auto& catalogue = pack_->catalogue;
  number_of("contact_cost_minor", "call", catalogue ? catalogue->call_cost_minor : 0);
  number_of("contact_cost_minor", "message", catalogue ? catalogue->message_cost_minor : 0);
  tier_index_.assign(names_["tier"].names.size(), -1);
  for (std::size_t index = 0; index < tier_number_.size(); ++index)
    tier_index_[static_cast<std::size_t>(tier_number_[index])] = static_cast<int>(index);
  {
    const auto guard = queues_->lock();
    queues_->set_lease_ms(pack_->contact.lease_seconds * std::int64_t{1000},
                          pack_->contact.lease_seconds_max * std::int64_t{1000});
  }
  offer_topic_ = outbox_->topic("offer." + pack_->offers.queue);
  use_catalogue();  // its templates before their policy
  use_contact_policy();
}

void Engine::activate_pack(const Record& record) {
  auto next = std::make_unique<decide::Pack>(decide::parse_pack(decide::deserialise_pack(record.payload)));
  const DerivedAnew anew = derived_anew(pack_.get(), *next);
  const bool is_awaited = coming_ && coming_->pack->hash == next->hash;
  std::optional<ComingPack> awaited;  // nobody is stale by what this turn touches
  if (is_awaited) awaited.swap(coming_);
  ++turn_.part;
  turn_.due_us = 0;
  // Everybody is stood out of the marketing mart under the rules that stood them in.
  for (CustomerId id = 1; id <= identities_->count(); ++id)
    if (identities_->leader(id) == id) ask_again(id);
  use_pack(std::move(next), record.seq);
  use_model();
  statements_->put_policy
      .bind_all(record.seq, now_us_, std::string_view(pack_name_), std::string_view(pack_hash_), record.payload)
      .run();
  std::string how;
  if (anew.facts && identities_->count() != 0) {
    if (awaited && is_right(awaited->gold.get())) {
      how = fmt::format(": gold was derived again beside the pack before it, but for {} customers",
                        identities_->count() - take_gold(*awaited->gold));
    } else {
      rederive_facts(anew.money);
      how = ": gold is derived again";
    }
  }
  if (anew.loans) rederive_loans();
  if (identities_->count() != 0)
    core::log(core::Level::kNotice, "app",
              fmt::format("pack {} {} is active{}", pack_name_, pack_hash_.substr(0, 12), how));
  if (is_awaited)
    statements_->drop_coming.run();
  else if (coming_)  // it changes something else now
    coming_->gold.reset();
  coming_reader_.reset();
  decide_touched();
}

// A pack is to come: from here on it is prepared for (prepare_pack), and another one before it is not any more.
void Engine::announce_pack(const Record& record) {
  coming_.emplace(record.payload, record.seq);
  statements_->drop_coming.run();
  statements_->put_coming
      .bind_all(record.seq, now_us_, std::string_view(coming_->pack->name), std::string_view(coming_->pack->hash),
                record.payload)
      .run();
  counters_.coming_percent.store(0, std::memory_order_relaxed);
}

// Gold from silver, for everybody: one pass over the rows that count. Only totals older than retention are lost.
void Engine::rederive_facts(bool is_money_too) {
  for (CustomerId id = 1; id <= identities_->count(); ++id) {
    advance(id, week_);
    gold::recompute_all(customers_.change(id), {}, windows_);
  }
  if (is_money_too) statements_->clear_foreign.run();
  for (int number = 1; number <= wire::kEventKinds; ++number) {
    const Kind kind = static_cast<Kind>(number);
    if (!silver::has_rows(kind) || !wire::is_dated_activity(kind)) continue;
    rows_->each(kind, [&](const Row& read) {
      Row row = read;
      if (silver::has_mark(kind)) {
        row.mark = mark_of(row.event);
        const bool waits = !row.mark;
        row.state = waits ? silver::RowState::kWaitsForRate : silver::RowState::kAlive;
        if (row.mark != read.mark) rows_->set_mark(kind, row.seq, row.mark);
        if (row.state != read.state) rows_->set_state(kind, row.seq, row.state);
      }
      if (!row.customer) return;
      if (is_money_too) note_foreign(row);
      gold::add(customers_.change(identities_->leader(row.customer)), measure_of(row), windows_);
    });
  }
}

void Engine::rederive_loans() {
  for (std::uint32_t place = 1; place <= loans_.count(); ++place)
    if (loans_.holds(place)) refresh_loan(place);
}

// The same as rederive_facts(), from what was gathered before this turn, and for whom that is no longer right by their
// chains. How many customers it was right for.
std::size_t Engine::take_gold(ComingGold& gold) {
  std::size_t taken = 0;
  for (CustomerId id = 1; id <= identities_->count(); ++id) {
    advance(id, week_);
    auto gathered = gold.take(id);
    if (gathered && gathered->gold.week != gold::kNoWeek && gathered->gold.week != customers_[id].week)
      gathered.reset();
    taken += gathered.has_value();
    if (!gathered) gathered = gather(gold, id);
    for (const auto& remark : gathered->remarks) rows_->set_mark(remark.kind, remark.seq, remark.mark);
    gold::take_gathered(customers_.change(id), std::move(gathered->gold));
  }
  counters_.taken_beside.fetch_add(taken, std::memory_order_relaxed);
  return taken;
}

ComingGold::Customer Engine::gather(const ComingGold& gold, CustomerId leader) {
  ComingGold::Customer one;
  gold::advance(one.gold, std::max(customers_[leader].week, week_));
  if (identities_->leader(leader) != leader) return one;  // its facts count for another
  each_dated(leader, [&](const Row& row) { gold.add(one.gold, one.remarks, row, rates_, *calendar_); });
  return one;
}

// A week that has begun, or retention at work, changes what facts give without touching their customers.
bool Engine::is_right(const ComingGold* gold) const {
  return gold && gold->is_scanned() && gold->week() == week_ && !dropping_.is_under_way &&
         gold->stale_count() <= std::max<std::size_t>(kStaleInTurn, identities_->count() / kStaleShareMax);
}

bool Engine::prepare_pack(int rows_max) {
  if (!coming_ || coming_->is_handed_on) return false;
  const DerivedAnew anew = derived_anew(pack_.get(), *coming_->pack);
  if (!anew.facts || anew.money || identities_->count() == 0) {  // amounts are converted in the turn itself
    coming_->is_prepared = true;
    return false;
  }
  auto& gold = coming_->gold;
  if (gold && (gold->week() != week_ || dropping_.is_under_way)) gold.reset();
  if (dropping_.is_under_way) return false;
  if (!gold) gold = std::make_unique<ComingGold>(*coming_->pack, seq_, week_);
  if (counters_.flushed_seq < gold->since()) return false;
  if (!gold->is_scanned()) {
    if (!coming_reader_) coming_reader_ = store::Database::open_reader(options_.database);
    gold->scan(*coming_reader_, rows_max, *identities_, rates_, *calendar_);
    const auto facts = std::max<std::int64_t>(1, static_cast<std::int64_t>(counters_.facts));
    counters_.coming_percent.store(static_cast<int>(std::min<std::int64_t>(99, gold->rows() * 100 / facts)),
                                   std::memory_order_relaxed);
    return true;
  }
  // Whom facts have touched meanwhile, once each: those who are touched again are left to the turn.
  const auto is_enough = [&] { return gold->stale_count() <= kStaleInTurn || gold->gathered() > identities_->count(); };
  for (int left = rows_max / kRowsACustomer; left > 0 && !is_enough(); --left) {
    const CustomerId id = gold->take_stale();
    gold->put(id, gather(*gold, id));
  }
  end_reads();
  coming_->is_prepared = is_enough();
  return !coming_->is_prepared;
}

std::optional<std::string> Engine::take_prepared_pack() {
  if (!coming_ || !coming_->is_prepared || coming_->is_handed_on) return std::nullopt;
  coming_->is_handed_on = true;
  return coming_->payload;
}

// The branch's zone: weeks and days are counted in it, so another zone derives everything again.
void Engine::record_config(const Record& record) {
  const auto config = nlohmann::json::parse(record.payload, nullptr, false);
  const std::string zone = config.is_object() ? config.value("zone", std::string("UTC")) : std::string("UTC");
  if (zone == zone_) return;
  const bool is_derived_anew = identities_->count() != 0 && pack_;
  if (is_derived_anew) {  // the old zone's day ends here, with what it knew
    if (marketing_.is_dirty() && now_us_ != 0 && day_ != gold::kNoDay) marketing_.write(database_, day_);
    for (CustomerId id = 1; id <= identities_->count(); ++id)
      if (identities_->leader(id) == id) ask_again(id);
  }
  zone_ = zone;
  calendar_ = std::make_unique<core::Calendar>(zone_);
  if (pack_) use_contact_policy();
  if (coming_) coming_->gold.reset();
  day_ = calendar_->day_of(now_us_);
  week_ = core::week_of_day(day_);
  week_start_us_ = calendar_->start_of_week(week_);
  if (!is_derived_anew) return;
  ++turn_.part;
  turn_.due_us = 0;
  rederive_facts(false);
  rederive_loans();
  decide_touched();
}

}  // namespace tellerd::app

#include "decide/decision_book.h"

#include <cmath>

#include "core/assert.h"
#include "core/varint.h"

namespace tellerd::decide {
namespace {

std::int64_t scaled(double value, double by) { return static_cast<std::int64_t>(std::floor(value * by + 0.5)); }

}  // namespace

std::string situation_bytes(const Situation& situation) {
  std::string bytes;
  core::put_varint(bytes, situation.combined);
  core::put_varint(bytes, situation.churn_state);
  for (const std::int64_t number : situation.numbers) core::put_varint(bytes, number);
  const std::string_view category = situation.texts.back();
  core::put_varint(bytes, static_cast<std::int64_t>(category.size()));
  return bytes.append(category);
}

Columns take_situation(std::string_view& bytes) {
  Columns columns;
  columns.combined = static_cast<int>(core::take_varint(bytes));
  columns.churn_state = static_cast<int>(core::take_varint(bytes));
  for (std::int64_t& number : columns.numbers) number = core::take_varint(bytes);
  const auto size = static_cast<std::uint64_t>(core::take_varint(bytes));
  columns.category = bytes.substr(0, size);
  bytes.remove_prefix(columns.category.size());
  return columns;
}

std::vector<model::Feature> features_of_bytes(std::string_view bytes) {
  const Columns columns = take_situation(bytes);
  return features_of(columns.numbers, columns.combined, columns.churn_state);
}

std::string funnel_text(const Choice& choice) {
  std::string text;
  for (const std::uint16_t count : choice.funnel) text += (text.empty() ? "" : ",") + std::to_string(count);
  return text;
}

DecisionBook::DecisionBook(store::Database& database, std::int64_t count)
    : database_(database),
      put_(database, "INSERT INTO decision",
           "number,customer,seq,due_us,at_us,offer,template,runner_up,arm,probability_ppm,p_ppm,c_percent,v_minor,"
           "l_percent,f_ppm,priority_milli,margin_milli,is_drawn,flips,funnel,reasons,policy,learnt,situation"),
      find_(database,
            "SELECT number,probability_ppm,learnt,template,arm,reasons,situation,funnel,runner_up,p_ppm,c_percent,"
            "v_minor,l_percent,f_ppm,priority_milli,margin_milli FROM decision WHERE offer=?1 AND offer>0"),
      find_first_(database, "SELECT number FROM decision WHERE offer>=? AND offer>0 ORDER BY offer LIMIT 1"),
      count_(count) {}

void DecisionBook::add(Decision decision) {
  ++count_;
  new_.push_back(std::move(decision));
}

void DecisionBook::take() {
  TELLERD_ASSERT(taken_.empty());
  taken_.swap(new_);
  taken_through_ = count_;
}

void DecisionBook::flush() {
  if (new_.empty()) return;
  database_.take_back();
  take();
  write_taken();
}

void DecisionBook::write_taken() {
  if (taken_.empty()) return;
  const std::int64_t first = taken_through_ - static_cast<std::int64_t>(taken_.size()) + 1;
  funnels_.clear();
  for (const Decision& one : taken_) funnels_.push_back(funnel_text(one.choice));
  put_.run(taken_.size(), [&](std::size_t at, store::BulkRow& row) {
    const Decision& one = taken_[at];
    const Choice& choice = one.choice;
    row.add_all(first + static_cast<std::int64_t>(at), std::int64_t{one.customer}, one.seq, one.due_us, one.at_us,
                one.offer, std::int64_t{one.template_number}, std::int64_t{one.runner_up},
                static_cast<std::int64_t>(choice.arm), std::max<std::int64_t>(1, scaled(choice.probability, 1e6)),
                scaled(choice.scores.p, 1e6), scaled(choice.scores.c, 100), scaled(choice.scores.v, 1),
                scaled(choice.scores.l, 100), scaled(choice.scores.f, 1e6), scaled(choice.scores.priority, 1e3),
                scaled(choice.margin, 1e3), std::int64_t{choice.is_drawn}, std::int64_t{choice.flips},
                std::string_view(funnels_[at]), std::string_view(choice.reasons), one.policy_seq, one.learnt);
    row.add_blob(one.situation);
  });
  taken_.clear();
}

std::optional<std::int64_t> DecisionBook::first_of(std::int64_t first_offer) {
  flush();
  std::optional<std::int64_t> found;
  if (find_first_.bind(1, first_offer).step()) found = find_first_.integer(0);
  find_first_.reset();
  return found;
}

std::optional<DecisionBook::Made> DecisionBook::of_offer(std::int64_t offer, bool is_committed) {
  if (count_ == 0) return std::nullopt;  // rules alone decide
  if (!is_committed) flush();            // so that the answer is the same however long ago that was
  store::Statement& find = find_.fresh(is_committed);
  find.bind(1, offer);
  std::optional<Made> made;
  const auto part = [&find](int column, double of) { return static_cast<double>(find.integer(column)) / of; };
  if (find.step()) {
    made.emplace();
    made->number = find.integer(0);
    made->probability_ppm = find.integer(1);
    made->learnt = find.integer(2);
    made->template_number = static_cast<int>(find.integer(3));
    made->arm = static_cast<int>(find.integer(4));
    made->reasons = find.text(5);
    made->situation = find.text(6);
    made->funnel = find.text(7);
    made->runner_up = static_cast<int>(find.integer(8));
    made->scores.p = part(9, 1e6);
    made->scores.c = part(10, 100);
    made->scores.v = part(11, 1);
    made->scores.l = part(12, 100);
    made->scores.f = part(13, 1e6);
    made->scores.priority = part(14, 1e3);
    made->margin = part(15, 1e3);
  }
  find_.reset();
  return made;
}

}  // namespace tellerd::decide

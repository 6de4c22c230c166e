#include "app/fact_measures.h"

#include "core/money.h"

namespace tellerd::app {

std::optional<std::int64_t> mark_of(const wire::Event& event, const decide::Pack* pack, const gold::Rates& rates) {
  auto converted = [&](std::int64_t amount_minor, wire::Text code) -> std::optional<std::int64_t> {
    if (!pack || !pack->aggregates.convert_currency) return amount_minor;
    const auto currency = core::currency_of(code);
    return currency ? rates.convert(amount_minor, *currency, pack->branch_currency, event.occurred_us) : std::nullopt;
  };
  if (const auto* fact = std::get_if<wire::Transaction>(&event.body))
    return converted(fact->amount_minor, fact->currency);
  if (const auto* fact = std::get_if<wire::BillPayment>(&event.body))
    return converted(fact->amount_minor, fact->currency);
  if (const auto* fact = std::get_if<wire::Sms>(&event.body)) return pack && pack->competitors.sms.matches(fact->text);
  if (const auto* fact = std::get_if<wire::HostVisit>(&event.body))
    return pack && pack->competitors.hosts.matches(fact->host);
  return std::nullopt;
}

gold::Measure measure_of(const silver::Row& row, const decide::Pack* pack, const core::Calendar& calendar) {
  gold::Measure measure;
  measure.kind = row.event.kind();
  measure.week = calendar.week_of(row.event.occurred_us);
  measure.counts = row.state == silver::RowState::kAlive;
  measure.amount_minor = row.mark.value_or(0);
  if (const auto* fact = std::get_if<wire::Transaction>(&row.event.body)) {
    if (fact->direction != "credit" && pack) measure.category = pack->mcc.category_of(fact->mcc);
  } else if (const auto* bill = std::get_if<wire::BillPayment>(&row.event.body)) {
    if (pack && pack->aggregates.completed_payments_only && bill->status != "COMPLETED" &&
        bill->status != "Completed" && bill->status != "completed")
      measure.counts = false;
  } else if (const auto* login = std::get_if<wire::Login>(&row.event.body)) {
    measure.is_success = login->success;
    if (pack && pack->aggregates.successful_logins_only && !login->success) measure.counts = false;
  } else if (const auto* activity = std::get_if<wire::Activity>(&row.event.body)) {
    measure.minutes = activity->minutes;
    measure.page_views = activity->page_views;
  } else if (silver::has_mark(measure.kind)) {
    measure.counts = measure.counts && row.mark.value_or(0) != 0;
  }
  return measure;
}

gold::Windows windows_of(const decide::Pack& pack) {
  const auto& aggregates = pack.aggregates;
  return {aggregates.transaction_weeks, aggregates.login_weeks, aggregates.activity_weeks, aggregates.bill_weeks};
}

}  // namespace tellerd::app

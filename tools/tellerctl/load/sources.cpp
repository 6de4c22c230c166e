#include "tellerctl/load/sources.h"

#include <toml++/toml.h>

#include <algorithm>

#include "core/assert.h"
#include "core/fault.h"
#include "core/text.h"

namespace tellerd::tellerctl {
namespace {

using wire::Form;
using wire::Kind;

constexpr Column kClients[] = {{"client_id", "customer"},
                               {"client_id", "id"},
                               {"client_name", "name"},
                               {"phone", "phone", Clean::kDigits},
                               {"email", "email"},
                               {"birth_date", "birth_date", Clean::kDay},
                               {"city", "city"},
                               {"registration_date", "registered_on", Clean::kDay},
                               {"segment", "segment"},
                               {"status", "status"},
                               {"registration_date", "occurred_at", Clean::kWhen}};
constexpr Column kTransactions[] = {{"client_id", "customer"},
                                    {"transaction_id", "id"},
                                    {"transaction_date", "occurred_at", Clean::kWhen},
                                    {"amount", "amount", Clean::kDecimal},
                                    {"currency", "currency", Clean::kUpper},
                                    {"transaction_type", "direction", Clean::kLower},
                                    {"channel", "channel"}};
constexpr Column kLogins[] = {
    {"client_id", "customer"}, {"login_id", "id"},     {"login_timestamp", "occurred_at", Clean::kWhen},
    {"device_type", "device"}, {"browser", "browser"}, {"success", "success"}};
constexpr Column kActivities[] = {
    {"client_id", "customer"}, {"activity_id", "id"},           {"activity_date", "occurred_at", Clean::kWhen},
    {"activity_type", "type"}, {"duration_minutes", "minutes"}, {"page_views", "page_views"}};
constexpr Column kBills[] = {{"client_id", "customer"},
                             {"payment_id", "id"},
                             {"payment_date", "occurred_at", Clean::kWhen},
                             {"amount", "amount", Clean::kDecimal},
                             {"currency", "currency", Clean::kUpper},
                             {"payment_type", "type"},
                             {"status", "status"}};
constexpr Column kHoldings[] = {{"client_id", "customer"},
                                {"portfolio_id", "id"},
                                {"purchase_date", "occurred_at", Clean::kWhen},
                                {"security_type", "security_type"},
                                {"security_name", "security_name"},
                                {"quantity", "quantity", Clean::kDecimal},
                                {"purchase_price", "purchase_price", Clean::kDecimal},
                                {"current_price", "current_price", Clean::kDecimal},
                                {"purchase_date", "purchase_date", Clean::kDay}};
constexpr Column kRates[] = {{"rate_id", "id"},
                             {"rate_date", "occurred_at", Clean::kWhen},
                             {"currency_pair", "", Clean::kPair},
                             {"rate_value", "value", Clean::kDecimal},
                             {"rate_type", "type"}};

constexpr Column kBorrowers[] = {{"client_id", "customer", Clean::kWhole},
                                 {"client_id", "id", Clean::kWhole},
                                 {"fio", "name"},
                                 {"passport", "passport"},
                                 {"gender", "gender"},
                                 {"birth_date", "birth_date", Clean::kDay},
                                 {"education", "education"},
                                 {"count_of_children", "children", Clean::kWhole},
                                 {"job_type", "job_type"},
                                 {"region", "region"},
                                 {"family_status", "family_status"},
                                 {"address", "address"},
                                 {"phone", "phone", Clean::kDigits},
                                 {"income", "income", Clean::kDecimal}};
constexpr Column kLoans[] = {{"client_id", "customer", Clean::kWhole},
                             {"loan_name", "id"},
                             {"loan_name", "loan_name"},
                             {"loan_amount", "amount", Clean::kDecimal},
                             {"loan_start_date", "start_date", Clean::kDay},
                             {"loan_end_date", "end_date", Clean::kDay},
                             {"payment_numbers", "payment_count", Clean::kWhole},
                             {"paid_amount", "planned", Clean::kDecimal},
                             {"loan_start_date", "occurred_at", Clean::kWhen}};
constexpr Column kInstalments[] = {{"client_id", "customer", Clean::kWhole},
                                   {"loan_name", "loan_name"},
                                   {"payment_number", "payment_number", Clean::kWhole},
                                   {"payment_date", "payment_date", Clean::kDay},
                                   {"payment_fact_date", "fact_date", Clean::kDay},
                                   {"paid_fact_amount", "paid", Clean::kDecimal},
                                   {"payment_date", "occurred_at", Clean::kWhen}};

constexpr Source kSources[] = {{"clients", ".csv", "broker", Kind::kProfile, "", true, kClients},
                               {"bank_transactions", ".csv", "broker", Kind::kTransaction, "", true, kTransactions},
                               {"client_logins", ".csv", "broker", Kind::kLogin, "", true, kLogins},
                               {"client_activities", ".csv", "broker", Kind::kActivity, "", true, kActivities},
                               {"payments", ".csv", "broker", Kind::kBillPayment, "", true, kBills},
                               {"securities_portfolios", ".csv", "broker", Kind::kHolding, "", true, kHoldings},
                               {"currency_rates", ".csv", "broker", Kind::kRate, "", true, kRates},
                               {"clients", ".json", "loans", Kind::kProfile, "", false, kBorrowers},
                               {"loans", ".json", "loans", Kind::kLoan, "RUB", false, kLoans},
                               {"payments", ".json", "loans", Kind::kInstalmentPayment, "", false, kInstalments}};

// "clients_3" is "clients" of part 3.
std::string stem_without_part(const std::filesystem::path& file) {
  std::string stem = file.stem().string();
  const std::size_t last = stem.find_last_not_of("0123456789");
  if (last != std::string::npos && last + 1 < stem.size() && last > 0 && stem[last] == '_') stem.resize(last);
  return stem;
}

}  // namespace

const Source* source_of(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  const std::string stem = extension == ".json" ? stem_without_part(file) : file.stem().string();
  const auto found = std::find_if(std::begin(kSources), std::end(kSources), [&](const Source& source) {
    return source.stem == stem && source.extension == extension;
  });
  return found == std::end(kSources) ? nullptr : found;
}

int rank_of(const std::filesystem::path& file) {
  constexpr std::string_view kFirst[] = {"clients", "profiles", "aliases", "currency_rates", "rates", "loans"};
  const auto found = std::find(std::begin(kFirst), std::end(kFirst), stem_without_part(file));
  return static_cast<int>(found - std::begin(kFirst));
}

ColumnMap read_column_map(const std::filesystem::path& file) {
  ColumnMap map;
  try {
    const toml::table table = toml::parse_file(file.string());
    for (const auto& [column, field] : table) {
      const auto name = field.value<std::string>();
      if (!name)
        throw core::Fault(core::Exit::kFailed,
                          file.string() + ": " + std::string(column.str()) +
                              " must be the name of a field in quotes, as in ClientNo = \"customer\"");
      map.emplace(column.str(), *name);
    }
  } catch (const toml::parse_error& error) {
    throw core::Fault(core::Exit::kFailed, file.string() + " line " + std::to_string(error.source().begin.line) + ": " +
                                               std::string(error.description()));
  }
  return map;
}

std::span<const wire::Field> Translator::translate(const Source& source, std::span<const wire::Field> row) {
  fields_.clear();
  used_ = 0;
  for (const Column& column : source.columns) {
    const auto cell = std::find_if(row.begin(), row.end(),
                                   [&column](const wire::Field& field) { return field.name == column.column; });
    if (cell != row.end() && cell->form != Form::kNull) add(source, column, *cell);
  }
  if (!source.currency.empty()) fields_.push_back({"currency", source.currency, Form::kText});
  if (source.kind == Kind::kProfile && !source.is_versioned) fields_.push_back({"occurred_us", "0", Form::kNumber});
  return fields_;
}

void Translator::add(const Source& source, const Column& column, const wire::Field& cell) {
  const std::string_view text = core::trimmed(cell.value);
  if (text.empty() && column.clean != Clean::kDecimal) return;
  switch (column.clean) {
    case Clean::kTrim:
    case Clean::kDecimal:
      fields_.push_back({column.field, text, cell.form});
      return;
    case Clean::kDigits:
      return give(column.field, core::digits_only(text));
    case Clean::kUpper:
      return give(column.field, core::upper_ascii(text));
    case Clean::kLower: {
      std::string lowered(text);
      std::transform(lowered.begin(), lowered.end(), lowered.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      return give(column.field, std::move(lowered));
    }
    case Clean::kWhole: {
      const std::size_t point = text.find('.');
      const bool is_whole =
          point != std::string_view::npos && text.find_first_not_of('0', point + 1) == std::string_view::npos;
      fields_.push_back({column.field, is_whole ? text.substr(0, point) : text, cell.form});
      return;
    }
    case Clean::kDay: {
      constexpr std::size_t kDateBytes = 10;
      const bool has_time = text.size() > kDateBytes && (text[kDateBytes] == 'T' || text[kDateBytes] == ' ');
      fields_.push_back({column.field, has_time ? text.substr(0, kDateBytes) : text, Form::kText});
      return;
    }
    case Clean::kPair: {
      const std::size_t slash = text.find('/');
      give("base", core::upper_ascii(core::trimmed(text.substr(0, slash))));
      if (slash != std::string_view::npos) give("quote", core::upper_ascii(core::trimmed(text.substr(slash + 1))));
      return;
    }
    case Clean::kWhen: {
      fields_.push_back({"occurred_at", text, Form::kText});
      const auto at = core::parse_instant(text, calendar_);
      if (source.is_versioned && at && *at > 0) give("version", std::to_string(*at), Form::kNumber);
      return;
    }
  }
}

void Translator::give(std::string_view name, std::string value, wire::Form form) {
  TELLERD_ASSERT(used_ < texts_.size());
  texts_[used_] = std::move(value);
  fields_.push_back({name, texts_[used_++], form});
}

std::span<const wire::Field> Translator::rename(const ColumnMap& map, std::span<const wire::Field> row) {
  fields_.clear();
  for (const wire::Field& cell : row)
    if (const auto to = map.find(cell.name); to != map.end() && !(cell.form == Form::kText && cell.value.empty()))
      fields_.push_back({to->second, cell.value, cell.form});
  return fields_;
}

std::span<const wire::Field> Translator::without_empty(std::span<const wire::Field> row) {
  fields_.clear();
  for (const wire::Field& cell : row)
    if (!cell.value.empty()) fields_.push_back(cell);
  return fields_;
}

}  // namespace tellerd::tellerctl

#include "ops/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.h"

namespace tellerd::ops {
namespace {

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_name(std::string_view name) noexcept {
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

// Help text escapes backslash and line feed; a label value escapes the quote too.
std::string escaped(std::string_view text, bool is_label) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && is_label)
      out += "\\\"";
    else
      out += c;
  }
  return out;
}

std::string_view word(PrometheusText::Kind kind) noexcept {
  switch (kind) {
    case PrometheusText::Kind::kCounter:
      return "counter";
    case PrometheusText::Kind::kGauge:
      return "gauge";
    case PrometheusText::Kind::kHistogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

Histogram::Histogram(std::vector<double> upper_bounds)
    : upper_bounds_(std::move(upper_bounds)), counts_(new std::atomic<std::uint64_t>[upper_bounds_.size() + 1]()) {
  TELLERD_ASSERT(!upper_bounds_.empty());
  TELLERD_ASSERT(std::all_of(upper_bounds_.begin(), upper_bounds_.end(), [](double b) { return std::isfinite(b); }));
  TELLERD_ASSERT(std::adjacent_find(upper_bounds_.begin(), upper_bounds_.end(), std::greater_equal<>()) ==
                 upper_bounds_.end());
}

void Histogram::observe(double value) noexcept {
  TELLERD_ASSERT(!std::isnan(value));
  const auto place = std::lower_bound(upper_bounds_.begin(), upper_bounds_.end(), value) - upper_bounds_.begin();
  counts_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
  // One writer: a load and a store lose nothing.
  sum_.store(sum_.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot shot;
  for (std::size_t i = 0; i <= upper_bounds_.size(); ++i) {
    shot.count += counts_[i].load(std::memory_order_relaxed);
    shot.cumulative.push_back(shot.count);
  }
  shot.sum = sum_.load(std::memory_order_relaxed);
  return shot;
}

double Histogram::quantile(double q) const {
  const Snapshot shot = snapshot();
  if (shot.count == 0) return 0;
  const double rank = q * static_cast<double>(shot.count);
  std::size_t i = 0;
  while (i < upper_bounds_.size() && static_cast<double>(shot.cumulative[i]) < rank) ++i;
  if (i == upper_bounds_.size()) return upper_bounds_.back();
  const double below = i == 0 ? 0 : static_cast<double>(shot.cumulative[i - 1]);
  const double inside = static_cast<double>(shot.cumulative[i]) - below;
  const double lower = i == 0 ? std::min(0.0, upper_bounds_[0]) : upper_bounds_[i - 1];
  return inside > 0 ? lower + (upper_bounds_[i] - lower) * (rank - below) / inside : lower;
}

void PrometheusText::family(std::string_view name, Kind kind, std::string_view help) {
  TELLERD_ASSERT(is_name(name));
  TELLERD_ASSERT(opened_.emplace(name).second);
  TELLERD_ASSERT(kind != Kind::kCounter || name.ends_with("_total"));
  name_ = name;
  kind_ = kind;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escaped(help, false), name, word(kind));
}

void PrometheusText::line(std::string_view suffix, Labels labels, std::string_view bucket, std::string_view value) {
  text_.append(name_).append(suffix);
  std::string inside;
  for (const auto& [name, label_value] : labels) {
    TELLERD_ASSERT(is_name(name));
    inside += fmt::format("{}{}=\"{}\"", inside.empty() ? "" : ",", name, escaped(label_value, true));
  }
  if (!bucket.empty()) inside += fmt::format("{}le=\"{}\"", inside.empty() ? "" : ",", bucket);
  if (!inside.empty()) text_.append("{").append(inside).append("}");
  text_.append(" ").append(value).append("\n");
}

void PrometheusText::plain(std::string_view value, Labels labels) {
  TELLERD_ASSERT(!name_.empty() && kind_ != Kind::kHistogram);
  line("", labels, "", value);
}

void PrometheusText::sample(double value, Labels labels) { plain(number(value), labels); }

void PrometheusText::histogram(const Histogram& histogram, Labels labels) {
  TELLERD_ASSERT(kind_ == Kind::kHistogram);
  const Histogram::Snapshot shot = histogram.snapshot();
  for (std::size_t i = 0; i < shot.cumulative.size(); ++i) {
    const bool is_last = i == histogram.upper_bounds().size();
    line("_bucket", labels, is_last ? "+Inf" : number(histogram.upper_bounds()[i]), std::to_string(shot.cumulative[i]));
  }
  line("_sum", labels, "", number(shot.sum));
  line("_count", labels, "", std::to_string(shot.count));
}

void PrometheusText::counter(std::string_view name, std::string_view help, std::int64_t value) {
  family(name, Kind::kCounter, help);
  sample(value);
}

void PrometheusText::gauge(std::string_view name, std::string_view help, double value) {
  family(name, Kind::kGauge, help);
  sample(value);
}

}  // namespace tellerd::ops

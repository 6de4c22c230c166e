// Prometheus text format 0.0.4: a writer for one answer, and a histogram that a hot thread can feed.
// Units: base units (seconds, bytes) in names and values. Labels come from closed sets; their values are escaped here.
// Threads: PrometheusText is one scrape's own; a Histogram has one writer and any number of readers.
#pragma once
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tellerd::ops {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// From 100 us (a commit in memory) to 10 s (a disk in trouble).
inline const std::vector<double> kLatencyBoundsS = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

class Histogram {
 public:
  struct Snapshot {
    std::vector<std::uint64_t> cumulative;  // one a bound, then one for +Inf: never decreasing
    std::uint64_t count = 0;                // equals cumulative.back() by construction
    double sum = 0;
  };

  explicit Histogram(std::vector<double> upper_bounds = kLatencyBoundsS);  // asserts: ascending, finite, not empty

  void observe(double value) noexcept;  // one writer; NaN is a bug of the caller (assert)
  Snapshot snapshot() const;
  // The value below which the share q of the observations lies, linear inside a bucket as PromQL's histogram_quantile
  // does; 0 when there is none, the last bound when it lies beyond it.
  double quantile(double q) const;
  const std::vector<double>& upper_bounds() const noexcept { return upper_bounds_; }

 private:
  std::vector<double> upper_bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;  // a bucket's own count, not cumulative
  std::atomic<double> sum_{0};
};

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// A family is opened once, its samples follow it: the format allows no other order, so the writer offers none.
class PrometheusText {
 public:
  enum class Kind { kCounter, kGauge, kHistogram };

  // Asserts: a legal name not opened before; a counter's name ends in _total.
  void family(std::string_view name, Kind kind, std::string_view help);
  // One line of the open counter or gauge; whole numbers stay exact beyond 2^53.
  void sample(double value, Labels labels = {});
  template <std::integral Whole>
  void sample(Whole value, Labels labels = {}) {
    plain(std::to_string(value), labels);
  }
  void histogram(const Histogram& histogram, Labels labels = {});

  void counter(std::string_view name, std::string_view help, std::int64_t value);
  void gauge(std::string_view name, std::string_view help, double value);

  const std::string& text() const noexcept { return text_; }

 private:
  void plain(std::string_view value, Labels labels);
  void line(std::string_view suffix, Labels labels, std::string_view bucket, std::string_view value);

  std::string text_;
  std::string name_;
  Kind kind_ = Kind::kGauge;
  std::set<std::string, std::less<>> opened_;
};

}  // namespace tellerd::ops

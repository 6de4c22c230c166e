#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <thread>

#include "ops/metrics.h"

using tellerd::ops::Histogram;
using tellerd::ops::PrometheusText;

namespace {

std::string sample_page() {
  PrometheusText page;
  page.counter("tellerd_events_total", "Events written to the log.", 9'007'199'254'740'993);
  page.gauge("tellerd_disk_free_bytes", "Free bytes of the data directory.", 1.5e9);
  page.family("tellerd_quarantine_events", PrometheusText::Kind::kGauge, "Refused events by reason.");
  page.sample(3, {{"reason", "TOO_OLD"}});
  page.sample(0.25, {{"reason", "a\"b\\c\nd"}, {"kind", "sms"}});
  Histogram ack({0.001, 0.01});
  ack.observe(0.0005);
  ack.observe(0.01);
  ack.observe(2);
  page.family("tellerd_ack_seconds", PrometheusText::Kind::kHistogram, "From receipt to acknowledgement.");
  page.histogram(ack);
  return page.text();
}

}  // namespace

TEST_SUITE("ops.metrics") {
  TEST_CASE("the page is the text format 0.0.4, byte for byte") {
    // Written by hand from the format's description; the counter is 2^53 + 1, which a double cannot hold.
    CHECK(sample_page() ==
          "# HELP tellerd_events_total Events written to the log.\n"
          "# TYPE tellerd_events_total counter\n"
          "tellerd_events_total 9007199254740993\n"
          "# HELP tellerd_disk_free_bytes Free bytes of the data directory.\n"
          "# TYPE tellerd_disk_free_bytes gauge\n"
          "tellerd_disk_free_bytes 1500000000\n"
          "# HELP tellerd_quarantine_events Refused events by reason.\n"
          "# TYPE tellerd_quarantine_events gauge\n"
          "tellerd_quarantine_events{reason=\"TOO_OLD\"} 3\n"
          "tellerd_quarantine_events{reason=\"a\\\"b\\\\c\\nd\",kind=\"sms\"} 0.25\n"
          "# HELP tellerd_ack_seconds From receipt to acknowledgement.\n"
          "# TYPE tellerd_ack_seconds histogram\n"
          "tellerd_ack_seconds_bucket{le=\"0.001\"} 1\n"
          "tellerd_ack_seconds_bucket{le=\"0.01\"} 2\n"
          "tellerd_ack_seconds_bucket{le=\"+Inf\"} 3\n"
          "tellerd_ack_seconds_sum 2.0105\n"
          "tellerd_ack_seconds_count 3\n");
  }

  TEST_CASE("what is no number is written as the format wants it") {
    PrometheusText page;
    page.family("a", PrometheusText::Kind::kGauge, "One\\two\nthree \"four\".");
    page.sample(std::numeric_limits<double>::quiet_NaN());
    page.sample(std::numeric_limits<double>::infinity(), {{"at", "x"}});
    page.sample(-std::numeric_limits<double>::infinity(), {{"at", "y"}});
    CHECK(page.text() ==
          "# HELP a One\\\\two\\nthree \"four\".\n# TYPE a gauge\na NaN\na{at=\"x\"} +Inf\na{at=\"y\"} -Inf\n");
  }

  TEST_CASE("a value on a bound belongs to that bound's bucket, one above it to the next") {
    Histogram histogram({1, 2});
    histogram.observe(1);
    histogram.observe(std::nextafter(1.0, 2.0));
    histogram.observe(2);
    histogram.observe(std::nextafter(2.0, 3.0));
    const auto shot = histogram.snapshot();
    CHECK(shot.cumulative == std::vector<std::uint64_t>{1, 3, 4});
    CHECK(shot.count == 4);
    CHECK(shot.sum == doctest::Approx(6));
  }

  TEST_CASE("a quantile is what histogram_quantile says of the same buckets") {
    Histogram histogram({1, 2, 4});
    CHECK(histogram.quantile(0.5) == 0);
    for (int i = 0; i < 8; ++i) histogram.observe(1.5);
    for (int i = 0; i < 2; ++i) histogram.observe(3);
    // On paper: rank 5 of 10 is 5/8 through the bucket (1, 2]; rank 9 is half through (2, 4].
    CHECK(histogram.quantile(0.5) == doctest::Approx(1.625));
    CHECK(histogram.quantile(0.9) == doctest::Approx(3));
    for (int i = 0; i < 100; ++i) histogram.observe(1000);
    CHECK(histogram.quantile(0.99) == 4);
  }

  TEST_CASE("a reader beside the writer always sees buckets that grow and a count that is theirs") {
    Histogram histogram({0.5});
    std::atomic<bool> is_done{false};
    std::thread writer([&] {
      for (int i = 0; i < 200'000; ++i) histogram.observe(i % 2);
      is_done = true;
    });
    std::uint64_t before = 0;
    bool is_sane = true;
    while (!is_done) {
      const auto shot = histogram.snapshot();
      is_sane = is_sane && shot.cumulative[0] <= shot.cumulative[1] && shot.count == shot.cumulative[1];
      is_sane = is_sane && shot.count >= before;
      before = shot.count;
    }
    writer.join();
    CHECK(is_sane);
    CHECK(histogram.snapshot().cumulative == std::vector<std::uint64_t>{100'000, 200'000});
    CHECK(histogram.snapshot().sum == 100'000);
  }

  TEST_CASE("promtool finds nothing to say about the page") {
    if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
      MESSAGE("not checked: promtool is not installed (package prometheus)");
      return;
    }
    char path[] = "/tmp/tellerd-metrics-XXXXXX";
    const int file = mkstemp(path);
    REQUIRE(file >= 0);
    close(file);
    std::ofstream(path) << sample_page();
    const std::string check = std::string("promtool check metrics <") + path + " >/dev/null 2>&1";
    CHECK(std::system(check.c_str()) == 0);
    // The same tool refuses a page that is wrong, so its silence above means something.
    std::ofstream(path, std::ios::app) << "tellerd_ack_seconds_count not-a-number\n";
    CHECK(std::system(check.c_str()) != 0);
    std::remove(path);
  }
}

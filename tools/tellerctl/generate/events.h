// What happens to people besides the two systems' own files, kept small until it is sorted by time and written
// as NDJSON (design.md 6). Each profile fills a list of happenings; one writer knows how a line looks.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "tellerctl/generate/output.h"
#include "tellerctl/generate/people.h"

namespace tellerd::tellerctl {

enum class What : std::uint8_t {
  kCard,         // a: merchant, minor: amount, b: 1 for a refund
  kSupport,      // a: topic
  kSms,          // a: text, minor: its number
  kHost,         // a: host
  kConsent,      // a: 1 granted, 0 revoked
  kRestriction,  // a: type
  kView,         // a: product, b: session, minor: dwell in ms
  kOrder,        // a: product, b: session, minor: quantity
  kImpression,   // a: product, b: session, minor: slot * 8 + reaction * 2 + noticed
  kAttribute,    // a: name and value
};

struct Happening {
  core::Instant at = 0;
  std::int32_t person = 0;
  What what = What::kCard;
  std::int32_t a = 0, b = 0;
  std::int64_t minor = 0;
};

// An instant of that day between 05:00 and 20:59 UTC: waking hours in branches from Kaliningrad to Yekaterinburg.
core::Instant some_time_on(core::Day day, Chance& chance);

void add_card_life(std::vector<Happening>& to, const Population& population, const Person& person);
void add_contacts(std::vector<Happening>& to, const Population& population, const Person& person);
void add_shopping(std::vector<Happening>& to, const Population& population, const Person& person, int sessions_max);

// The facts that others refer to, dated at the beginning.
void write_merchants(OutputFile& file, core::Instant at);
void write_products(OutputFile& file, std::uint64_t seed, core::Instant at);

// Sorts and writes them; `customer_prefix` is the system and form of the key, "broker:CLIENT_".
void write_happenings(OutputFile& file, std::vector<Happening>& list, std::uint64_t seed,
                      std::string_view customer_prefix);

// How each half of a line looks, by the file that owns the tables.
void write_card_line(EventLine& line, const Happening& happening);
void write_contact_line(EventLine& line, const Happening& happening);
void write_shop_line(EventLine& line, const Happening& happening, std::uint64_t seed);

}  // namespace tellerd::tellerctl

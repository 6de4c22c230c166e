#include "tellerctl/generate/events.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace tellerd::tellerctl {
namespace {

struct Form {
  std::string_view kind, id_prefix;
};

// In the order of What.
constexpr std::array<Form, 10> kForms{{{"transaction", "card-"},
                                       {"support_contact", "support-"},
                                       {"sms", "sms-"},
                                       {"host_visit", "host-"},
                                       {"consent", "consent-"},
                                       {"restriction", "restriction-"},
                                       {"product_view", "view-"},
                                       {"order", "order-"},
                                       {"impression", "impression-"},
                                       {"attribute", "attribute-"}}};

// A total order: equal elements are the same event twice, so any sort gives the same list.
bool is_earlier(const Happening& left, const Happening& right) {
  const auto key = [](const Happening& h) { return std::tie(h.at, h.person, h.what, h.a, h.b, h.minor); };
  return key(left) < key(right);
}

void write_rest(EventLine& line, const Happening& happening, std::uint64_t seed) {
  switch (happening.what) {
    case What::kCard:
      return write_card_line(line, happening);
    case What::kSupport:
    case What::kSms:
    case What::kHost:
    case What::kConsent:
    case What::kRestriction:
      return write_contact_line(line, happening);
    case What::kView:
    case What::kOrder:
    case What::kImpression:
    case What::kAttribute:
      return write_shop_line(line, happening, seed);
  }
}

}  // namespace

core::Instant some_time_on(core::Day day, Chance& chance) {
  return day * core::kDay + 5 * core::kHour + core::kSecond * chance.between(0, 16 * 3600 - 1);
}

void write_happenings(OutputFile& file, std::vector<Happening>& list, std::uint64_t seed,
                      std::string_view customer_prefix) {
  std::sort(list.begin(), list.end(), is_earlier);
  std::array<std::int64_t, kForms.size()> count{};
  for (const Happening& happening : list) {
    const auto index = static_cast<std::size_t>(happening.what);
    EventLine line(file.text());
    line.begin(kForms[index].kind, kForms[index].id_prefix, ++count[index], 8);
    line.customer(customer_prefix, happening.person).at(happening.at);
    write_rest(line, happening, seed);
    file.spill();
  }
}

}  // namespace tellerd::tellerctl

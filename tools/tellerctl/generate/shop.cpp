// A home-goods shop: sessions that stay within a theme, so that neighbours in a session mean something; few renovate,
// and then buy much in a short time. What was not shown has no line: unknown is not a no.
#include <algorithm>
#include <array>

#include "tellerctl/generate/events.h"

namespace tellerd::tellerctl {
namespace {

using Words = std::string_view;

struct Shelf {
  Words category, name;
  int middle;  // kopecks
};
// Three neighbouring shelves make a theme.
constexpr std::array<Shelf, 18> kShelves{{{"wallpaper", "Обои", 180'000},
                                          {"paint", "Краска", 150'000},
                                          {"laminate", "Ламинат", 900'000},
                                          {"rugs", "Ковёр", 600'000},
                                          {"curtains", "Шторы", 350'000},
                                          {"lamps", "Лампа", 250'000},
                                          {"house_plants", "Растение", 120'000},
                                          {"pots", "Кашпо", 60'000},
                                          {"garden", "Садовый набор", 200'000},
                                          {"bedding", "Постельное бельё", 280'000},
                                          {"towels", "Полотенце", 80'000},
                                          {"storage", "Короб", 70'000},
                                          {"kitchenware", "Кастрюля", 220'000},
                                          {"tableware", "Сервиз", 300'000},
                                          {"small_appliances", "Чайник", 320'000},
                                          {"sound_insulation", "Шумоизоляция", 400'000},
                                          {"wall_levelling", "Штукатурка", 130'000},
                                          {"tools", "Дрель", 500'000}}};
constexpr int kShelfSize = 20;
constexpr int kThemes = 6;
constexpr std::array<Words, 4> kReferrers{"direct", "search", "advert", "mail"};
constexpr std::array<Words, 3> kReactions{"", "click", "order"};
struct Trait {
  Words name, value, source;
};
constexpr std::array<Trait, 6> kTraits{{{"address_class", "wealthy", "registry"},
                                        {"address_class", "ordinary", "registry"},
                                        {"property", "second_hand", "registry"},
                                        {"property", "new_building", "registry"},
                                        {"referrer_habit", "search", "site"},
                                        {"referrer_habit", "direct", "site"}}};

std::int64_t price_of(std::uint64_t seed, int product) {
  Chance chance(seed, Stream::kProducts, static_cast<std::uint64_t>(product));
  const std::int64_t middle = kShelves[static_cast<std::size_t>(product / kShelfSize)].middle;
  return middle * chance.between(40, 220) / 10'000 * 100 + 90;
}

std::string product_id(int product) {
  std::string id = "P";
  add_padded(id, product + 1, 4);
  return id;
}

// Products of one theme; the first of each shelf are seen most.
int some_product(int theme, Chance& chance) {
  const int shelf = theme * 3 + chance.between(0, 2);
  const int place = chance.between(0, kShelfSize - 1);
  return shelf * kShelfSize + std::min(place, chance.between(0, kShelfSize - 1));
}

class Visit {
 public:
  Visit(std::vector<Happening>& to, int person, int session, core::Instant at)
      : to_(to), person_(person), session_(session), at_(at) {}
  void note(What what, int a, std::int64_t minor, Chance& chance) {
    at_ += core::kSecond * chance.between(5, 150);
    to_.push_back({at_, person_, what, a, session_, minor});
  }

 private:
  std::vector<Happening>& to_;
  int person_, session_;
  core::Instant at_;
};

// Shown three, seen a few, bought sometimes; the reaction belongs to what was shown.
void visit_shop(Visit visit, int theme, bool is_renovating, Chance& chance) {
  const int views = chance.between(1, 6);
  int product = some_product(theme, chance);
  for (int view = 0; view < views; ++view) {
    visit.note(What::kView, product, chance.between(2, 180) * 500, chance);
    if (chance.percent(80)) product = some_product(theme, chance);
  }
  for (int slot = 0; slot < 3; ++slot) {
    const int shown = some_product(chance.percent(60) ? theme : chance.between(0, kThemes - 1), chance);
    const auto lot = chance.below(100);
    const int reaction = lot < 3 ? 2 : lot < 14 ? 1 : 0;
    const bool is_noticed = reaction > 0 || chance.percent(50);
    visit.note(What::kImpression, shown, slot * 8 + reaction * 2 + (is_noticed ? 1 : 0), chance);
    if (reaction == 2) visit.note(What::kOrder, shown, 1, chance);
  }
  const int orders = is_renovating ? chance.between(1, 3) : chance.percent(22) ? 1 : 0;
  for (int order = 0; order < orders; ++order) {
    const int bought = some_product(theme, chance);
    visit.note(What::kOrder, bought, chance.between(1, is_renovating ? 6 : 2), chance);
  }
}

void add_traits(std::vector<Happening>& to, const Population& population, const Person& person, Chance& chance) {
  const bool is_wealthy = person.income >= 150'000;
  const bool is_searcher = chance.percent(40);
  const std::array<int, 3> traits{is_wealthy ? 0 : 1, chance.percent(70) ? 2 : 3, is_searcher ? 4 : 5};
  for (const int trait : traits)
    if (chance.percent(50))
      to.push_back({some_time_on(population.from(), chance), person.number, What::kAttribute, trait, 0, 0});
}

}  // namespace

void add_shopping(std::vector<Happening>& to, const Population& population, const Person& person, int sessions_max) {
  Chance chance(population.seed(), Stream::kShop, static_cast<std::uint64_t>(person.number));
  add_traits(to, population, person, chance);
  const core::Day last = population.until() - 1;
  const core::Day renovates_on = chance.percent(6) ? chance.between(population.from() + 84, last - 14) : last + 1;
  const int favourite = chance.between(0, kThemes - 1);
  const int sessions = chance.between(0, sessions_max);
  int number = 0;
  const auto go = [&](core::Day day, int theme, bool is_renovating) {
    ++number;
    const Visit visit(to, person.number, number, some_time_on(day, chance));
    visit_shop(visit, theme, is_renovating, chance);
  };
  for (int session = 0; session < sessions; ++session) {
    const core::Day day = chance.between(population.from(), last);
    go(day, chance.percent(65) ? favourite : chance.between(0, kThemes - 1), false);
  }
  if (renovates_on > last) return;
  for (int day = 0; day < 14; day += chance.between(2, 4)) go(renovates_on + day, 0, true);
}

void write_products(OutputFile& file, std::uint64_t seed, core::Instant at) {
  for (int product = 0; product < static_cast<int>(kShelves.size()) * kShelfSize; ++product) {
    const Shelf& shelf = kShelves[static_cast<std::size_t>(product / kShelfSize)];
    EventLine line(file.text());
    line.begin("product", "P", product + 1, 4).at(at).field("product", product_id(product));
    line.field("category", shelf.category).field("name", std::string(shelf.name) + " " + product_id(product));
    line.field("price_minor", price_of(seed, product)).field("currency", "RUB");
    line.flag("in_stock", product % 23 != 22).end();
    file.spill();
  }
}

void write_shop_line(EventLine& line, const Happening& happening, std::uint64_t seed) {
  if (happening.what == What::kAttribute) {
    const Trait& trait = kTraits[static_cast<std::size_t>(happening.a)];
    line.field("name", trait.name).field("value", trait.value).field("source", trait.source).end();
    return;
  }
  std::string session = "S";
  add_padded(session, happening.person, 6);
  session += '-';
  add_number(session, happening.b);
  const std::string product = product_id(happening.a);
  line.field("session", session).field(happening.what == What::kImpression ? "item" : "product", product);
  if (happening.what == What::kImpression) {
    line.field("slot", happening.minor / 8).flag("noticed", happening.minor % 2 == 1);
    line.field("reaction", kReactions[static_cast<std::size_t>(happening.minor / 2 % 4)]).end();
  } else if (happening.what == What::kOrder) {
    line.field("quantity", happening.minor).field("amount_minor", happening.minor * price_of(seed, happening.a));
    line.field("currency", "RUB").field("status", happening.person % 20 == 0 ? "cancelled" : "fulfilled").end();
  } else {
    line.field("category", kShelves[static_cast<std::size_t>(happening.a / kShelfSize)].category);
    line.field("price_minor", price_of(seed, happening.a)).field("dwell_ms", happening.minor);
    line.field("referrer", kReferrers[static_cast<std::size_t>((happening.person + happening.b) % 4)]).end();
  }
}

}  // namespace tellerd::tellerctl

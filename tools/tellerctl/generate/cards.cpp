// Card purchases: a weekly rhythm by person, eight merchants for each code and city, the first ones the busiest.
#include <algorithm>
#include <array>

#include "tellerctl/generate/events.h"

namespace tellerd::tellerctl {
namespace {

using Words = std::string_view;

struct Trade {
  int mcc;
  int share;   // parts of all purchases
  int middle;  // kopecks of an ordinary purchase
  Words name;
};

constexpr std::array<Trade, 30> kTrades{{{5411, 300, 70'000, "Лавка у дома"}, {5499, 40, 45'000, "Свежий ряд"},
                                         {5812, 70, 140'000, "Трактир"},      {5814, 130, 42'000, "Быстрая булка"},
                                         {5541, 70, 190'000, "Топливо-Плюс"}, {5912, 65, 65'000, "Аптека Ромашка"},
                                         {4121, 75, 32'000, "Такси Стрела"},  {4111, 100, 6'000, "Городской транспорт"},
                                         {5311, 35, 120'000, "Универмаг"},    {5651, 25, 380'000, "Гардероб"},
                                         {5661, 10, 420'000, "Каблук"},       {5732, 8, 1'300'000, "Техномир"},
                                         {4814, 45, 45'000, "Связной луч"},   {4900, 30, 420'000, "Расчётный центр"},
                                         {6011, 35, 800'000, "Банкомат"},     {4829, 30, 400'000, "Перевод"},
                                         {5921, 30, 90'000, "Погребок"},      {5977, 18, 160'000, "Флакон"},
                                         {7230, 15, 150'000, "Причёска"},     {5995, 15, 130'000, "Хвост и лапы"},
                                         {5941, 10, 350'000, "Рекорд"},       {5200, 15, 280'000, "Дом и сад"},
                                         {5211, 8, 600'000, "Стройдвор"},     {5942, 12, 75'000, "Читай-двор"},
                                         {7832, 15, 80'000, "Кинотеатр Луч"}, {8099, 12, 350'000, "Клиника Забота"},
                                         {4511, 4, 1'600'000, "Авиакасса"},   {7011, 4, 900'000, "Гостиница Волна"},
                                         {8299, 6, 700'000, "Курсы Сова"},    {5816, 20, 50'000, "Игровой мир"}}};
constexpr int kShopsPerTrade = 8;

constexpr auto kShareUpTo = [] {
  std::array<int, kTrades.size()> up_to{};
  int sum = 0;
  for (std::size_t i = 0; i < kTrades.size(); ++i) up_to[i] = sum += kTrades[i].share;
  return up_to;
}();

constexpr std::array<int, 16> kSpread{150, 230, 300,  370,  440,  520,  610,  710,
                                      830, 970, 1130, 1340, 1620, 2050, 2800, 4700};
// Monday to Sunday, parts of twenty: Friday and Saturday are the busiest.
constexpr std::array<int, 20> kWeekdays{0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6};
// Hundredths of the usual pace in the last weeks before somebody leaves, the last week first.
constexpr std::array<int, 6> kFading{25, 40, 50, 65, 75, 90};
constexpr int kTriesPerWeek = 6;

std::size_t some_trade(Chance& chance) {
  const int lot = static_cast<int>(chance.below(static_cast<std::uint32_t>(kShareUpTo.back())));
  return static_cast<std::size_t>(std::upper_bound(kShareUpTo.begin(), kShareUpTo.end(), lot) - kShareUpTo.begin());
}

// Purchases a thousand weeks.
int pace_in(const Person& person, core::Day monday) {
  const int usual = 220 + 70 * person.liveliness;
  if (monday >= person.away_from || !person.shows_leaving) return usual;
  const auto weeks_left = static_cast<std::size_t>((person.away_from - monday) / 7);
  return weeks_left < kFading.size() ? usual * kFading[weeks_left] / 100 : usual;
}

Happening buy(const Person& person, core::Day day, Chance& chance) {
  const std::size_t trade = some_trade(chance);
  const bool is_at_home = !chance.percent(6);
  const int city = is_at_home ? person.city : chance.between(0, kCities - 1);
  const int any_shop = chance.between(0, kShopsPerTrade - 1);
  const int shop = std::min(any_shop, chance.between(0, kShopsPerTrade + 2));
  const int part = chance.pick(kSpread);
  Happening bought;
  bought.at = some_time_on(day, chance);
  bought.person = person.number;
  bought.what = What::kCard;
  bought.a = (city * static_cast<int>(kTrades.size()) + static_cast<int>(trade)) * kShopsPerTrade + shop;
  bought.b = chance.permille(8) ? 1 : 0;
  bought.minor = std::int64_t{kTrades[trade].middle} * part * chance.between(900, 1100) / 1'000'000 + 1;
  return bought;
}

const Trade& trade_of(int merchant) {
  return kTrades[static_cast<std::size_t>(merchant / kShopsPerTrade) % kTrades.size()];
}

int city_of(int merchant) { return merchant / kShopsPerTrade / static_cast<int>(kTrades.size()); }

std::string merchant_id(int merchant) {
  std::string id = "M";
  add_padded(id, merchant + 1, 5);
  return id;
}

}  // namespace

void add_card_life(std::vector<Happening>& to, const Population& population, const Person& person) {
  Chance chance(population.seed(), Stream::kCards, static_cast<std::uint64_t>(person.number));
  const core::Week last = core::week_of_day(population.until() - 1);
  for (core::Week week = core::week_of_day(population.from()); week <= last; ++week) {
    const core::Day monday = core::first_day_of_week(week);
    const auto share = static_cast<std::uint32_t>(pace_in(person, monday)) / kTriesPerWeek;
    for (int attempt = 0; attempt < kTriesPerWeek; ++attempt) {
      if (!chance.permille(share)) continue;
      const core::Day day = monday + chance.pick(kWeekdays);
      const Happening bought = buy(person, day, chance);
      const bool was_here = day >= person.registered && !is_away(person, day);
      if (was_here && day >= population.from() && day < population.until()) to.push_back(bought);
    }
  }
}

void write_merchants(OutputFile& file, core::Instant at) {
  const int count = kCities * static_cast<int>(kTrades.size()) * kShopsPerTrade;
  for (int merchant = 0; merchant < count; ++merchant) {
    const Trade& trade = trade_of(merchant);
    EventLine line(file.text());
    line.begin("merchant", "M", merchant + 1, 5).at(at).field("merchant", merchant_id(merchant));
    line.field("name", std::string(trade.name) + " " + std::to_string(merchant % kShopsPerTrade + 1));
    line.field("mcc", trade.mcc).field("city", city_name(city_of(merchant))).end();
    file.spill();
  }
}

void write_card_line(EventLine& line, const Happening& happening) {
  const Trade& trade = trade_of(happening.a);
  line.field("amount_minor", happening.minor).field("currency", "RUB");
  line.field("direction", happening.b == 1 ? "credit" : "debit").field("mcc", trade.mcc);
  line.field("merchant", merchant_id(happening.a)).field("city", city_name(city_of(happening.a)));
  line.field("channel", "card").end();
}

}  // namespace tellerd::tellerctl

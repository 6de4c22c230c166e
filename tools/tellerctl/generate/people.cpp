#include "tellerctl/generate/people.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tellerd::tellerctl {
namespace {

using Words = std::string_view;

// Surnames that take an «а» in the feminine.
constexpr std::array<Words, 40> kSurnames{
    "Иванов",  "Смирнов", "Кузнецов", "Попов",       "Васильев", "Петров",    "Соколов", "Михайлов",
    "Новиков", "Фёдоров", "Морозов",  "Волков",      "Алексеев", "Лебедев",   "Семёнов", "Егоров",
    "Павлов",  "Козлов",  "Степанов", "Николаев",    "Орлов",    "Андреев",   "Макаров", "Никитин",
    "Захаров", "Зайцев",  "Соловьёв", "Борисов",     "Яковлев",  "Григорьев", "Романов", "Воробьёв",
    "Сергеев", "Кузьмин", "Фролов",   "Александров", "Дмитриев", "Королёв",   "Гусев",   "Киселёв"};
constexpr std::array<Words, 20> kMen{"Александр", "Дмитрий", "Сергей",  "Андрей",   "Алексей", "Максим", "Евгений",
                                     "Иван",      "Михаил",  "Николай", "Владимир", "Павел",   "Артём",  "Роман",
                                     "Олег",      "Игорь",   "Юрий",    "Виктор",   "Денис",   "Тимур"};
constexpr std::array<Words, 20> kWomen{"Анна",   "Елена",    "Ольга",  "Наталья",   "Екатерина", "Татьяна", "Ирина",
                                       "Мария",  "Светлана", "Юлия",   "Анастасия", "Дарья",     "Марина",  "Людмила",
                                       "Галина", "Ксения",   "Полина", "Вера",      "Алина",     "Гульнара"};
// Each with «ич» or «на».
constexpr std::array<Words, 16> kFathers{"Александров", "Дмитриев", "Сергеев",  "Андреев",  "Алексеев",   "Максимов",
                                         "Евгеньев",    "Иванов",   "Михайлов", "Николаев", "Владимиров", "Павлов",
                                         "Романов",     "Олегов",   "Юрьев",    "Викторов"};
constexpr std::array<Words, kCities> kCityNames{"Москва",       "Санкт-Петербург", "Казань",
                                                "Екатеринбург", "Нижний Новгород", "Самара"};
constexpr std::array<int, 20> kCityShares{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5};

// Sixteen equal parts of the population; a few do most of everything.
constexpr std::array<int, 16> kLiveliness{1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 14, 20, 40};
constexpr std::array<int, 16> kIncomeThousands{22, 28, 33, 38, 43, 48, 54, 60, 68, 77, 88, 102, 120, 150, 210, 350};
// Seven of ten are careful, two forgetful, one is in trouble: 15 % of instalments over all.
constexpr std::array<int, 10> kLatePercent{6, 6, 6, 6, 6, 6, 6, 25, 25, 58};

// One in five leaves within the history, one in forty comes back after a pause.
void decide_leaving(Person& person, Chance& chance, core::Day until) {
  person.away_from = person.away_to = until + 1;
  const std::uint32_t lot = chance.below(1000);
  const int weeks_ago = chance.between(1, kHistoryWeeks - 8);
  person.shows_leaving = chance.percent(60);
  if (lot >= 225) return;
  // Nobody leaves in the first two months; who would have to, stays.
  person.away_from = std::max(until - 7 * weeks_ago + chance.between(0, 6), person.registered + 60);
  if (lot < 25) person.away_to = person.away_from + 7 * chance.between(14, 20);
}

Person make_person(std::uint64_t seed, int number, core::Day until) {
  Chance chance(seed, Stream::kPerson, static_cast<std::uint64_t>(number));
  Person person;
  person.number = number;
  person.is_woman = chance.percent(54);
  person.surname = static_cast<int>(chance.below(kSurnames.size()));
  person.first_name = static_cast<int>(chance.below(kMen.size()));
  person.patronymic = static_cast<int>(chance.below(kFathers.size()));
  person.city = chance.pick(kCityShares);
  const int age = chance.between(19, 78);
  person.born = until - 365 * age - chance.between(0, 364);
  // Most came before the history begins; one in eight joined within it.
  person.registered = chance.percent(12) ? until - chance.between(2, 7 * kHistoryWeeks)
                                         : until - 7 * kHistoryWeeks - chance.between(0, 2500);
  const std::int64_t thousands = chance.below(900'000);
  person.phone = 9'000'000'000 + 1000 * thousands + chance.below(1000);
  person.liveliness = chance.pick(kLiveliness);
  const int income_thousands = chance.pick(kIncomeThousands);
  person.income = 1000 * income_thousands + 100 * chance.between(0, 99);
  person.late_percent = chance.pick(kLatePercent);
  decide_leaving(person, chance, until);
  return person;
}

}  // namespace

Population::Population(std::uint64_t seed, int clients, core::Day until) : seed_(seed), until_(until) {
  people_.reserve(static_cast<std::size_t>(clients));
  std::uint32_t sum = 0;
  for (int number = 1; number <= clients; ++number) {
    people_.push_back(make_person(seed, number, until));
    up_to_.push_back(sum += static_cast<std::uint32_t>(people_.back().liveliness));
  }
}

const Person& Population::lively(Chance& chance) const noexcept {
  const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), chance.below(up_to_.back()));
  return people_[static_cast<std::size_t>(found - up_to_.begin())];
}

std::string full_name(const Person& person) {
  const auto at = [](const auto& words, int index) { return std::string(words[static_cast<std::size_t>(index)]); };
  std::string name = at(kSurnames, person.surname) + (person.is_woman ? "а " : " ");
  name += person.is_woman ? at(kWomen, person.first_name) : at(kMen, person.first_name);
  return name + " " + at(kFathers, person.patronymic) + (person.is_woman ? "на" : "ич");
}

std::string_view city_name(int city) noexcept { return kCityNames[static_cast<std::size_t>(city)]; }

}  // namespace tellerd::tellerctl

#include "tellerctl/generate/loans.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace tellerd::tellerctl {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 4> kEducation{"Высшее", "Среднее специальное", "Среднее", "Неоконченное высшее"};
constexpr std::array<Words, 6> kJobs{"Работа по найму", "ИП",        "Государственная служба",
                                     "Самозанятый",     "Пенсионер", "Не работает"};
constexpr std::array<Words, kCities> kRegions{
    "Москва",           "Санкт-Петербург", "Республика Татарстан", "Свердловская область", "Нижегородская область",
    "Самарская область"};
constexpr std::array<Words, 4> kFamily{"Женат/замужем", "Холост/не замужем", "Разведён(а)", "Вдовец/вдова"};
constexpr std::array<Words, 8> kStreets{"Ленина",   "Мира",       "Садовая",  "Лесная",
                                        "Школьная", "Молодёжная", "Гагарина", "Набережная"};
// As the original files have it: missing, whole, and whole with a fraction.
constexpr std::array<Words, 8> kChildren{"null", "0", "0", "1", "1.0", "2", "2.0", "3"};
constexpr std::array<int, 12> kAmounts{15'000,  30'000,  45'000,  50'000,  70'000,  100'000,
                                       120'000, 200'000, 350'000, 500'000, 750'000, 1'500'000};
constexpr std::array<int, 7> kMonths{3, 6, 9, 12, 18, 24, 36};

struct Loan {
  int client = 0, ordinal = 0, late_percent = 0;
  int amount = 0, months = 0, planned = 0;
  core::Day start = 0;
};

// The same day some months later, or the last day of a shorter month.
core::Day months_after(core::Day day, int months) {
  using namespace std::chrono;
  const year_month_day from{sys_days{days{day}}};
  const year_month month = year_month{from.year(), from.month()} + std::chrono::months{months};
  const std::chrono::day last = year_month_day_last{month.year(), month_day_last{month.month()}}.day();
  const sys_days result{year_month_day{month.year(), month.month(), std::min(from.day(), last)}};
  return static_cast<core::Day>(result.time_since_epoch().count());
}

// An array of objects, one a line.
class JsonArray {
 public:
  explicit JsonArray(OutputFile& file) : file_(file) { file_.text() += "["; }
  std::string& next() {
    file_.spill();
    file_.text() += is_first_ ? "\n{" : ",\n{";
    is_first_ = false;
    is_first_field_ = true;
    return file_.text();
  }
  JsonArray& field(Words name, Words text) { return raw(name, "\"", text, "\""); }
  JsonArray& literal(Words name, Words text) { return raw(name, "", text, ""); }
  JsonArray& number(Words name, std::int64_t value) {
    std::string digits;
    add_number(digits, value);
    return literal(name, digits);
  }
  JsonArray& date(Words name, core::Day day) { return field(name, core::format_date(day)); }
  JsonArray& field_or_null(Words name, Words text, bool is_null) {
    return is_null ? literal(name, "null") : field(name, text);
  }
  void end() { file_.text() += '}'; }
  void finish() { file_.text() += "\n]\n"; }

 private:
  JsonArray& raw(Words name, Words before, Words text, Words after) {
    file_.text() += is_first_field_ ? "\"" : ", \"";
    is_first_field_ = false;
    for (const Words part : {name, Words("\": "), before, text, after}) file_.text() += part;
    return *this;
  }
  OutputFile& file_;
  bool is_first_ = true, is_first_field_ = true;
};

// Series by city and year, number by person: unique because the number is.
std::string passport_of(const Person& person) {
  std::string text;
  add_padded(text, 40 + person.city, 2);
  text += ' ';
  add_padded(text, 5 + person.number % 20, 2);
  text += ' ';
  add_padded(text, person.number, 6);
  return text;
}

std::string address_of(const Person& person, Chance& chance) {
  std::string text =
      "г. " + std::string(city_name(person.city)) + ", ул. " + std::string(chance.pick(kStreets)) + ", д. ";
  add_number(text, chance.between(1, 120));
  text += ", кв. ";
  add_number(text, chance.between(1, 240));
  return text;
}

void write_client(JsonArray& clients, const Person& person, Chance& chance) {
  clients.next();
  std::string phone = "+7";
  add_number(phone, person.phone);
  clients.number("client_id", person.number).field("fio", full_name(person)).field("passport", passport_of(person));
  clients.field("gender", person.is_woman ? "Женщина" : "Мужчина").date("birth_date", person.born);
  clients.field("education", chance.pick(kEducation)).literal("count_of_children", chance.pick(kChildren));
  clients.field("job_type", chance.pick(kJobs));
  const std::string_view family = chance.pick(kFamily);
  const std::string address = address_of(person, chance);
  clients.field_or_null("region", kRegions[static_cast<std::size_t>(person.city)], chance.percent(5));
  clients.field_or_null("family_status", family, chance.percent(8));
  clients.field_or_null("address", address, chance.percent(6));
  clients.field_or_null("phone", phone, chance.percent(4)).number("income", person.income);
  clients.end();
}

std::string loan_name(const Loan& loan) {
  std::string name = "КД-";
  add_padded(name, loan.client, 6);
  name += '/';
  add_number(name, loan.ordinal);
  return name;
}

Loan make_loan(const Person& person, int ordinal, core::Day until, Chance& chance) {
  Loan loan;
  loan.client = person.number;
  loan.ordinal = ordinal;
  loan.late_percent = person.late_percent;
  // Round sums and the first rouble over a bucket's edge as well as sums in between.
  loan.amount = chance.pick(kAmounts);
  loan.amount += chance.percent(30) ? chance.between(0, 9999) : chance.percent(5) ? 1 : 0;
  loan.months = chance.pick(kMonths);
  loan.planned = (loan.amount + loan.months / 2) / loan.months;
  loan.start = until - chance.between(10, 900);
  return loan;
}

void write_loan(JsonArray& loans, const Loan& loan) {
  loans.next();
  loans.number("client_id", loan.client).field("loan_name", loan_name(loan)).number("loan_amount", loan.amount);
  loans.date("loan_start_date", loan.start).date("loan_end_date", months_after(loan.start, loan.months));
  loans.number("payment_numbers", loan.months).number("paid_amount", loan.planned);
  loans.end();
}

struct Instalment {
  core::Day fact;
  int paid;
  bool is_paid;
};

Instalment pay(const Loan& loan, core::Day due, core::Day until, Chance& chance) {
  const bool fails = chance.percent(static_cast<std::uint32_t>(loan.late_percent));
  const auto how = chance.below(100);
  Instalment result{due - static_cast<int>(chance.below(chance.percent(20) ? 1 : 12)), loan.planned, true};
  result.fact = std::max(result.fact, loan.start);
  if (!fails) return result;
  if (how < 55) {
    result.fact = due + chance.between(1, how < 40 ? 20 : 95);
  } else if (how < 90) {
    result.paid = loan.planned * chance.between(5, 95) / 100;
  } else {
    result.is_paid = false;
  }
  result.is_paid = result.is_paid && result.fact < until;
  return result;
}

void write_instalments(JsonArray& payments, const Loan& loan, core::Day until, Chance& chance) {
  for (int number = 1; number <= loan.months; ++number) {
    const core::Day due = months_after(loan.start, number);
    if (due >= until) return;
    const Instalment instalment = pay(loan, due, until, chance);
    if (!instalment.is_paid) continue;
    payments.next();
    payments.number("client_id", loan.client).field("loan_name", loan_name(loan)).number("payment_number", number);
    payments.date("payment_date", due).date("payment_fact_date", instalment.fact);
    payments.number("paid_fact_amount", instalment.paid);
    payments.end();
  }
}

}  // namespace

std::vector<std::string> loans_files(const std::string& folder) {
  return {folder + "clients.json", folder + "loans.json", folder + "payments.json"};
}

bool has_loans(const Population& population, const Person& person, bool is_for_everyone) {
  Chance chance(population.seed(), Stream::kBorrowers, static_cast<std::uint64_t>(person.number));
  return chance.percent(45) || is_for_everyone;
}

void write_loans(OutputFolder& out, const Population& population, const std::string& folder, bool is_for_everyone) {
  JsonArray clients(out.file(folder + "clients.json")), loans(out.file(folder + "loans.json")),
      payments(out.file(folder + "payments.json"));
  for (const Person& person : population.people()) {
    if (!has_loans(population, person, is_for_everyone)) continue;
    Chance chance(population.seed(), Stream::kLoans, static_cast<std::uint64_t>(person.number));
    write_client(clients, person, chance);
    const auto lot = chance.below(100);
    const int count = lot < 60 ? 1 : lot < 87 ? 2 : 3;
    for (int ordinal = 1; ordinal <= count; ++ordinal) {
      const Loan loan = make_loan(person, ordinal, population.until(), chance);
      write_loan(loans, loan);
      write_instalments(payments, loan, population.until(), chance);
    }
  }
  for (JsonArray* array : {&clients, &loans, &payments}) array->finish();
}

}  // namespace tellerd::tellerctl

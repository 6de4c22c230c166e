#include "tellerctl/generate/broker.h"

#include <algorithm>
#include <array>

namespace tellerd::tellerctl {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 3> kDirections{"Debit", "Credit", "Transfer"};
constexpr std::array<Words, 4> kChannels{"ATM", "Online", "Branch", "Mobile"};
constexpr std::array<Words, 3> kDevices{"Desktop", "Mobile", "Tablet"};
constexpr std::array<Words, 4> kBrowsers{"Chrome", "Firefox", "Safari", "Edge"};
constexpr std::array<Words, 6> kActivities{"View_Balance",   "View_Portfolio", "Trade",
                                           "Read_Analytics", "Transfer_Funds", "Update_Profile"};
constexpr std::array<Words, 5> kBills{"Utility", "Internet", "Mobile", "Insurance", "Tax"};
constexpr std::array<Words, 4> kSecurities{"Stock", "Bond", "ETF", "Mutual_Fund"};
constexpr std::array<Words, 12> kIssuers{"Волга Энерго", "Северсталь-Тест", "Ладога Нефть", "Урал Химия",
                                         "Кама Авто",    "Байкал Телеком",  "Дон Агро",     "Нева Банк",
                                         "Обь Лес",      "Терек Металл",    "Онега Софт",   "Амур Транс"};
constexpr std::array<Words, 4> kTiers{"VIP", "Premium", "Standard", "Basic"};
constexpr std::array<Words, 4> kRateTypes{"Open", "Close", "High", "Low"};

// Thousandths of a middle amount: sixteen equal parts of a right-skewed spread.
constexpr std::array<int, 16> kSpread{90,  160, 230,  310,  390,  480,  580,  690,
                                      820, 970, 1150, 1380, 1700, 2200, 3100, 5600};

std::int64_t spread(Chance& chance, std::int64_t middle_minor) {
  const int part = chance.pick(kSpread);
  return middle_minor * part * chance.between(900, 1100) / 1'000'000 + 1;
}

void add_client_id(std::string& line, const Person& person) {
  line += "CLIENT_";
  add_padded(line, person.number, 6);
}

void add_time_of_day(std::string& line, Chance& chance) {
  line += ' ';
  add_padded(line, chance.between(6, 22), 2);
  line += ':';
  add_padded(line, chance.between(0, 59), 2);
  line += ':';
  add_padded(line, chance.between(0, 59), 2);
}

// Everyday money of three in twenty rows is foreign.
Words currency_of(Chance& chance) {
  const auto lot = chance.below(100);
  return lot < 85 ? "RUB" : lot < 94 ? "USD" : "EUR";
}

struct Table {
  Words file, header, id_prefix;
  int id_width;
  Stream stream;
  int per_5000;     // rows
  int window_days;  // how far back its dates go
  void (*add_rest)(std::string& line, core::Day day, const Person& person, Chance& chance);
};

void add_transaction(std::string& line, core::Day day, const Person&, Chance& chance) {
  add_date(line, day);
  const Words currency = currency_of(chance);
  line += ',';
  add_amount(line, spread(chance, currency == "RUB" ? 1'300'000 : 15'000));
  for (const Words word : {currency, chance.pick(kDirections), chance.pick(kChannels)}) (line += ',') += word;
}

void add_login(std::string& line, core::Day day, const Person&, Chance& chance) {
  add_date(line, day);
  add_time_of_day(line, chance);
  line += ",10.";
  add_number(line, chance.between(0, 255));
  line += '.';
  add_number(line, chance.between(0, 255));
  line += '.';
  add_number(line, chance.between(1, 254));
  for (const Words word : {chance.pick(kDevices), chance.pick(kBrowsers)}) (line += ',') += word;
  line += chance.percent(92) ? ",True" : ",False";
}

void add_activity(std::string& line, core::Day day, const Person&, Chance& chance) {
  add_date(line, day);
  (line += ',') += chance.pick(kActivities);
  line += ',';
  add_number(line, chance.between(1, 45));
  line += ',';
  add_number(line, chance.between(1, 25));
}

void add_bill(std::string& line, core::Day day, const Person&, Chance& chance) {
  add_date(line, day);
  line += ',';
  add_amount(line, spread(chance, 250'000));
  const auto lot = chance.below(100);
  (line += ",RUB,") += chance.pick(kBills);
  line += lot < 90 ? ",Completed" : lot < 96 ? ",Pending" : ",Failed";
}

void add_holding(std::string& line, core::Day day, const Person& person, Chance& chance) {
  const Words type = chance.pick(kSecurities);
  ((line += type) += ',') += chance.pick(kIssuers);
  (line += ' ') += type == "Bond" ? "обл." : type == "Stock" ? "ао" : "фонд";
  line += ',';
  add_number(line, chance.between(1, 20 + 5 * person.liveliness));
  const std::int64_t price = spread(chance, 60'000);
  line += ',';
  add_amount(line, price);
  line += ',';
  add_amount(line, price * chance.between(60, 160) / 100 + 1);
  line += ',';
  add_date(line, day);
}

// Holdings carry their date last, the others first; the newest row of an id by that date wins.
constexpr std::array<Table, 5> kTables{
    {{"bank_transactions.csv", "transaction_id,client_id,transaction_date,amount,currency,transaction_type,channel",
      "TXN_", 8, Stream::kTransactions, 15'000, 360, add_transaction},
     {"client_logins.csv", "login_id,client_id,login_timestamp,ip_address,device_type,browser,success", "LOGIN_", 8,
      Stream::kLogins, 8'000, 170, add_login},
     {"client_activities.csv", "activity_id,client_id,activity_date,activity_type,duration_minutes,page_views", "ACT_",
      8, Stream::kActivities, 10'000, 85, add_activity},
     {"payments.csv", "payment_id,client_id,payment_date,amount,currency,payment_type,status", "PAY_", 8,
      Stream::kBills, 7'000, 170, add_bill},
     {"securities_portfolios.csv",
      "portfolio_id,client_id,security_type,security_name,quantity,purchase_price,current_price,purchase_date", "PORT_",
      6, Stream::kHoldings, 3'000, 360, add_holding}}};

int rows_for(const Population& population, int per_5000) {
  return static_cast<int>(static_cast<std::int64_t>(population.people().size()) * per_5000 / 5000);
}

struct Choice {
  const Person& person;
  core::Day day;
};

// A lively person and a day on which they were here; the last day stays free for a correction.
Choice choose(const Population& population, Chance& chance, int window_days) {
  for (int attempt = 0;; ++attempt) {
    const Person& person = population.lively(chance);
    const core::Day day = population.until() - chance.between(2, window_days);
    const bool was_here = day >= person.registered && !is_away(person, day);
    if (was_here || attempt == 200) return {person, day};
  }
}

void add_row(std::string& to, const Table& table, int number, const Choice& choice, core::Day day, Chance& chance) {
  to += table.id_prefix;
  add_padded(to, number, table.id_width);
  to += ',';
  add_client_id(to, choice.person);
  to += ',';
  table.add_rest(to, day, choice.person, chance);
  to += '\n';
}

void write_table(OutputFolder& out, const Population& population, const Table& table) {
  OutputFile& file = out.file(table.file);
  (file.text() += table.header) += '\n';
  std::string later;  // repeats and corrections come after all first versions
  const int rows = rows_for(population, table.per_5000);
  for (int number = 1; number <= rows; ++number) {
    Chance chance(population.seed(), table.stream, static_cast<std::uint64_t>(number));
    const Choice choice = choose(population, chance, table.window_days);
    const auto lot = chance.below(100);
    const std::size_t begin = file.text().size();
    add_row(file.text(), table, number, choice, choice.day, chance);
    if (lot == 0) later.append(file.text(), begin);
    if (lot == 1) add_row(later, table, number, choice, choice.day + 1, chance);
    file.spill();
  }
  file.text() += later;
}

// Phones and names come as people typed them; the daemon cleans them.
void add_phone(std::string& line, std::int64_t phone, std::uint32_t form) {
  std::string digits;
  add_number(digits, phone);
  const auto part = [&](std::size_t from, std::size_t count) { return std::string_view(digits).substr(from, count); };
  if (form < 60) {
    (line += "+7") += digits;
  } else if (form < 80) {
    (((line += "8 (") += part(0, 3)) += ") ") += part(3, 3);
    (((line += '-') += part(6, 2)) += '-') += part(8, 2);
  } else {
    (((line += "+7 ") += part(0, 3)) += ' ') += part(3, 7);
  }
}

void add_client(std::string& to, const Person& person, Chance& chance) {
  const bool is_untidy = chance.percent(4);
  add_client_id(to, person);
  to += is_untidy ? ",  " : ",";
  to += full_name(person);
  to += is_untidy ? " ," : ",";
  add_phone(to, person.phone, chance.below(100));
  to += is_untidy ? ", Client" : ",client";
  add_number(to, person.number);
  to += "@example.org,";
  add_date(to, person.born);
  to += ',';
  add_date(to, person.registered);
  (to += ',') += city_name(person.city);
  const int tier = person.liveliness >= 40 ? 0 : person.liveliness >= 10 ? 1 : person.liveliness >= 4 ? 2 : 3;
  (to += ',') += kTiers[static_cast<std::size_t>(tier)];
  to += chance.percent(97) ? ",Active\n" : ",Inactive\n";
}

void write_clients(OutputFolder& out, const Population& population) {
  OutputFile& file = out.file("clients.csv");
  file.text() += "client_id,client_name,phone,email,birth_date,registration_date,city,segment,status\n";
  std::string later;
  for (const Person& person : population.people()) {
    Chance chance(population.seed(), Stream::kClients, static_cast<std::uint64_t>(person.number));
    const std::size_t begin = file.text().size();
    add_client(file.text(), person, chance);
    if (chance.percent(1)) later.append(file.text(), begin);
    file.spill();
  }
  file.text() += later;
}

// Two pairs by turns, evenly over the history and a month before it, so that every foreign amount has a rate.
void write_rates(OutputFolder& out, const Population& population) {
  OutputFile& file = out.file("currency_rates.csv");
  file.text() += "rate_id,currency_pair,rate_date,rate_value,rate_type\n";
  const int rows = std::max(2, rows_for(population, 1'000));
  constexpr int kSpanDays = 390;
  std::array<std::int64_t, 2> value{9000, 9800};  // hundredths of a rouble, a slow random walk
  for (int number = 1; number <= rows; ++number) {
    Chance chance(population.seed(), Stream::kRates, static_cast<std::uint64_t>(number));
    const auto pair = static_cast<std::size_t>((number - 1) % 2);
    value[pair] = std::clamp<std::int64_t>(value[pair] + chance.between(-60, 60), 7000, 12'000);
    const core::Day day = population.until() - kSpanDays + (number - 1) / 2 * 2 * (kSpanDays - 1) / rows;
    file.text() += "RATE_";
    add_padded(file.text(), number, 6);
    file.text() += pair == 0 ? ",USD/RUB," : ",EUR/RUB,";
    add_date(file.text(), day);
    add_time_of_day(file.text(), chance);
    file.text() += ',';
    add_amount(file.text(), value[pair]);
    (file.text() += ',') += chance.pick(kRateTypes);
    file.text() += '\n';
    file.spill();
  }
}

}  // namespace

std::vector<std::string> broker_files() {
  std::vector<std::string> names{"clients.csv", "currency_rates.csv"};
  for (const Table& table : kTables) names.emplace_back(table.file);
  return names;
}

void write_broker(OutputFolder& out, const Population& population) {
  write_clients(out, population);
  for (const Table& table : kTables) write_table(out, population, table);
  write_rates(out, population);
}

}  // namespace tellerd::tellerctl

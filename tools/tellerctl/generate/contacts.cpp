// Support contacts, SMS, visited hosts, consents and restrictions. Who is about to leave hears from competitors and
// visits them more often, but not always, and others do so too: a model has something to learn and something to miss.
#include <array>

#include "tellerctl/generate/events.h"

namespace tellerd::tellerctl {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 8> kTopics{"card", "transfer", "fee", "app", "loan", "deposit", "complaint", "limit"};
struct Message {
  Words sender, before, after;  // a number stands between
};
constexpr int kOwnMessages = 8;
// The first eight are everyday messages, the rest are competitors' (systemd/policy/default/competitors.toml).
constexpr std::array<Message, 14> kMessages{{{"900", "Ваш код подтверждения ", ". Никому его не сообщайте"},
                                             {"900", "Покупка ", " р. Спасибо, что пользуетесь картой"},
                                             {"TAXI", "Вас ожидает машина, номер ", ""},
                                             {"POST", "Посылка ", " ждёт вас в отделении"},
                                             {"CLINIC", "Напоминаем о записи к врачу, талон ", ""},
                                             {"SHOP", "Ваша скидка по промокоду ", " действует до воскресенья"},
                                             {"MCHS", "Ожидается сильный ветер до ", " м/с"},
                                             {"SCHOOL", "Собрание родителей в кабинете ", ""},
                                             {"ROMASHKA", "Вам одобрен КРЕДИТ до ", " 000 р. в Ромашка-Банке"},
                                             {"ROMASHKA", "Ромашка-банк: вклад под высокий процент, код ", ""},
                                             {"SEVERNY", "Северный Кредит снизил ставку! Заявка № ", ""},
                                             {"GORIZONT", "Банк Горизонт дарит ", " бонусов за первую карту"},
                                             {"VOLGA", "ВолгаИнвестБанк: откройте счёт, подарок № ", ""},
                                             {"DEBETKA", "ВашаДебетка готова, кэшбэк до ", " р."}}};
constexpr int kOwnHosts = 8;
constexpr std::array<Words, 14> kHosts{"news.example",
                                       "weather.example",
                                       "video.example",
                                       "kino.example",
                                       "recipes.example",
                                       "school.example",
                                       "romashka.example",
                                       "auto.example",
                                       "romashka-bank.example",
                                       "lk.romashka-bank.example",
                                       "www.severny-credit.example",
                                       "gorizont.example",
                                       "app.volgainvest.example",
                                       "ваша-дебетка.example"};
constexpr std::array<Words, 6> kRestrictions{"do_not_call",    "complaint",  "self_ban",
                                             "representative", "bankruptcy", "deceased"};

// Permille a week.
struct Pace {
  std::uint32_t support, rival_sms, rival_host;
};
constexpr Pace kSettled{25, 22, 18};
constexpr Pace kLeaving{90, 190, 210};
constexpr int kLeavingWeeks = 9;

Pace pace_in(const Person& person, core::Day week) {
  const bool is_leaving =
      person.shows_leaving && week < person.away_from && week + 7 * kLeavingWeeks > person.away_from;
  return is_leaving ? kLeaving : kSettled;
}

class Diary {
 public:
  Diary(std::vector<Happening>& to, const Person& person, Chance& chance) : to_(to), person_(person), chance_(chance) {}
  void note(What what, core::Day day, int a, std::int64_t minor = 0) {
    Happening happening;
    happening.at = some_time_on(day, chance_);
    happening.person = person_.number;
    happening.what = what;
    happening.a = a;
    happening.minor = minor;
    to_.push_back(happening);
  }

 private:
  std::vector<Happening>& to_;
  const Person& person_;
  Chance& chance_;
};

void live_a_week(Diary& diary, const Pace& pace, core::Day week, Chance& chance) {
  const auto day = [&] { return week + chance.between(0, 6); };
  const auto sms = [&](int from, int to) {
    const core::Day on = day();
    const int message = chance.between(from, to);
    diary.note(What::kSms, on, message, chance.between(10, 999));
  };
  const auto host = [&](int from, int to) {
    const core::Day on = day();
    diary.note(What::kHost, on, chance.between(from, to));
  };
  const auto support = [&] {
    const core::Day on = day();
    diary.note(What::kSupport, on, chance.between(0, kTopics.size() - 1));
  };
  if (chance.permille(pace.support)) support();
  if (chance.permille(110)) sms(0, kOwnMessages - 1);
  if (chance.permille(pace.rival_sms)) sms(kOwnMessages, kMessages.size() - 1);
  if (chance.permille(80)) host(0, kOwnHosts - 1);
  if (chance.permille(pace.rival_host)) host(kOwnHosts, kHosts.size() - 1);
}

// Four of five agreed to marketing, one in thirty of them took it back; few are restricted.
void agree(Diary& diary, const Population& population, core::Day first, Chance& chance) {
  const core::Day last = population.until() - 1;
  if (first > last - 7) return;
  if (chance.percent(80)) {
    diary.note(What::kConsent, first, 1);
    if (chance.percent(3)) diary.note(What::kConsent, chance.between(first + 1, last), 0);
  }
  if (!chance.percent(3)) return;
  const auto lot = chance.below(100);
  const int type = lot < 50 ? 0 : lot < 75 ? 1 : lot < 90 ? 2 : lot < 95 ? 3 : lot < 99 ? 4 : 5;
  diary.note(What::kRestriction, chance.between(first + 1, last), type);
}

}  // namespace

void add_contacts(std::vector<Happening>& to, const Population& population, const Person& person) {
  Chance chance(population.seed(), Stream::kContacts, static_cast<std::uint64_t>(person.number));
  Diary diary(to, person, chance);
  core::Day first = population.from();
  while (first < person.registered) first += 7;
  agree(diary, population, first, chance);
  for (core::Day week = first; week < population.until(); week += 7)
    if (!is_away(person, week + 6)) live_a_week(diary, pace_in(person, week), week, chance);
}

void write_contact_line(EventLine& line, const Happening& happening) {
  const auto index = static_cast<std::size_t>(happening.a);
  switch (happening.what) {
    case What::kSupport:
      line.field("topic", kTopics[index]).field("channel", index % 2 == 0 ? "phone" : "chat").end();
      return;
    case What::kSms: {
      std::string text(kMessages[index].before);
      add_number(text, happening.minor);
      text += kMessages[index].after;
      line.field("sender", kMessages[index].sender).field("text", text).end();
      return;
    }
    case What::kHost:
      line.field("host", kHosts[index]).end();
      return;
    case What::kConsent:
      line.field("purpose", "marketing").field("channel", "all").flag("granted", happening.a == 1);
      line.field("evidence", happening.a == 1 ? "form-7" : "letter").end();
      return;
    default:
      line.field("type", kRestrictions[index]).flag("active", true).field("source", "branch").end();
  }
}

}  // namespace tellerd::tellerctl

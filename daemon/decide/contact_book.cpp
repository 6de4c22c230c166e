#include "decide/contact_book.h"

#include <algorithm>

namespace tellerd::decide {
namespace {

constexpr std::uint8_t kOverdue = 1, kStands = 2, kIsJoined = 4;

std::optional<Purpose> purpose_named(std::string_view name) {
  if (name.empty() || name == "all") return Purpose::kAll;
  if (name == "marketing") return Purpose::kMarketing;
  if (name == "collection") return Purpose::kCollection;
  if (name == "service") return Purpose::kService;
  return std::nullopt;
}

std::optional<Channel> channel_named(std::string_view name) {
  if (name.empty() || name == "all" || name == "any") return Channel::kAll;
  if (name == "call" || name == "phone") return Channel::kCall;
  if (name == "message" || name == "sms" || name == "email" || name == "push") return Channel::kMessage;
  return std::nullopt;
}

core::Day valid_to(std::string_view date) {
  return date.empty() ? kOpenEnd : core::parse_date(date).value_or(kOpenEnd);
}

}  // namespace

std::optional<Mark> mark_of(const wire::Consent& consent, core::Instant occurred_us, std::int64_t seq) {
  const auto purpose = purpose_named(consent.purpose);
  const auto channel = channel_named(consent.channel);
  if (!purpose || !channel) return std::nullopt;
  // Without its evidence a consent is none, and takes back the one before it.
  return Mark{occurred_us,
              seq,
              valid_to(consent.valid_to),
              MarkKind::kConsent,
              *purpose,
              *channel,
              consent.granted && !consent.evidence.empty()};
}

std::optional<Mark> mark_of(const wire::Restriction& restriction, core::Instant occurred_us, std::int64_t seq) {
  static constexpr std::pair<std::string_view, MarkKind> kKinds[] = {
      {"do_not_call", MarkKind::kDoNotCall}, {"complaint", MarkKind::kComplaint},
      {"deceased", MarkKind::kDeceased},     {"bankruptcy", MarkKind::kBankruptcy},
      {"self_ban", MarkKind::kSelfBan},      {"representative", MarkKind::kRepresentative}};
  for (const auto& [name, kind] : kKinds)
    if (restriction.type == name)
      return Mark{occurred_us,       seq, valid_to(restriction.valid_to), kind, Purpose::kAll, Channel::kAll,
                  restriction.active};
  return std::nullopt;
}

std::uint8_t made_by(const OutcomeCode& code, Channel channel) noexcept {
  int made = 0;
  if (channel == Channel::kMessage)
    made |= code.attempt || code.message ? kWasMessage : 0;
  else
    made |= (code.attempt ? kWasAttempt : 0) | (code.conversation ? kWasConversation : 0) |
            (code.message ? kWasMessage : 0);
  if (code.reject) made |= kWasRejected;
  if (code.sale && code.level == OutcomeLevel::kOffer) made |= kWasAccepted;
  if (code.do_not_call) made |= kWasDoNotCall;
  if (code.code == "COMPLAINT") made |= kWasComplaint;
  if (code.code == "CONSENT_REVOKED") made |= kWasRevoked;
  return static_cast<std::uint8_t>(made);
}

std::uint8_t made_by_lease(Channel channel) noexcept {
  return channel == Channel::kMessage ? std::uint8_t{kWasMessage} : std::uint8_t{kWasAttempt | kWasConversation};
}

template <class T>
void ContactBook::Pool<T>::push(std::uint32_t& first, const T& value) {
  std::uint32_t place = free;
  if (place)
    free = nodes[place].next;
  else {
    place = static_cast<std::uint32_t>(nodes.size());
    nodes.emplace_back();
  }
  nodes[place] = {value, first};
  first = place;
}

template <class T>
template <class Is>
void ContactBook::Pool<T>::erase(std::uint32_t& first, Is&& is) {
  for (std::uint32_t* link = &first; *link;) {
    const std::uint32_t place = *link;
    if (!is(nodes[place].value)) {
      link = &nodes[place].next;
      continue;
    }
    *link = nodes[place].next;
    nodes[place].next = free;
    free = place;
  }
}

ContactBook::Person& ContactBook::person(CustomerId id) {
  if (people_.size() <= id) people_.resize(id + std::size_t{1});
  return people_[id];
}

int ContactBook::number_of(const std::string& name) {
  return name.empty() ? 0 : names_.try_emplace(name, static_cast<int>(names_.size()) + 1).first->second;
}

void ContactBook::know(std::size_t number, Purpose purpose, Channel channel, Credit credit, const std::string& action,
                       const std::string& group, const std::string& issue) {
  if (subjects_.size() <= number) subjects_.resize(number + 1);
  subjects_[number] = {purpose, channel, credit, number_of(action), number_of(group), number_of(issue)};
}

void ContactBook::put(CustomerId id, const Mark& mark) { marks_.push(person(id).marks, mark); }

void ContactBook::take_mark(CustomerId id, std::int64_t seq) {
  if (knows(id)) marks_.erase(people_[id].marks, [seq](const Mark& mark) { return mark.seq == seq; });
}

void ContactBook::put(CustomerId id, const PastContact& contact) {
  Person& known = person(id);
  contacts_.erase(known.contacts, [&](const PastContact& old) {
    return old.key == contact.key || old.at_us < contact.at_us - kContactsKeptUs - core::kDay;
  });
  contacts_.push(known.contacts, contact);
}

void ContactBook::take_contact(CustomerId id, std::int64_t key) {
  if (knows(id)) contacts_.erase(people_[id].contacts, [key](const PastContact& old) { return old.key == key; });
}

bool ContactBook::set_zone(CustomerId id, const std::string& zone) {
  std::uint16_t number = 0;
  if (!zone.empty()) {
    auto known = zones_.find(zone);
    if (known == zones_.end() && core::is_zone(zone)) {
      known = zones_.emplace(zone, static_cast<std::uint16_t>(calendars_.size())).first;
      calendars_.push_back(std::make_unique<core::Calendar>(zone));
    }
    if (known != zones_.end()) number = known->second;
  }
  if (number == 0 && !knows(id)) return false;
  Person& known = person(id);
  const bool is_other = known.zone != number;
  known.zone = number;
  return is_other;
}

bool ContactBook::set_overdue(CustomerId leader, bool is_overdue) {
  if (!is_overdue && !knows(leader)) return false;
  std::uint8_t& flags = person(leader).flags;
  const bool was_overdue = (flags & kOverdue) != 0;
  flags = static_cast<std::uint8_t>(is_overdue ? flags | kOverdue : flags & ~kOverdue);
  return was_overdue != is_overdue;
}

// Only what stands before others in the precedence is counted: marketing outranks nobody.
void ContactBook::stand(CustomerId leader, std::size_t subject, int by) {
  const Purpose purpose = subjects_[subject].purpose;
  if (purpose == Purpose::kMarketing) return;
  auto& counts = standing_[leader];
  counts[static_cast<std::size_t>(purpose)] += by;
  const bool stands = std::any_of(counts.begin(), counts.end(), [](int count) { return count > 0; });
  std::uint8_t& flags = person(leader).flags;
  flags = static_cast<std::uint8_t>(stands ? flags | kStands : flags & ~kStands);
  if (!stands) standing_.erase(leader);
}

void ContactBook::join(CustomerId leader, const std::vector<CustomerId>& members) {
  for (const CustomerId id : members) {
    joined_.erase(id);
    if (knows(id)) people_[id].flags = static_cast<std::uint8_t>(people_[id].flags & ~kIsJoined);
  }
  if (members.size() < 2) return;
  joined_[leader] = members;
  person(leader).flags |= kIsJoined;
}

void ContactBook::collect(CustomerId id, core::Instant now_us, Party& party) const {
  if (!knows(id)) return;
  const Person& known = people_[id];
  for (std::uint32_t at = known.marks; at; at = marks_.nodes[at].next) asked_marks_.push_back(marks_.nodes[at].value);
  for (std::uint32_t at = known.contacts; at; at = contacts_.nodes[at].next)
    if (contacts_.nodes[at].value.at_us > now_us - kContactsKeptUs)
      asked_contacts_.push_back(contacts_.nodes[at].value);
  party.is_overdue = party.is_overdue || (known.flags & kOverdue);
  if (known.zone && party.calendar == calendars_[0].get()) party.calendar = calendars_[known.zone].get();
  if (known.flags & kStands)
    for (std::size_t at = 0; at < kPurposeCount; ++at) party.standing[at] += standing_.at(id)[at];
}

Party ContactBook::party(CustomerId leader, core::Instant now_us) const {
  asked_contacts_.clear();
  asked_marks_.clear();
  Party party;
  party.calendar = calendars_[0].get();
  collect(leader, now_us, party);
  if (knows(leader) && (people_[leader].flags & kIsJoined))
    for (const CustomerId member : joined_.at(leader))
      if (member != leader) collect(member, now_us, party);
  std::sort(asked_contacts_.begin(), asked_contacts_.end(), [](const PastContact& a, const PastContact& b) {
    return a.at_us != b.at_us ? a.at_us < b.at_us : a.key < b.key;
  });
  std::sort(asked_marks_.begin(), asked_marks_.end(), [](const Mark& a, const Mark& b) { return a.seq < b.seq; });
  party.contacts = asked_contacts_;
  party.marks = asked_marks_;
  return party;
}

ContactVerdict ContactBook::check(CustomerId leader, std::size_t subject, core::Instant now_us) const {
  if (!has_rules()) return {};
  return rules_->check(subjects_[subject], party(leader, now_us), subjects_, now_us);
}

ContactTerms ContactBook::terms(CustomerId leader, std::size_t subject, core::Instant now_us) const {
  if (!has_rules()) return {};
  return rules_->terms(subjects_[subject], party(leader, now_us), subjects_, now_us);
}

}  // namespace tellerd::decide

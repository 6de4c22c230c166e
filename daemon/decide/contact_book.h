// What is known of customers that bears on contacting them: consents, restrictions, contacts that took place or are
// reserved by a lease, their time zone. Kept by the id the fact was told of; a question is about all ids of a customer.
// Who has nothing of it costs twelve bytes once a greater id has. Memory alone: marks are read back from silver,
// contacts from the outcomes, reservations from the leases. Threads: the caller's lock.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/growing_space.h"
#include "core/limits.h"
#include "core/prefetch.h"
#include "decide/contact_rules.h"
#include "decide/outcome_code.h"
#include "wire/facts.h"

namespace tellerd::decide {

// Outcomes leave silver after 64 weeks; so that nobody sees when, older contacts than this count no more.
inline constexpr core::Instant kContactsKeptUs = 60 * core::kWeek;
static_assert(kContactsKeptUs > 400 * core::kDay);  // the longest window of a pack

class ContactBook {
 public:
  using CustomerId = std::uint32_t;
  ContactBook() { set_branch_zone("UTC"); }
  void set_rules(const Contact& contact, const Holidays& holidays) {
    rules_ = std::make_unique<ContactRules>(contact, holidays);
  }
  void set_branch_zone(const std::string& zone) { calendars_[0] = std::make_unique<core::Calendar>(zone); }
  const core::Calendar& branch() const { return *calendars_[0]; }
  bool has_rules() const noexcept { return rules_ && !rules_->is_empty(); }
  const ContactRules& rules() const { return *rules_; }

  // What the offers of a template are; `number` is the template's.
  void know(std::size_t number, Purpose purpose, Channel channel, Credit credit, const std::string& action,
            const std::string& group, const std::string& issue);
  const Subject& subject(std::size_t number) const { return subjects_[number]; }

  void put(CustomerId id, const Mark& mark);
  void take_mark(CustomerId id, std::int64_t seq);
  void put(CustomerId id, const PastContact& contact);
  void take_contact(CustomerId id, std::int64_t key);
  bool set_zone(CustomerId id, const std::string& zone);       // "": the branch's; true when it was another one
  bool set_overdue(CustomerId leader, bool is_overdue);        // true when it was not so
  void stand(CustomerId leader, std::size_t subject, int by);  // its offers that stand
  void join(CustomerId leader, const std::vector<CustomerId>& members);  // one alone parts them
  void prefetch(CustomerId id) const noexcept {                          // a hint: somebody asks soon
    if (id < people_.size()) core::prefetch(&people_[id]);
  }
  bool knows(CustomerId id) const noexcept { return id < people_.size() && people_[id].is_known(); }

  ContactVerdict check(CustomerId leader, std::size_t subject, core::Instant now_us) const;
  ContactTerms terms(CustomerId leader, std::size_t subject, core::Instant now_us) const;
  // The customer as the rules see it, for several questions; until the next call.
  Party party(CustomerId leader, core::Instant now_us) const;
  std::span<const Subject> subjects() const noexcept { return subjects_; }

 private:
  struct Person {
    std::uint32_t marks = 0, contacts = 0;  // first in the pools
    std::uint16_t zone = 0;
    std::uint8_t flags = 0;  // kOverdue, kStands, kIsJoined
    bool is_known() const noexcept { return marks || contacts || zone || flags; }
  };
  template <class T>
  struct Pool {  // lists by index; places are used again
    struct Node {
      T value;
      std::uint32_t next = 0;
    };
    std::vector<Node> nodes{1};
    std::uint32_t free = 0;
    void push(std::uint32_t& first, const T& value);
    template <class Is>
    void erase(std::uint32_t& first, Is&& is);
  };
  Person& person(CustomerId id);
  int number_of(const std::string& name);
  void collect(CustomerId id, core::Instant now_us, Party& party) const;

  std::unique_ptr<ContactRules> rules_;
  std::vector<Subject> subjects_;
  std::map<std::string, int> names_;
  std::vector<std::unique_ptr<core::Calendar>> calendars_{1};
  std::map<std::string, std::uint16_t> zones_;
  core::GrowingArray<Person> people_;  // by id, as far as something is known
  Pool<Mark> marks_;
  Pool<PastContact> contacts_;
  std::unordered_map<CustomerId, std::array<int, kPurposeCount>> standing_;  // of those that outrank others
  std::unordered_map<CustomerId, std::vector<CustomerId>> joined_;           // by leader
  mutable std::vector<PastContact> asked_contacts_;
  mutable std::vector<Mark> asked_marks_;
};

// What silver's facts are to the rules; nothing for a kind of consent or restriction that no rule knows.
std::optional<Mark> mark_of(const wire::Consent& consent, core::Instant occurred_us, std::int64_t seq);
std::optional<Mark> mark_of(const wire::Restriction& restriction, core::Instant occurred_us, std::int64_t seq);
std::uint8_t made_by(const OutcomeCode& code, Channel channel) noexcept;
std::uint8_t made_by_lease(Channel channel) noexcept;  // what it may become

}  // namespace tellerd::decide

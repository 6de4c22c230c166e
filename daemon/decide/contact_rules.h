// May this customer be contacted with this offer now, and if not, why and until when (policy.md 3). A pure function of
// the pack's rules, what is known of the customer, and a time that is handed in. Days are the customer's own; a rolling
// window of n days is n times 24 hours, and what lies exactly so far back is out of it. Threads: none of its own.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "decide/pack.h"

namespace tellerd::decide {

// What an offer is to the rules. Actions, groups and issues are numbers that only tell equal from not; 0 is none.
struct Subject {
  Purpose purpose = Purpose::kMarketing;
  Channel channel = Channel::kCall;
  Credit credit = Credit::kNone;
  int action = 0, group = 0, issue = 0;
};

// What a contact was, as bits.
enum ContactMade : std::uint8_t {
  kWasAttempt = 1,
  kWasConversation = 2,
  kWasMessage = 4,
  kWasRejected = 8,
  kWasAccepted = 16,
  kWasComplaint = 32,
  kWasDoNotCall = 64,
  kWasRevoked = 128
};

struct PastContact {
  core::Instant at_us = 0;
  std::int64_t key = 0;       // seq of its outcome; the offer's number, negative, of one that a lease has reserved
  std::uint16_t subject = 0;  // index of what it was about
  std::uint8_t made = 0;
};

enum class MarkKind : std::uint8_t {
  kConsent,
  kDoNotCall,
  kComplaint,
  kDeceased,
  kBankruptcy,
  kSelfBan,
  kRepresentative
};
inline constexpr core::Day kOpenEnd = INT32_MAX;

// A consent or a restriction, as it was told last.
struct Mark {
  core::Instant since_us = 0;
  std::int64_t seq = 0;
  core::Day valid_to = kOpenEnd;  // inclusive
  MarkKind kind = MarkKind::kConsent;
  Purpose purpose = Purpose::kAll;  // of a consent, as its channel
  Channel channel = Channel::kAll;
  bool is_active = false;  // a consent that was given, a restriction that holds
};

// One customer as the rules see it, all its keys together.
struct Party {
  std::span<const PastContact> contacts;
  std::span<const Mark> marks;
  const core::Calendar* calendar = nullptr;
  bool is_overdue = false;
  std::array<int, kPurposeCount> standing{};  // its offers that stand, by purpose
};

// The words of an empty queue's histogram.
enum class Why : std::uint8_t { kNone, kWindow, kCap, kSuppressed, kDoNotCall, kConsent };
inline constexpr std::size_t kWhyCount = 6;
inline constexpr std::array<std::string_view, kWhyCount> kWhyNames{"none",       "window",      "cap",
                                                                   "suppressed", "do_not_call", "consent"};

struct Hit {
  int rule = 0;  // index into the pack's rules, or one of those below
  Why why = Why::kNone;
  core::Instant until_us = core::kNever;  // it holds until then at least, unless the customer's state changes
};
inline constexpr int kHoursHit = -1, kPrecedenceHit = -2, kLeasedHit = -3;

struct ContactVerdict {
  std::vector<Hit> hits;     // the first hard block first; none when the customer may be contacted
  int weight_percent = 100;  // of the offer's priority, by rules that only weigh it down
  bool may_contact() const noexcept { return hits.empty(); }
  Why why() const noexcept { return hits.empty() ? Why::kNone : hits.front().why; }
  core::Instant open_us() const noexcept;  // no sooner; kNever when time alone opens nothing
};

// Whether an offer may be made at all; hours, precedence and leases are judged where a desk takes it.
struct Making {
  Hit block;                 // the first hard one; `why` is kNone when there is none
  int weight_percent = 100;  // when there is none
};

// What a contact rests on and what is left of it, for whoever makes it.
struct ContactTerms {
  std::int64_t consent_seq = 0;                       // of the consent in force; 0: none
  core::Instant open_from_us = 0, open_until_us = 0;  // the hours of the day that it is now, or of the next one open
  struct Left {
    int rule = 0, contacts = 0;  // index into the pack's rules; how many more it allows now
  };
  std::vector<Left> left;
};

class ContactRules {
 public:
  ContactRules(const Contact& contact, const Holidays& holidays);
  // `subjects` is what the contacts' `subject` points into.
  ContactVerdict check(const Subject& subject, const Party& party, std::span<const Subject> subjects,
                       core::Instant now_us) const;
  // The same rules in the same order without what a desk is asked about. Used-up contacts stop no offer that stands.
  Making making(const Subject& subject, const Party& party, std::span<const Subject> subjects, core::Instant now_us,
                bool is_standing) const;
  ContactTerms terms(const Subject& subject, const Party& party, std::span<const Subject> subjects,
                     core::Instant now_us) const;
  bool is_empty() const noexcept { return !has_rules_; }  // then everything may
  std::string_view name_of(const Hit& hit) const;         // the rule's id

 private:
  struct Question;
  Hit hours(const Question& question) const;
  int contacts_left(const ContactRule& rule, const Question& question) const;
  Hit ask(int rule, const Question& question) const;
  core::Instant counted_until(const ContactRule& rule, const Question& question) const;
  core::Instant suppressed_until(const ContactRule& rule, const Question& question) const;

  bool has_rules_ = false;
  std::vector<ContactRule> rules_;
  std::vector<int> order_;  // of the rules: LAW, BANK, BUSINESS, inside as in the file
  std::array<ContactHours, kPurposeCount> hours_;
  std::vector<Purpose> precedence_;
  Holidays holidays_;
};

// Whether a contact counts for a rule's channel: calls are attempts, whether they were answered or not.
bool counts_as(std::uint8_t made, Channel channel) noexcept;
// The latest word on marketing: a consent that was given with its evidence and not taken back since.
bool has_consent(const Subject& subject, const Party& party, core::Day today) noexcept;

}  // namespace tellerd::decide

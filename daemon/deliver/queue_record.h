// What changes a queue's state, as records of the log (JSON payloads): who a client's session is, the grant of leases,
// a lease verb, an outcome, the end of a lease or of a delay. A record is judged when it is applied, so one that comes
// too late, or twice, changes nothing.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "wire/facts.h"

namespace tellerd::deliver {

struct Asker {  // who asks, and the id of the question in JSON: the same one twice is one question
  std::string client, session, request;
};

struct SessionRecord {
  std::string client, session;
  std::vector<std::string> skills;
};

struct GrantRecord {
  struct Offer {
    std::int64_t number = 0;
    std::uint32_t customer = 0;
    std::int64_t epoch = 0;  // the offer's last one + 1, else it is not granted
  };
  Asker asker;
  std::int64_t lease_ms = 0;
  std::vector<Offer> offers;
  bool is_promised = false;  // the desk was told as soon as this was on disk
};

enum class LeaseVerb : std::uint8_t { kRelease, kFail, kBury, kKick, kSnooze, kExtend, kAck };
std::string_view name_of(LeaseVerb verb) noexcept;  // "RELEASE"

struct LeaseRecord {
  Asker asker;
  LeaseVerb verb = LeaseVerb::kRelease;
  std::int64_t offer_id = 0, epoch = 0;
  std::string reason;
  std::int64_t ms = 0;      // EXTEND: how much more
  core::Instant at_us = 0;  // SNOOZE: not before
  bool is_mine = false;     // SNOOZE: for me alone, for a while
};

struct OutcomeRecord {
  Asker asker;
  bool is_correction = false;  // CORRECT, else DISPOSE
  std::int64_t offer_id = 0, epoch = 0;
  std::string code, note, promise_date;
  std::int64_t amount_minor = 0;
  bool is_promised = false;  // DISPOSE: the desk was told `ok` as soon as this was on disk
};

enum class Timer : std::uint8_t {
  kLease,
  kDelay,
  kReserve
};  // reserve: a callback was kept for one client long enough
std::string_view name_of(Timer timer) noexcept;

struct TimerRecord {
  std::int64_t number = 0, epoch = 0;
  Timer ended = Timer::kLease;
};

std::string to_payload(const SessionRecord& record);
std::string to_payload(const GrantRecord& record);
std::string to_payload(const LeaseRecord& record);
std::string to_payload(const OutcomeRecord& record);
std::string to_payload(const TimerRecord& record);
void from_payload(std::string_view payload, SessionRecord& record);
void from_payload(std::string_view payload, GrantRecord& record);
void from_payload(std::string_view payload, LeaseRecord& record);
void from_payload(std::string_view payload, OutcomeRecord& record);
void from_payload(std::string_view payload, TimerRecord& record);

std::string offer_hex(std::int64_t offer_id);             // sixteen digits, as in mart_offer
std::int64_t offer_id_of(std::string_view hex) noexcept;  // 0 when it is none

}  // namespace tellerd::deliver

// An offer that has been granted at least once, and who it was granted to.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace tellerd::deliver {

// kReserved: a callback whose time has come, kept for one client for a while. kEnded: the offer was superseded,
// withdrawn or expired. Numbers are those of queue_item.state.
enum class ItemState : std::uint8_t {
  kReady = 0,
  kLeased = 1,
  kScheduled = 2,
  kDone = 3,
  kDead = 4,
  kReserved = 5,
  kEnded = 6
};

inline constexpr std::string_view kDoneElsewhere = "DONE_ELSEWHERE";  // reason: not a desk told its outcome

struct Item {
  std::int64_t number = 0, offer_id = 0;
  std::uint32_t customer = 0;
  ItemState state = ItemState::kReady;
  std::int64_t epoch = 0;        // of the last grant
  int faults = 0;                // leases that ended in FAIL, by time or with their session
  std::int32_t client = -1;      // who holds it, or last held it
  std::int64_t wait_ms = 0;      // of the lease or of the delay, from its beginning
  core::Instant at_us = 0;       // SNOOZE: not before
  core::Instant granted_us = 0;  // its last grant, when the contact was reserved
  std::string code, reason;      // the outcome of kDone; why it is dead, delayed or ended
  bool is_mine = false;          // a callback for its client
  bool is_unacked = false;       // ended under a lease, and the holder has not said that it knows
  std::string card;              // what the desk is shown, as members of a JSON object; made at the grant, not kept
};

enum class QueueCode : std::uint8_t {
  kOk,
  kStaleLease,
  kAlreadyDone,
  kUnknownOffer,
  kFenced,
  kNotDead,
  kNotDone,
  kBadRequest,
  kQueueFull
};
inline constexpr auto kQueueCodeNames =
    std::to_array<std::string_view>({"OK", "STALE_LEASE", "ALREADY_DONE", "UNKNOWN_OFFER", "FENCED", "NOT_DEAD",
                                     "NOT_DONE", "BAD_REQUEST", "QUEUE_FULL"});
constexpr std::string_view name_of(QueueCode code) noexcept { return kQueueCodeNames[static_cast<std::size_t>(code)]; }

struct Granted {
  std::int64_t number = 0, offer_id = 0, epoch = 0;
};

struct Answer {  // to a question that has changed something
  std::string request;
  QueueCode code = QueueCode::kOk;
  std::vector<Granted> granted;
  std::string row{};  // as it is stored, made once
};
std::string row_of(const Answer& answer);

inline constexpr std::size_t kAnswersKept = 32;  // of a session: a question may be repeated so much later
inline constexpr std::size_t kFencedKept = 16;   // sessions of a client that may not come back

struct Client {
  std::string name, session;
  std::vector<std::string> skills, fenced;
  std::int64_t answered = 0;  // in this session; the newest stands at (answered - 1) % kAnswersKept
  std::vector<Answer> answers;
  std::vector<std::int64_t> held;      // numbers of its leases, growing
  std::vector<std::int64_t> reserved;  // and of the callbacks kept for it
  bool is_dirty = false;
};

struct ClientRow {
  std::int32_t number = 0;
  std::int64_t answered = 0;
  std::string name, session, answers;
  std::vector<std::string> skills, fenced;
};

}  // namespace tellerd::deliver

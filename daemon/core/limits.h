// Every bound in one place, related by compile-time checks, with the reasons beside.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/time.h"

namespace tellerd::core::limits {

// Wire (design.md 4): a frame holds at least sixteen of the largest events.
inline constexpr std::size_t kFrameBytesMax = 1u << 20;
inline constexpr std::size_t kEventBytesMax = 64u << 10;
inline constexpr std::size_t kEventBytesMin = 16;
inline constexpr std::size_t kBatchEventsMax = 8192;
inline constexpr std::size_t kVerifyDepthMax = 16;
inline constexpr std::size_t kVerifyTablesMax = 1024;
static_assert(kFrameBytesMax >= 16 * kEventBytesMax);

// Text of an event, in bytes.
inline constexpr std::size_t kIdBytesMax = 128;
inline constexpr std::size_t kKeyBytesMax = 128;
inline constexpr std::size_t kNameBytesMax = 512;
inline constexpr std::size_t kTextBytesMax = 4096;
inline constexpr std::size_t kProducerNameBytesMax = 200;

// Group commit (faults.md 5.2): a batch closes when the socket is empty, at this many events, or after 5 ms.
inline constexpr std::size_t kCommitEventsMax = 8192;
inline constexpr std::int64_t kCommitUsMax = 5'000;

// Time (domain.md 6, design.md 1).
inline constexpr Instant kFutureUsMax = 5 * kMinute;
inline constexpr Week kActivityWeeksKept = 64;  // dated facts, offers and decisions
inline constexpr Day kLoanDaysKept = 1827;      // after a loan's closing: five years
inline constexpr std::uint32_t kLoansDroppedPerRecord = 16, kLoansLookedAtPerRecord = 4096;
inline constexpr Week kFeedWeeksKept = 8;  // how far back REPLAY goes
inline constexpr Instant kReferenceWaitUs = 7 * kDay;
inline constexpr Instant kClockStepUsMax = 10 * kMinute;
inline constexpr Instant kClockGapUsMax = 30 * kDay;

// Weekly bits: 63 in a signed 64-bit integer; features, horizon and span must fit in 62 (design.md 2).
inline constexpr int kWeekBits = 63;
static_assert(kActivityWeeksKept > kWeekBits);

// Deadlines a record or a tick may run beside the record's own customer (design.md 2): counted, never timed.
inline constexpr std::size_t kDeadlinesPerRecord = 64;
inline constexpr std::size_t kDeadlinesPerTick = 4096;

// The hand-over from recorder to engine: past it the engine reads on from bronze.
inline constexpr std::size_t kHandOverBytesMax = 12u << 20;

// Flush of derived state: within a second at ordinary load, within five at the heaviest.
inline constexpr std::int64_t kFlushUsOrdinary = 1 * kSecond;
inline constexpr std::int64_t kFlushUsHeaviest = 5 * kSecond;

// Queues (policy.md 5): what one pull may take, what one client may hold, how long a pull may wait.
inline constexpr std::int64_t kPullOffersMax = 100;
inline constexpr std::size_t kClientLeasesMax = 400;
inline constexpr std::int64_t kPullWaitMsMax = 60'000;
static_assert(kClientLeasesMax >= kPullOffersMax);
inline constexpr std::size_t kDeskPeersMax = 10'000;  // connections remembered; one forgotten says HELLO again
inline constexpr std::size_t kDeskAsksMax = 20'000;   // questions that wait for an answer; past it they are turned away
inline constexpr std::size_t kDeskAsksPerPeerMax = 128;        // and of one connection
inline constexpr std::size_t kDeskAnswerBytesMax = 64u << 10;  // of a page of BROWSE or REPLAY, about

// Frames that wait for a peer to read them; past it they are dropped. Half of those it has read may still count, so
// that one who reads gets the answers to all it may ask at once.
inline constexpr int kPeerFramesMax = 256;
static_assert(2 * kDeskAsksPerPeerMax <= kPeerFramesMax);

}  // namespace tellerd::core::limits

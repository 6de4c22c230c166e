// Random draws that are the same on every machine: xoshiro256** seeded through splitmix64 (Blackman and Vigna).
// A draw is a statement of its own: the order of draws within one expression is the compiler's choice.
// Each (seed, stream, index) is a sequence of its own, so one customer's life does not depend on another's.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace tellerd::tellerctl {

enum class Stream : std::uint64_t {
  kPerson = 1,
  kClients,
  kTransactions,
  kLogins,
  kActivities,
  kBills,
  kHoldings,
  kRates,
  kBorrowers,
  kLoans,
  kCards,
  kContacts,
  kShop,
  kProducts,
};

class Chance {
 public:
  Chance(std::uint64_t seed, Stream stream, std::uint64_t index) noexcept;
  std::uint64_t next() noexcept;
  std::uint32_t below(std::uint32_t bound) noexcept;  // 0 .. bound-1; bound > 0
  int between(int low, int high) noexcept;            // both ends included
  bool percent(std::uint32_t share) noexcept { return below(100) < share; }
  bool permille(std::uint32_t share) noexcept { return below(1000) < share; }

  template <class T, std::size_t n>
  const T& pick(const std::array<T, n>& from) noexcept {
    return from[below(static_cast<std::uint32_t>(n))];
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace tellerd::tellerctl

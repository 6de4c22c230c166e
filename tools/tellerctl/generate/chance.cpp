#include "tellerctl/generate/chance.h"

namespace tellerd::tellerctl {
namespace {

std::uint64_t splitmix(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

constexpr std::uint64_t rotate(std::uint64_t value, int by) noexcept { return (value << by) | (value >> (64 - by)); }

}  // namespace

Chance::Chance(std::uint64_t seed, Stream stream, std::uint64_t index) noexcept : state_{} {
  std::uint64_t chain = seed;
  chain = splitmix(chain) ^ static_cast<std::uint64_t>(stream);
  chain = splitmix(chain) ^ index;
  for (auto& word : state_) word = splitmix(chain);
}

std::uint64_t Chance::next() noexcept {
  const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate(state_[3], 45);
  return result;
}

// Multiply and shift (Lemire) without rejection: a bias under 2^-22 for our bounds, and one draw always.
std::uint32_t Chance::below(std::uint32_t bound) noexcept {
  return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
}

int Chance::between(int low, int high) noexcept {
  return low + static_cast<int>(below(static_cast<std::uint32_t>(high - low + 1)));
}

}  // namespace tellerd::tellerctl

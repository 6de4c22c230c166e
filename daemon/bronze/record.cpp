#include "bronze/record.h"

#include <algorithm>
#include <cstring>

namespace tellerd::bronze {
namespace {
constexpr std::size_t kBlockWords = (64u << 10) / 8;
constexpr std::size_t kBlocksKept = 32;
}  // namespace

std::string_view Group::keep(std::string_view bytes) {
  const std::size_t words = (bytes.size() + 7) / 8;
  while (current_ < blocks_.size() && blocks_[current_].used + words > blocks_[current_].capacity) ++current_;
  if (current_ == blocks_.size()) {
    const std::size_t capacity = std::max(words, kBlockWords);
    blocks_.push_back({std::unique_ptr<std::uint64_t[]>(new std::uint64_t[capacity]), capacity, 0});
  }
  Block& block = blocks_[current_];
  char* to = reinterpret_cast<char*>(block.words.get() + block.used);
  std::memcpy(to, bytes.data(), bytes.size());
  block.used += words;
  kept_bytes_ += words * 8;
  return {to, bytes.size()};
}

void Group::clear() noexcept {
  records.clear();
  if (blocks_.size() > kBlocksKept) blocks_.resize(kBlocksKept);
  for (auto& block : blocks_) block.used = 0;
  current_ = 0;
  kept_bytes_ = 0;
}

}  // namespace tellerd::bronze

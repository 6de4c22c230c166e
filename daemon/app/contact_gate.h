// The contact policy in the funnel of a choice: what may not be made for this customer now (policy.md 3).
// Threads: the holder of the queues' lock, or of the book.
#pragma once
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "decide/choice.h"
#include "decide/contact_book.h"

namespace tellerd::app {

std::string_view code_of(decide::Cause cause) noexcept;  // the reason code of what a rule forbids

class ContactGate : public decide::Constraint {
 public:
  // `templates` gives a candidate's template, which the book knows; -1 for none. `standing` is the candidate of the
  // offer that stands, or -1.
  ContactGate(const decide::ContactBook& contacts, const std::vector<decide::ContactRule>& rules,
              std::uint32_t customer, core::Instant now_us, int standing, std::span<const int> templates);
  std::string_view blocks(std::size_t candidate) override;
  int weight_percent(std::size_t candidate) override { return making(candidate).weight_percent; }
  std::size_t blocked_by = 0;             // the rule that the last answer of blocks() rests on
  core::Instant opens_us = core::kNever;  // when the first of what was blocked may open by time alone

 private:
  const decide::Making& making(std::size_t candidate);

  const decide::ContactBook& contacts_;
  const std::vector<decide::ContactRule>& rules_;
  core::Instant now_us_;
  int standing_;
  std::span<const int> templates_;
  decide::Party party_;
  // Whoever was never contacted is judged by purpose, channel and credit alone.
  static constexpr std::size_t kKinds = decide::kPurposeCount * 4 * 3;
  std::array<decide::Making, kKinds> makings_;
  std::uint64_t known_ = 0;  // bits of makings_
  decide::Making one_;
};
static_assert(decide::kPurposeCount * 4 * 3 <= 64);

}  // namespace tellerd::app

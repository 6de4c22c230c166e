// How far an action came in a decision, and why something was chosen, or why not: one code each, with words in every
// pack that chooses (texts.*.toml).
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tellerd::decide {

enum class Stage : std::uint8_t {
  kLibrary,
  kEligibility,
  kApplicability,
  kSuitability,
  kConstraints,
  kArbitration,
  kFinal
};
inline constexpr std::size_t kStages = 7;
inline constexpr std::array<std::string_view, kStages> kStageNames{
    "library", "eligibility", "applicability", "suitability", "constraints", "arbitration", "final"};

enum class ChoiceReason : std::uint8_t {
  kHighestValue,   // of all that were left
  kRandomArm,      // chosen by lot, to compare with
  kHoldout,        // no contact, to compare with
  kNothingFits,    // no action is left
  kMandatory,      // before everything else
  kLikely,         // customers like this one accept more often than others: {1} %
  kNotEligible,    // may not have it
  kNotApplicable,  // it makes no sense now
  kNotSuitable,    // not good for the customer
  kNoValue,        // costs more than it brings
  kOutranked,      // another one has a higher priority: {1}
  kStands,         // the offer that stands goes on
  kOtherPurpose,   // a purpose with precedence speaks first
  kTried,          // little is known yet: {1} answers so far
  kShownLately,    // shown {1} times lately without an answer
  kLever,          // raised or lowered by hand: {1} %
  kToldAlready,    // for this instalment
  kNotInSegment,   // for other segments
  kCapacity,       // the queue's day is full
  kWeighedDown,    // a contact rule leaves {1} % of its priority
  kNoProfile       // nobody decides without one
};

inline constexpr auto kChoiceCodes = std::to_array<std::pair<ChoiceReason, std::string_view>>({
    {ChoiceReason::kHighestValue, "NB-01"}, {ChoiceReason::kRandomArm, "NB-02"},
    {ChoiceReason::kHoldout, "NB-03"},      {ChoiceReason::kNothingFits, "NB-04"},
    {ChoiceReason::kMandatory, "NB-05"},    {ChoiceReason::kLikely, "NB-06"},
    {ChoiceReason::kNotEligible, "NB-07"},  {ChoiceReason::kNotApplicable, "NB-08"},
    {ChoiceReason::kNotSuitable, "NB-09"},  {ChoiceReason::kNoValue, "NB-10"},
    {ChoiceReason::kOutranked, "NB-11"},    {ChoiceReason::kStands, "NB-12"},
    {ChoiceReason::kOtherPurpose, "NB-13"}, {ChoiceReason::kTried, "NB-14"},
    {ChoiceReason::kShownLately, "NB-15"},  {ChoiceReason::kLever, "NB-16"},
    {ChoiceReason::kToldAlready, "NB-17"},  {ChoiceReason::kNotInSegment, "NB-18"},
    {ChoiceReason::kCapacity, "SU-14"},     {ChoiceReason::kWeighedDown, "SU-15"},
    {ChoiceReason::kNoProfile, "DQ-02"},
});

constexpr std::string_view code_of(ChoiceReason reason) noexcept {
  return kChoiceCodes[static_cast<std::size_t>(reason)].second;  // in the order of the enum: a static_assert says so
}
static_assert([] {
  for (std::size_t at = 0; at < kChoiceCodes.size(); ++at)
    if (static_cast<std::size_t>(kChoiceCodes[at].first) != at) return false;
  return kChoiceCodes.size() == static_cast<std::size_t>(ChoiceReason::kNoProfile) + 1;
}());

// A reason as one number: a ChoiceReason, or a contact rule's code SU-nn as kOfPolicy + nn; kWon is the choice itself.
inline constexpr std::uint8_t kOfPolicy = 64, kWon = 255;
static_assert(kChoiceCodes.size() < kOfPolicy);
constexpr std::uint64_t packed(std::string_view code) noexcept {  // of at most eight bytes
  std::uint64_t bytes = 0;
  for (const char byte : code) bytes = bytes << 8 | static_cast<unsigned char>(byte);
  return bytes;
}
inline constexpr auto kPackedCodes = [] {
  std::array<std::uint64_t, kChoiceCodes.size()> all{};
  for (std::size_t at = 0; at < all.size(); ++at) all[at] = packed(kChoiceCodes[at].second);
  return all;
}();
constexpr std::uint8_t reason_number(std::string_view code) noexcept {
  if (code.size() != 5) return kOfPolicy;
  const std::uint64_t wanted = packed(code);
  for (std::size_t at = 0; at < kPackedCodes.size(); ++at)
    if (kPackedCodes[at] == wanted) return static_cast<std::uint8_t>(at);
  return static_cast<std::uint8_t>(kOfPolicy + (code[3] - '0') * 10 + (code[4] - '0'));
}

// What became of a candidate: a ChoiceReason, or kOfPolicy and the number of a contact rule's code.
struct Fate {
  Stage lost_at = Stage::kLibrary;
  std::uint8_t reason = 0;
  friend bool operator==(const Fate&, const Fate&) = default;
};

}  // namespace tellerd::decide

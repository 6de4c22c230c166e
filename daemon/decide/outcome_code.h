// What an outcome's code means (policy.md 6), in one table.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace tellerd::decide {

enum class OutcomeLevel : std::uint8_t { kNetwork, kContact, kOffer, kCollection };

struct OutcomeCode {
  std::string_view code;
  OutcomeLevel level;
  bool human = false, right_party = false;
  bool presented = false;  // the offer was put to the customer: without it there is no label
  bool sale = false, reject = false;
  bool do_not_call = false, callback = false;
  bool attempt = false, conversation = false, message = false;  // what it counts as
};

// One letter a flag, in the order of the columns: Human Right-party Presented Sale reJect Do-not-call caLlback Attempt
// Conversation Message.
constexpr OutcomeCode outcome_code(std::string_view code, OutcomeLevel level, std::string_view flags) {
  const auto has = [flags](char flag) { return flags.find(flag) != std::string_view::npos; };
  return {code,     level,    has('H'), has('R'), has('P'), has('S'),
          has('J'), has('D'), has('L'), has('A'), has('C'), has('M')};
}

inline constexpr auto kOutcomeCodes = std::to_array<OutcomeCode>({
    outcome_code("ACCEPTED", OutcomeLevel::kOffer, "HRPSAC"),
    outcome_code("APPLIED", OutcomeLevel::kOffer, "HRPSAC"),
    outcome_code("NOT_INTERESTED", OutcomeLevel::kOffer, "HRPJAC"),
    outcome_code("PRICE", OutcomeLevel::kOffer, "HRPJAC"),
    outcome_code("HAS_ALREADY", OutcomeLevel::kOffer, "HRPJAC"),
    outcome_code("COMPETITOR", OutcomeLevel::kOffer, "HRPJAC"),
    outcome_code("NOT_NOW", OutcomeLevel::kOffer, "HRPAC"),
    outcome_code("NO_ANSWER", OutcomeLevel::kNetwork, "A"),
    outcome_code("BUSY", OutcomeLevel::kNetwork, "A"),
    outcome_code("DISCONNECTED", OutcomeLevel::kNetwork, "A"),
    outcome_code("MACHINE", OutcomeLevel::kNetwork, "A"),
    outcome_code("WRONG_PERSON", OutcomeLevel::kContact, "HA"),
    outcome_code("LANGUAGE", OutcomeLevel::kContact, "HRAC"),
    outcome_code("CALLBACK", OutcomeLevel::kContact, "HRLAC"),
    outcome_code("COMPLAINT", OutcomeLevel::kContact, "HRAC"),
    outcome_code("DO_NOT_CALL", OutcomeLevel::kContact, "HRDAC"),
    outcome_code("CONSENT_REVOKED", OutcomeLevel::kContact, "HRAC"),
    outcome_code("PROMISE_TO_PAY", OutcomeLevel::kCollection, "HRPSAC"),
    outcome_code("PROMISE_KEPT", OutcomeLevel::kCollection, "PS"),
    outcome_code("PROMISE_BROKEN", OutcomeLevel::kCollection, "PJ"),
    outcome_code("DISPUTE", OutcomeLevel::kCollection, "HRPJAC"),
    outcome_code("HARDSHIP", OutcomeLevel::kCollection, "HRPAC"),
});

constexpr const OutcomeCode* find_outcome_code(std::string_view code) noexcept {
  for (const auto& known : kOutcomeCodes)
    if (known.code == code) return &known;
  return nullptr;
}

}  // namespace tellerd::decide

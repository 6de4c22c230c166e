// Who may see what. A role is what a person does at the branch; an address names the roles that may ask it.
//   operator: is all well, refused events, the live tail      analyst: marts row by row and one customer, names masked
//   desk: one customer at a time, with the name               merchant_manager: sums about merchants and marketing
//   auditor: who read what
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tellerd::ops {

enum class Role : unsigned { kOperator = 1, kAnalyst = 2, kDesk = 4, kMerchantManager = 8, kAuditor = 16 };
using Roles = unsigned;                 // a set of them
inline constexpr Roles kEverybody = 0;  // nobody needs to sign in

constexpr Roles roles(auto... which) { return (static_cast<Roles>(which) | ...); }

struct RoleName {
  Role role;
  std::string_view name;
};
inline constexpr RoleName kRoleNames[] = {{Role::kOperator, "operator"},
                                          {Role::kAnalyst, "analyst"},
                                          {Role::kDesk, "desk"},
                                          {Role::kMerchantManager, "merchant_manager"},
                                          {Role::kAuditor, "auditor"}};

constexpr std::string_view name_of(Role role) {
  for (const auto& one : kRoleNames)
    if (one.role == role) return one.name;
  return "";
}
constexpr std::optional<Role> role_of(std::string_view name) {
  for (const auto& one : kRoleNames)
    if (one.name == name) return one.role;
  return std::nullopt;
}

// Who asks: nobody in particular until somebody has signed in.
struct Principal {
  std::string user;
  Role role = Role::kAuditor;
  bool is_signed_in() const noexcept { return !user.empty(); }
  bool is(Role which) const noexcept { return is_signed_in() && role == which; }
  bool may(Roles allowed) const noexcept {
    return allowed == kEverybody || (is_signed_in() && (allowed & static_cast<Roles>(role)) != 0);
  }
};

}  // namespace tellerd::ops

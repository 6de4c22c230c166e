// Text as it comes from the world: UTF-8 checks, case folding, host names in IDN form, pattern lists.
// Bounds: every function takes text already bounded by limits.h and allocates only where it says so.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tellerd::core {

bool is_utf8(std::string_view text) noexcept;              // well formed, no surrogates, no NUL
std::string_view trimmed(std::string_view text) noexcept;  // blanks, tabs and line ends off both ends
std::string digits_only(std::string_view text);            // "+7 (900) 1" -> "79001"
std::string upper_ascii(std::string_view text);
std::string casefold(std::string_view text);    // full Unicode case folding, NFC; "" for text that is not UTF-8
std::string host_ascii(std::string_view host);  // lower-case A-labels without trailing dot; "" when no host name
std::string masked_name(std::string_view name);  // "Анна Петрова" -> "А*** П***"; digits-only and short words too
std::string masked_end(std::string_view text, std::size_t shown);  // "+79001230123", 4 -> "•••0123"; short ones wholly

// SMS patterns: found anywhere in the text, whatever the case.
class SubstringPatterns {
 public:
  SubstringPatterns() = default;
  explicit SubstringPatterns(const std::vector<std::string>& patterns);
  bool matches(std::string_view text) const;  // folds the text once; allocates
 private:
  std::vector<std::string> folded_;
};

// Competitor hosts: the host itself or any subdomain of it; "notromashka.example" is not "romashka.example".
class HostPatterns {
 public:
  HostPatterns() = default;
  explicit HostPatterns(const std::vector<std::string>& hosts);
  bool matches(std::string_view host) const;  // plain lower-case ASCII hosts without allocation
 private:
  std::vector<std::string> ascii_;
};

}  // namespace tellerd::core

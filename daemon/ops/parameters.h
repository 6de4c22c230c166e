// The part of an address after '?', decoded: each name once, UTF-8 as it came, at most 32 of them.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tellerd::ops {

using Parameters = std::map<std::string, std::string, std::less<>>;

// Nothing when a name is empty or comes twice, a part has no '=', or an escape is none.
std::optional<Parameters> parameters_of(std::string_view query);

// A whole number of at most nine digits within the bounds, or nothing.
std::optional<int> number_within(std::string_view text, int low, int high);

}  // namespace tellerd::ops

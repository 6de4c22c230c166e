// Reasons in the words of a pack, their figures filled in. Stored as codes with figures: "CH-09:5,3 CH-06:4,1". A
// figure that is a name (a tier, a segment, a category) is stored as the pack calls it, blanks as underscores, and said
// in the pack's words for it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "decide/pack.h"

namespace tellerd::decide {

struct Reason {
  std::string code;
  std::vector<std::string> figures;
};

Texts read_texts(const PackFiles& files,
                 std::string_view language);  // "ru" or "en"; Fault(kConfig) when they are not good
std::vector<Reason> reasons_of(std::string_view stored);
std::string words_of(const Texts& texts, const Reason& reason);  // the code itself when the pack has no words for it
std::vector<std::string> reason_words(const Texts& texts, std::string_view stored);
std::string filled(std::string_view words, const std::vector<std::string>& figures);  // {1} is the first
// Each {name} by its value.
std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace tellerd::decide

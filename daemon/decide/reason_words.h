// Stored reasons ("CH-09:5,3 CH-06:4,1") in the words of a pack, its figures filled in.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "decide/pack.h"

namespace tellerd::decide {

Texts read_texts(const PackFiles& files,
                 std::string_view language);  // "ru" or "en"; Fault(kConfig) when they are not good
std::vector<std::string> reason_words(const Texts& texts, std::string_view reasons);

}  // namespace tellerd::decide

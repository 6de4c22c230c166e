// Cumulative parts as the loan system delivers them (domain.md 4): part i holds the first i * (total / parts + 1) loans
// by start date, with their payments and clients, in DIR/part_i/{clients,loans,payments}_i.json.
// Reads DIR/{clients,loans,payments}.json or the same under DIR/loans/. Errors: core::Fault with a sentence.
#pragma once
#include <filesystem>

namespace tellerd::tellerctl {

// Parts that stand there already are replaced; late ones may be empty of news when there are few loans.
void split(const std::filesystem::path& dir, int parts);

}  // namespace tellerd::tellerctl

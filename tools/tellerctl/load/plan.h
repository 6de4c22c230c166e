// Which files a load means, in the order they are handed in. Errors: core::Fault(kFailed) with a sentence.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

namespace tellerd::tellerctl {

// Files as named; of a folder the files of known sources and *.ndjson in it and in its folder `loans`, by rank_of.
std::vector<std::filesystem::path> files_of(const std::vector<std::filesystem::path>& paths);

// Folders part_1, part_2, … in a folder, by number.
std::map<std::uint64_t, std::filesystem::path> parts_of(const std::filesystem::path& folder);

}  // namespace tellerd::tellerctl

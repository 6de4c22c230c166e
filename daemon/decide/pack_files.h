// The files of a policy pack as texts: from a folder, from the binary, from a pack record; their hash names the pack.
// Errors: Fault(kConfig) where a pack cannot be read, Fault(kFailed) where a copy cannot be written.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace tellerd::decide {

using PackFiles = std::map<std::string, std::string>;  // file name -> text

inline constexpr std::size_t kPackBytesMax = 1u << 20;  // of all files: a pack travels as one record

// The embedded pack of that name (it wins over a folder of the same name), else the *.toml files of the folder; what
// else lies in a folder is left alone. "./original" is always a folder.
PackFiles read_pack_files(std::string_view name_or_dir);

std::string pack_hash(const PackFiles& files);  // 32 hex digits over names and bytes

std::string serialise_pack(const PackFiles& files);  // a JSON object, file name -> text
PackFiles deserialise_pack(std::string_view text);

// tellerctl policy copy NAME DIR: makes the folder where it is missing, refuses one that is not empty.
void copy_pack(std::string_view name, const std::filesystem::path& to);

}  // namespace tellerd::decide

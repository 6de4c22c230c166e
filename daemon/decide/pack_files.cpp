#include "decide/pack_files.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/checksum.h"
#include "core/embedded.h"
#include "core/fault.h"
#include "core/text.h"

namespace tellerd::decide {
namespace {

namespace fs = std::filesystem;
using core::Exit;
using core::Fault;

constexpr std::string_view kEmbeddedPacks = "systemd/policy/";

PackFiles embedded_pack(std::string_view name) {
  const std::string folder = std::string(kEmbeddedPacks) + std::string(name) + "/";
  PackFiles files;
  for (const core::EmbeddedFile& file : core::embedded_files())
    if (file.path.substr(0, folder.size()) == folder)
      files.emplace(std::string(file.path.substr(folder.size())), std::string(file.bytes));
  return files;
}

std::string embedded_names() {
  std::string names;
  std::string last;
  for (const core::EmbeddedFile& file : core::embedded_files()) {
    if (file.path.substr(0, kEmbeddedPacks.size()) != kEmbeddedPacks) continue;
    const std::string_view rest = file.path.substr(kEmbeddedPacks.size());
    const std::string name(rest.substr(0, rest.find('/')));
    if (name == last) continue;
    names += (names.empty() ? "" : ", ") + name;
    last = name;
  }
  return names;
}

std::string read_file(const fs::path& path, std::size_t bytes_left) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) throw Fault(Exit::kConfig, path.string() + " cannot be read: " + error.message());
  if (size > bytes_left) throw Fault(Exit::kConfig, path.string() + " makes the pack larger than 1 MiB");
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) throw Fault(Exit::kConfig, path.string() + " cannot be read");
  if (text.size() != size) throw Fault(Exit::kConfig, path.string() + " cannot be read whole");
  return text;
}

PackFiles folder_pack(const fs::path& folder) {
  std::error_code error;
  PackFiles files;
  std::size_t bytes = 0;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.front() == '.' || entry->path().extension() != ".toml" || !entry->is_regular_file(error)) continue;
    const auto [added, is_new] = files.emplace(name, read_file(entry->path(), kPackBytesMax - bytes));
    bytes += added->second.size();
  }
  if (error) throw Fault(Exit::kConfig, "the policy folder " + folder.string() + ": " + error.message());
  return files;
}

}  // namespace

PackFiles read_pack_files(std::string_view name_or_dir) {
  PackFiles files;
  const bool is_name = !name_or_dir.empty() && name_or_dir.find('/') == std::string_view::npos;
  if (is_name) files = embedded_pack(name_or_dir);
  if (!files.empty()) return files;

  const fs::path folder(name_or_dir);
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Fault(Exit::kConfig, "no policy pack \"" + std::string(name_or_dir) +
                                   "\": give a folder or one of the built-in packs (" + embedded_names() + ")");
  files = folder_pack(folder);
  if (files.empty()) throw Fault(Exit::kConfig, "the policy folder " + folder.string() + " has no .toml files");
  return files;
}

// Lengths go in as well, so that no text can pass for another file's name.
std::string pack_hash(const PackFiles& files) {
  std::string all;
  for (const auto& [name, text] : files)
    all += std::to_string(name.size()) + ":" + name + std::to_string(text.size()) + ":" + text;
  return core::hash_hex(all);
}

std::string serialise_pack(const PackFiles& files) {
  for (const auto& [name, text] : files)
    if (!core::is_utf8(name) || !core::is_utf8(text)) throw Fault(Exit::kConfig, "a file of the pack is not UTF-8");
  return nlohmann::json(files).dump();
}

PackFiles deserialise_pack(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) throw Fault(Exit::kConfig, "the text of a pack is no JSON object of its files");
  PackFiles files;
  for (const auto& [name, content] : json.items()) {
    if (!content.is_string()) throw Fault(Exit::kConfig, "the text of a pack has no text for " + name);
    files.emplace(name, content.get<std::string>());
  }
  return files;
}

void copy_pack(std::string_view name, const fs::path& to) {
  const PackFiles files = read_pack_files(name);
  std::error_code error;
  fs::create_directories(to, error);
  if (error) throw Fault(Exit::kFailed, "the folder " + to.string() + " cannot be made: " + error.message());
  const bool is_empty = fs::is_empty(to, error);
  if (error) throw Fault(Exit::kFailed, "the folder " + to.string() + " cannot be read: " + error.message());
  if (!is_empty) throw Fault(Exit::kFailed, "the folder " + to.string() + " is not empty: choose a new one");
  for (const auto& [file, text] : files) {
    std::ofstream out(to / file, std::ios::binary);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) throw Fault(Exit::kFailed, (to / file).string() + " cannot be written");
  }
}

}  // namespace tellerd::decide

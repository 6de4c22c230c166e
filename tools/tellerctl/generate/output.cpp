#include "tellerctl/generate/output.h"

#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kSpillBytes = 256u << 10;
constexpr std::string_view kTemporary = ".part";

[[noreturn]] void fail(const fs::path& path, const std::string& why) {
  throw core::Fault(core::Exit::kFailed, path.string() + ": " + why);
}

// A run that was killed leaves "name.part" behind; that is ours too.
bool is_ours(const std::string& name, const std::vector<std::string>& names) {
  for (const auto& own : names)
    if (name == own || name == own + std::string(kTemporary)) return true;
  return false;
}

void refuse_foreign_files(const fs::path& folder, const std::vector<std::string>& names) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    if (!is_ours(name, names))
      fail(folder, "holds other files (" + name + "); name an empty or new folder, or remove them first");
  }
}

}  // namespace

void add_number(std::string& to, std::int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  to.append(digits, end);
}

void add_padded(std::string& to, std::int64_t value, int width) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  const auto length = static_cast<int>(end - digits);
  if (length < width) to.append(static_cast<std::size_t>(width - length), '0');
  to.append(digits, end);
}

void add_amount(std::string& to, std::int64_t minor) {
  add_number(to, minor / 100);
  to += '.';
  add_padded(to, minor % 100, 2);
}

void add_date(std::string& to, core::Day day) { to += core::format_date(day); }

OutputFile::OutputFile(fs::path final_path) : final_(std::move(final_path)), temporary_(final_) {
  temporary_ += kTemporary;
  stream_ = std::fopen(temporary_.c_str(), "wb");
  if (!stream_) fail(temporary_, std::string("cannot be written: ") + std::strerror(errno));
  std::setvbuf(stream_, nullptr, _IONBF, 0);
  buffer_.reserve(kSpillBytes + 4096);
}

OutputFile::~OutputFile() {
  if (stream_) std::fclose(stream_);
  std::error_code ignored;
  if (!is_published_) fs::remove(temporary_, ignored);
}

void OutputFile::spill() {
  if (buffer_.size() >= kSpillBytes) write_out();
}

void OutputFile::write_out() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), stream_) != buffer_.size())
    fail(temporary_, std::string("cannot be written: ") + std::strerror(errno));
  buffer_.clear();
}

void OutputFile::close() {
  write_out();
  const int result = std::fclose(stream_);
  stream_ = nullptr;
  if (result != 0) fail(temporary_, std::string("cannot be written: ") + std::strerror(errno));
}

void OutputFile::publish() {
  std::error_code error;
  fs::rename(temporary_, final_, error);
  if (error) fail(final_, "cannot take its final name: " + error.message());
  is_published_ = true;
}

OutputFolder::OutputFolder(fs::path folder, std::vector<std::string> names) : folder_(std::move(folder)) {
  try {
    for (const auto& name : names) fs::create_directories((folder_ / name).parent_path());
    refuse_foreign_files(folder_, names);
  } catch (const fs::filesystem_error& error) {
    fail(folder_, "cannot be used as a folder: " + error.code().message());
  }
}

OutputFile& OutputFolder::file(std::string_view name) { return files_.emplace_back(folder_ / name); }

void OutputFolder::publish() {
  for (auto& file : files_) file.close();
  for (auto& file : files_) file.publish();
}

void EventLine::name(std::string_view text) {
  to_ += ",\"";
  to_ += text;
  to_ += "\":";
}

EventLine& EventLine::begin(std::string_view kind, std::string_view id_prefix, std::int64_t number, int width) {
  to_ += "{\"kind\":\"";
  to_ += kind;
  to_ += "\",\"id\":\"";
  to_ += id_prefix;
  add_padded(to_, number, width);
  to_ += '"';
  return *this;
}

EventLine& EventLine::customer(std::string_view prefix, std::int64_t number) {
  name("customer");
  to_ += '"';
  to_ += prefix;
  add_padded(to_, number, 6);
  to_ += '"';
  return *this;
}

EventLine& EventLine::at(core::Instant occurred_us) { return field("occurred_us", occurred_us); }

EventLine& EventLine::field(std::string_view field_name, std::string_view text) {
  name(field_name);
  to_ += '"';
  to_ += text;
  to_ += '"';
  return *this;
}

EventLine& EventLine::field(std::string_view field_name, std::int64_t number) {
  name(field_name);
  add_number(to_, number);
  return *this;
}

EventLine& EventLine::flag(std::string_view field_name, bool value) {
  name(field_name);
  to_ += value ? "true" : "false";
  return *this;
}

}  // namespace tellerd::tellerctl

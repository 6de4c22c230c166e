#include <algorithm>

#include "core/text.h"
#include "tellerctl/load/rows.h"

namespace tellerd::tellerctl {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

JsonRows::JsonRows(std::string_view bytes) : bytes_(bytes) {
  if (bytes_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
  const std::size_t first = bytes_.find_first_not_of(kBlanks, position_);
  is_array_ = first != std::string_view::npos && bytes_[first] == '[';
  if (!is_array_) return;
  skip_blank(kBlanks);
  ++position_;
}

bool JsonRows::next(Row& row) {
  row.fields.clear();
  row.refusal.reset();
  if (!(is_array_ ? next_element(row) : next_line(row))) return false;
  if (!row.refusal) row.refusal = object_.parse(row.raw);
  if (!row.refusal) row.fields = object_.fields();
  return true;
}

void JsonRows::skip_blank(std::string_view blanks) {
  const std::size_t end = std::min(bytes_.find_first_not_of(blanks, position_), bytes_.size());
  line_ += static_cast<std::uint64_t>(std::count(bytes_.begin() + static_cast<std::ptrdiff_t>(position_),
                                                 bytes_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
  position_ = end;
}

bool JsonRows::next_line(Row& row) {
  skip_blank(kBlanks);
  if (position_ >= bytes_.size()) return false;
  const std::size_t end = std::min(bytes_.find('\n', position_), bytes_.size());
  row.raw = core::trimmed(bytes_.substr(position_, end - position_));
  row.line = line_;
  position_ = end;
  return true;
}

bool JsonRows::next_element(Row& row) {
  skip_blank(is_closed_ ? kBlanks : " \t\r\n,");
  row.line = line_;
  row.raw = {};
  if (position_ < bytes_.size() && bytes_[position_] == ']' && !is_closed_) {
    ++position_;
    is_closed_ = true;
    skip_blank(kBlanks);
  }
  if (is_closed_ && position_ >= bytes_.size()) return false;
  if (is_closed_ || position_ >= bytes_.size()) {  // one row says that the file is not whole
    const char* words = is_closed_ ? "something follows the end of the list" : "the list does not end";
    row.refusal = wire::Refusal{wire::VerdictCode::kMalformed, "", words};
    row.raw = bytes_.substr(position_);
    position_ = bytes_.size();
    is_closed_ = true;
    return true;
  }
  const std::size_t end = element_end();
  row.raw = core::trimmed(bytes_.substr(position_, end - position_));
  line_ += static_cast<std::uint64_t>(std::count(bytes_.begin() + static_cast<std::ptrdiff_t>(position_),
                                                 bytes_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
  position_ = end;
  return true;
}

// Where the element ends: at a comma or bracket outside of strings and of what it holds.
std::size_t JsonRows::element_end() const {
  std::size_t depth = 0;
  bool is_in_string = false;
  for (std::size_t at = position_; at < bytes_.size(); ++at) {
    const char c = bytes_[at];
    if (is_in_string) {
      if (c == '\\')
        ++at;
      else if (c == '"')
        is_in_string = false;
    } else if (c == '"') {
      is_in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || c == ']')) {
      return at;
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
    }
  }
  return bytes_.size();
}

}  // namespace tellerd::tellerctl

#include <csv.h>

#include <new>

#include "core/limits.h"
#include "core/text.h"
#include "tellerctl/load/rows.h"

namespace tellerd::tellerctl {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct CsvRows::Parser {
  csv_parser csv;
  CsvRows& rows;
  bool has_row = false;

  Parser(CsvRows& owner, char delimiter) : rows(owner) {
    if (csv_init(&csv, 0) != 0) throw std::bad_alloc();
    csv_set_delim(&csv, static_cast<unsigned char>(delimiter));
  }
  ~Parser() { csv_free(&csv); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  static void on_cell(void* text, std::size_t size, void* self) {
    CsvRows& rows = static_cast<Parser*>(self)->rows;
    if (rows.cell_count_ == rows.cells_.size()) rows.cells_.emplace_back();
    rows.cells_[rows.cell_count_++].assign(static_cast<const char*>(text), size);
  }
  static void on_row(int, void* self) { static_cast<Parser*>(self)->has_row = true; }

  // One line with its end: rows end at line ends, so at most one row comes of it.
  bool take(std::string_view line) {
    has_row = false;
    csv_parse(&csv, line.data(), line.size(), on_cell, on_row, this);
    return has_row;
  }
  bool finish() {
    has_row = false;
    csv_fini(&csv, on_cell, on_row, this);
    return has_row;
  }
};

CsvRows::CsvRows(std::string_view bytes) : bytes_(bytes) {
  if (bytes_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
  const std::string_view first = bytes_.substr(position_, bytes_.find('\n', position_) - position_);
  const bool has_comma = first.find(',') != std::string_view::npos;
  parser_ = std::make_unique<Parser>(*this, !has_comma && first.find(';') != std::string_view::npos ? ';' : ',');
  if (!read_cells()) return;
  for (std::size_t at = 0; at < cell_count_; ++at) header_.emplace_back(core::trimmed(cells_[at]));
}

CsvRows::~CsvRows() = default;

bool CsvRows::read_cells() {
  cell_count_ = 0;
  is_broken_ = false;
  std::size_t begin = position_;
  row_line_ = line_;
  while (position_ < bytes_.size()) {
    const std::size_t end = bytes_.find('\n', position_);
    const std::size_t next = end == std::string_view::npos ? bytes_.size() : end + 1;
    const bool has_row = parser_->take(bytes_.substr(position_, next - position_));
    position_ = next;
    ++line_;
    raw_ = bytes_.substr(begin, position_ - begin);
    if (has_row) return true;
    if (cell_count_ == 0 && core::trimmed(raw_).empty()) {  // an empty line is no row
      begin = position_;
      row_line_ = line_;
    } else if (raw_.size() > core::limits::kEventBytesMax) {
      give_up_row();
      return true;
    }
  }
  return parser_->finish();
}

// A quote that never closes would swallow the rest of the file: the line it stands in is refused, reading goes on
// after.
void CsvRows::give_up_row() {
  const auto delimiter = static_cast<char>(csv_get_delim(&parser_->csv));
  parser_ = std::make_unique<Parser>(*this, delimiter);
  const std::size_t line_end = raw_.find('\n');
  const std::size_t kept = line_end == std::string_view::npos ? raw_.size() : line_end + 1;
  position_ -= raw_.size() - kept;
  line_ = row_line_ + 1;
  raw_ = raw_.substr(0, kept);
  is_broken_ = true;
}

bool CsvRows::next(Row& row) {
  row.fields.clear();
  row.refusal.reset();
  if (!read_cells()) return false;
  row.raw = core::trimmed(raw_);
  row.line = row_line_;
  if (is_broken_) {
    row.refusal = wire::Refusal{wire::VerdictCode::kMalformed, "", "a quote does not close, or the row is over 64 KiB"};
  } else if (cell_count_ != header_.size()) {
    row.refusal = wire::Refusal{
        wire::VerdictCode::kMalformed, "",
        "has " + std::to_string(cell_count_) + " cells where the header has " + std::to_string(header_.size())};
  } else {
    for (std::size_t at = 0; at < cell_count_; ++at) row.fields.push_back({header_[at], cells_[at], wire::Form::kText});
  }
  return true;
}

}  // namespace tellerd::tellerctl

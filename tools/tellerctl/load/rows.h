// The rows of a source file, one after another, each as named fields: CSV with a header, JSON lines, or a JSON array
// that is read element by element. A row that cannot be read comes with a Refusal; nothing a file says throws or ends
// the reading. Views live until the next row, `raw` as long as the bytes. The same bytes always give the same rows.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace tellerd::tellerctl {

struct Row {
  std::string_view raw;
  std::uint64_t line = 0;  // where it begins, from 1
  std::vector<wire::Field> fields;
  std::optional<wire::Refusal> refusal;
};

// RFC 4180 with ',' or, where the header has no comma, ';'. Cells keep no blanks at their ends unless quoted.
class CsvRows {
 public:
  explicit CsvRows(std::string_view bytes);
  ~CsvRows();
  const std::vector<std::string>& header() const noexcept { return header_; }
  bool next(Row& row);
  std::size_t position() const noexcept { return position_; }

 private:
  struct Parser;
  bool read_cells();  // the next row into cells_; false at the end
  void give_up_row();

  std::string_view bytes_, raw_;
  std::size_t position_ = 0;
  std::uint64_t line_ = 1, row_line_ = 1;
  bool is_broken_ = false;  // the row could not be cut into cells
  std::vector<std::string> header_;
  std::vector<std::string> cells_;  // storage kept from row to row; the first cell_count_ are this row's
  std::size_t cell_count_ = 0;
  std::unique_ptr<Parser> parser_;
};

class JsonRows {
 public:
  explicit JsonRows(std::string_view bytes);
  bool next(Row& row);
  std::size_t position() const noexcept { return position_; }

 private:
  bool next_line(Row& row);
  bool next_element(Row& row);
  void skip_blank(std::string_view blanks);
  std::size_t element_end() const;

  std::string_view bytes_;
  std::size_t position_ = 0;
  std::uint64_t line_ = 1;
  bool is_array_ = false, is_closed_ = false;
  wire::FlatObject object_;
};

}  // namespace tellerd::tellerctl

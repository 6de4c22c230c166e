#include "store/paired_select.h"

namespace tellerd::store {

PairedSelect::PairedSelect(Database& database, std::string sql)
    : database_(database), sql_(std::move(sql)), own_(database, sql_) {}

Statement& PairedSelect::fresh(bool is_committed, bool knows_what_waits) {
  if (is_committed && database_.is_lent()) {
    if (!aside_) aside_.emplace(database_.aside(), sql_);
    aside_->reset();
    return *aside_;
  }
  reset();
  is_own_used_ = true;
  own_.read_as_it_stands(is_committed || knows_what_waits);
  return own_;
}

void PairedSelect::reset() noexcept {
  if (aside_) aside_->reset();
  if (is_own_used_) own_.reset();
  is_own_used_ = false;
}

}  // namespace tellerd::store

// An engine on a file of its own, fed from a LogMaker; may be stopped and opened again at any record.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/engine.h"
#include "app/rebuild.h"
#include "support/log_maker.h"

namespace tellerd::tests {

class Fold {
 public:
  Fold(const LogMaker& log, std::filesystem::path file) : log_(log), file_(std::move(file)) { open(); }

  void apply_next() { engine_->apply(log_.records()[static_cast<std::size_t>(engine_->applied_seq())]); }
  bool has_next() const { return static_cast<std::size_t>(engine_->applied_seq()) < log_.records().size(); }
  void apply_all() {
    while (has_next()) apply_next();
    engine_->flush();
  }
  void flush() { engine_->flush(); }
  void restart() {  // what is not flushed is lost, as after a kill
    engine_.reset();
    open();
  }
  app::Engine& engine() { return *engine_; }
  void keep_few_rows() {
    kept_rows_max_ = 1;
    restart();
  }
  void make_writing_slow() {  // what goes on beside the records
    before_writing([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  }
  void before_writing(std::function<void()> wait) {  // what goes on beside the records, from the thread that does
    before_writing_ = std::move(wait);
    restart();
  }

  // What a query over the flushed database gives: rows of columns joined by '|', one a line.
  std::string ask(const std::string& sql) const {
    auto database = store::Database::open_reader(file_);
    store::Statement query(database, sql);
    std::string lines;
    while (query.step()) {
      if (!lines.empty()) lines += '\n';
      for (int column = 0; column < query.columns(); ++column) {
        if (column) lines += '|';
        lines += query.is_null(column) ? std::string_view("NULL") : query.text(column);
      }
    }
    return lines;
  }
  const std::filesystem::path& file() const noexcept { return file_; }

 private:
  void open() {
    app::EngineOptions options;
    options.database = file_;
    options.is_scratch = true;
    options.producer_name = [this](std::int32_t id) { return log_.producer_name(id); };
    options.on_behind = before_writing_;
    options.kept_rows_max = kept_rows_max_;
    engine_ = std::make_unique<app::Engine>(options);
  }
  const LogMaker& log_;
  std::filesystem::path file_;
  std::unique_ptr<app::Engine> engine_;
  std::function<void()> before_writing_;
  std::size_t kept_rows_max_ = SIZE_MAX;
};

inline std::vector<std::string> differences(const Fold& is, const Fold& should) {
  app::Comparison found;
  app::compare(is.file(), should.file(), found);
  return found.differences;
}

}  // namespace tellerd::tests

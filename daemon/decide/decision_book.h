// Decisions as they were made, in teller.db: written once with the flush, in the order of their numbers. A decision
// that only repeats what stands is none. Threads: the engine's; write_taken() is for whoever has the connection.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "decide/choice.h"
#include "silver/rows.h"
#include "store/bulk_insert.h"
#include "store/paired_select.h"

namespace tellerd::decide {

struct Decision {
  silver::CustomerId customer = 0;
  std::int64_t seq = 0;
  core::Instant due_us = 0, at_us = 0;
  std::int64_t offer = 0;                    // its number; 0 is silence
  int template_number = -1, runner_up = -1;  // templates
  Choice choice;
  std::int64_t policy_seq = 0, learnt = 0;  // outcomes that P had seen
  std::string situation;                    // situation_bytes() and the verdicts after them
};

// The numbers, the segment, the churn state and the category, for P to learn from when the outcome is known.
std::string situation_bytes(const Situation& situation);
std::vector<model::Feature> features_of_bytes(std::string_view bytes);
// Takes it off the front; the verdicts are left.
struct Columns {
  int combined = -1, churn_state = 0;
  ChoiceNumbers numbers{};
  std::string_view category;  // points into the bytes
};
Columns take_situation(std::string_view& bytes);
std::string funnel_text(const Choice& choice);  // "90,12,8,8,7,6,1"

class DecisionBook {
 public:
  DecisionBook(store::Database& database, std::int64_t count);
  void add(Decision decision);
  void take();         // for the next write_taken(); the one before is through
  void write_taken();  // in the order of numbers
  void flush();        // both, once the connection is back
  std::int64_t count() const noexcept { return count_; }
  std::size_t unwritten() const noexcept { return new_.size(); }
  void give_back() {  // the room that a burst took
    for (auto* decisions : {&new_, &taken_}) decisions->shrink_to_fit();
    funnels_ = {};
  }
  // Of an offer that a choice made: its template and the situation it was made in.
  struct Made {
    std::int64_t number = 0, probability_ppm = 0, learnt = 0;
    int template_number = 0, arm = 0;
    std::string reasons, situation, funnel;
    int runner_up = -1;  // template
    Scores scores;       // as they are stored, rounded
    double margin = 0;
  };
  // One that is known to be committed, with its offer, does not wait for a connection that is lent.
  std::optional<Made> of_offer(std::int64_t offer, bool is_committed);
  std::optional<std::int64_t> first_of(
      std::int64_t first_offer);  // the number of the first that chose it or a later one

 private:
  store::Database& database_;
  store::BulkInsert put_;
  store::PairedSelect find_;
  store::Statement find_first_;
  std::vector<Decision> new_, taken_;
  std::vector<std::string> funnels_;
  std::int64_t count_, taken_through_ = 0;
};

}  // namespace tellerd::decide

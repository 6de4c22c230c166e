// A customer's situation read back from teller.db, for questions: the same columns, memory of what was shown and what
// was learnt that the engine chooses by. Threads: the caller's.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "app/contact_gate.h"
#include "decide/choice.h"
#include "decide/contact_book.h"
#include "store/database.h"

namespace tellerd::app {

struct ChoiceWorld {
  explicit ChoiceWorld(store::Database& reader);  // with the active pack
  ~ChoiceWorld();
  ChoiceWorld(const ChoiceWorld&) = delete;
  bool chooses() const noexcept { return chooser != nullptr; }
  // Nothing when nobody would decide for this customer: no profile, or in no segment.
  bool read(store::Database& reader, std::int64_t leader, decide::Situation& situation);

  // What the contact policy lets be made for the customer that was read last.
  ContactGate gate(const decide::Situation& situation) const;
  // All rules of the contact policy that stand against the candidate now, the first that blocks first.
  struct RulesHit {
    std::vector<std::string> names;
    bool is_outside_hours = false;
  };
  RulesHit rules_hit(const decide::Situation& situation, std::size_t candidate) const;

  // Of the active pack; kept for the next question.
  std::shared_ptr<decide::Pack> pack;
  std::shared_ptr<decide::Rules> rules;
  std::shared_ptr<decide::Chooser> chooser;

 private:
  void read_loans(store::Database& reader, std::int64_t leader, decide::Situation& situation);
  void read_shown(store::Database& reader, std::int64_t leader);
  void read_contacts(store::Database& reader, std::int64_t leader);

  std::vector<int> acceptance_of_;  // by candidate
  std::vector<int> templates_;      // by candidate, for the customer's segment; -1
  decide::ContactBook contacts_;
  std::string zone_;
  std::vector<std::unique_ptr<model::Propensity>> models_;
  std::vector<const model::Propensity*> learned_;
  std::vector<decide::Shown> shown_;
  std::string tier_, combined_, churn_, category_;
  core::Day today_ = 0;
  core::Instant now_us_ = 0;
  std::int64_t seq_ = 0;
};

}  // namespace tellerd::app

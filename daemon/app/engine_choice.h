// What the engine keeps to choose by, and its statements: per customer what was shown, per action and channel what was
// learnt, per offer its label. Part of the engine; state here follows from the log as all of it does.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/engine.h"
#include "core/growing_space.h"
#include "decide/choice.h"
#include "decide/decision_book.h"
#include "model/propensity.h"
#include "store/bulk_insert.h"

namespace tellerd::app {

// Numbers of (action, channel) are names, never given out again: a new pack goes on with what was learnt.
struct Engine::ShownRow {
  int acceptance = 0, unanswered = 0, before = 0;  // before: what `unanswered` was before `seq`
  Instant last_us = 0;
  Seq seq = 0;  // of the last outcome
  std::int64_t told_instalment = 0;
};

struct Engine::Label {
  int value = -1;  // 1 accepted, 0 not, -1 waits
  Seq seq = 0;     // of the fact it rests on
  int acceptance = 0;
  std::int64_t place = 0;  // among all that was learnt; when it is due, of one that waits
};

// What an action's acceptance knows is a fold over its labels in the order of their places: one that is replaced or
// taken back leaves as if it had never been there, and what follows is learnt again before anybody asks.
struct Engine::Choosing {
  struct State {
    Instant again_us = core::kNever;  // it is asked again by then
    std::uint64_t silence = 0;        // hash of the reasons of the silence that was noted last; 0 when none lasts
    std::vector<ShownRow> shown;
    std::uint32_t changed_in = 0;  // the customers' round
  };
  struct Acceptance {
    std::unique_ptr<model::Propensity> model = std::make_unique<model::Propensity>(decide::kFeatures);
    bool is_dirty = false, is_stale = false;  // stale: to be learnt anew
  };
  struct PendingLabel {
    Instant due_us = 0;
    Seq seq = 0;  // of the fact that waits for an answer
    std::int64_t offer = 0;
    auto operator<=>(const PendingLabel&) const = default;
  };

  std::unique_ptr<decide::Chooser> chooser;  // of the active pack, when it chooses
  std::unique_ptr<decide::DecisionBook> book;
  core::GrowingArray<State> states;       // by customer
  std::map<int, Acceptance> acceptances;  // by number
  std::deque<PendingLabel> pending;       // in the order of time
  std::int64_t learnt = 0;                // outcomes that were learnt
  bool is_any_stale = false;

  const std::vector<std::string>*tiers = nullptr, *segments = nullptr;  // the engine's names, which stay where they are

  // By the pack's candidates.
  std::vector<int> acceptance_of;              // number of (action, channel)
  std::vector<std::vector<int>> templates_of;  // by combined segment, then candidate; -1 where it is not offered
  std::vector<int> candidate_of_template;      // by template number; -1
  std::map<int, int> acceptance_of_template;   // also of packs that are not active any more

  struct Before {
    CustomerId id;
    gold::ChurnState churn;
    std::int8_t tier, combined, factor;
    std::uint8_t category;
    ChoiceExtras extras;
  };
  std::vector<Before> before;                     // of the touched, in step with them
  std::vector<decide::Shown> shown;               // scratch, by candidate
  std::vector<const model::Propensity*> learned;  // by candidate

  gold::Customers& customers;
  std::size_t states_at_cut = 0;                   // others came after it
  std::vector<const gold::CustomerCopy*> written;  // scratch
  store::BulkInsert put_states;
  store::Statement put_acceptance, find_label, put_label, drop_label, find_labels, find_facts, put_fold;
  Choosing(store::Database& db, gold::Customers& of)
      : customers(of),
        put_states(db, "REPLACE INTO choice_state", "customer,again_us,silence,shown"),
        put_acceptance(db,
                       "REPLACE INTO acceptance(number,positives,negatives,auc_ppm,health,bytes) VALUES(?,?,?,?,?,?)"),
        find_label(db, "SELECT label,seq,acceptance,due_us FROM acceptance_label WHERE offer=?"),
        put_label(db, "REPLACE INTO acceptance_label(offer,label,seq,acceptance,due_us) VALUES(?,?,?,?,?)"),
        drop_label(db, "DELETE FROM acceptance_label WHERE offer=?"),
        find_labels(db,
                    "SELECT l.label,d.situation FROM acceptance_label l JOIN decision d ON d.offer=l.offer AND "
                    "d.offer>0 WHERE l.acceptance=? AND l.label>=0 AND l.offer>=? ORDER BY l.due_us"),
        find_facts(db, "SELECT seq,what FROM offer_fact WHERE number=? AND seq<>? ORDER BY seq"),
        put_fold(db, "UPDATE choice_fold SET decisions=?,learnt=?") {}

  State& state(CustomerId id) {
    if (id >= states.size()) states.resize(id + 1);
    return states[id];
  }
  State& change(CustomerId id) {
    customers.change(id);
    State& one = state(id);
    if (one.changed_in != customers.round()) one.changed_in = customers.round();
    return one;
  }
  void copy_state(CustomerId id, std::uint32_t round, std::string& bytes) const;
  void write_states(std::span<const gold::CustomerCopy> copies);
};

}  // namespace tellerd::app

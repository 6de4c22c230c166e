// Derive: the fold over the log. One record is one turn: time moves and deadlines run, the fact is applied with
// whatever waited for it, each customer touched is decided once. Hot state is in memory; flush() writes what has
// changed to teller.db in one transaction with the cursor, and how often that happens changes nothing but when readers
// see it. Errors: core::Fault from the disk; a record that contradicts the log's order is a bug and aborts. Threads:
// the engine's own; counters() may be read by anyone.
#pragma once
#include <array>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/coming_pack.h"
#include "app/engine_counters.h"
#include "app/engine_options.h"
#include "bronze/record.h"
#include "decide/choice.h"
#include "decide/decision_book.h"
#include "decide/offer_book.h"
#include "decide/pack.h"
#include "decide/rules.h"
#include "deliver/outbox.h"
#include "deliver/queue_book.h"
#include "deliver/queue_rows.h"
#include "deliver/words.h"
#include "gold/customer_rows.h"
#include "gold/customers.h"
#include "gold/deadlines.h"
#include "gold/histories.h"
#include "gold/loans.h"
#include "gold/marketing.h"
#include "gold/rates.h"
#include "model/churn_model.h"
#include "silver/identities.h"
#include "silver/key_index.h"
#include "silver/natural_key.h"
#include "silver/quality.h"
#include "silver/rows.h"
#include "store/database.h"
#include "store/database_copy.h"
#include "wire/codec.h"

namespace tellerd::deliver {
class JsonText;
}

namespace tellerd::app {

using bronze::Record;
using bronze::Seq;
using core::Day;
using core::Instant;
using core::Week;
using silver::CustomerId;

// Raised with any change of rules in code: what is derived by another version is derived again.
inline constexpr int kDeriveVersion = 15;
// What state is a function of besides the log: the rules in code, the schema, and the data of the branch's zone.
std::int64_t derivation(const core::Calendar& calendar);

store::WriterOptions writer_options(const EngineOptions& options);  // of teller.db

class Engine {
 public:
  explicit Engine(const EngineOptions& options);
  ~Engine();

  void apply(const Record& record);  // one turn; seq must be applied_seq() + 1
  void apply_all(
      std::span<const Record> records);  // one after the other, what later ones will need on its way meanwhile
  void flush();                          // what has changed, with the cursor
  // The same; but its commit, what is to be done right `after` it, and a fold when more than so much waits for one go
  // on in another thread while the next records are applied; `done` is called from there at their end. What they throw
  // is thrown by the next call that needs them.
  void flush_behind(std::int64_t unfolded_bytes_max, std::function<void()> after, std::function<void()> done);
  void end_flush() noexcept { database_.end_lending(); }                   // waits for it, and does not want to know
  bool is_writing_behind() const noexcept { return database_.is_lent(); }  // still going on
  void end_writing() { database_.wait(); }                                 // waits for it
  void settle() { database_.take_back(); }  // and what waits for the connection is written, too
  std::size_t kept_rows_max() const noexcept { return rows_->kept_max(); }  // facts found without a statement
  // Many records wait: pages are kept that a flush will write again and again; else only what reading needs.
  void expect_burst(bool is_burst);
  // Asked from the thread that writes: is what it does in the way of records that wait (store/lending.h)?
  void pause_behind_while(std::function<bool()> is_in_the_way) { database_.pause_lent_while(std::move(is_in_the_way)); }
  void press(bool is_pressed) { database_.press_lent(is_pressed); }  // records pile up behind a flush
  void hurry(bool is_hurried);  // what is written is soon through; else others do not wait for the disk
  void fold_wal(bool is_idle);  // only when nothing waits for a flush
  // What is only ever added to, when there are so many: facts, offers, decisions, histories, lines of the feed and
  // keys, into their tables by the other thread.
  void write_rows_behind(std::size_t rows_min, std::function<void()> done);
  void snapshot_into(const std::filesystem::path& file);  // right after a flush
  // A copy of what is flushed that goes on between flushes, at most so many pages at a time; true: it is complete, and
  // as of the last flush. Does nothing while something waits for a flush.
  std::unique_ptr<store::DatabaseCopy> begin_copy(const std::filesystem::path& into);
  bool go_on(store::DatabaseCopy& copy, int pages_max);
  bool was_derived_otherwise() const noexcept { return was_derived_otherwise_; }  // what was read at the start
  std::int64_t wal_bytes() const { return database_.wal_bytes(); }
  std::int64_t unfolded_bytes() const noexcept { return database_.unfolded_bytes(); }

  Seq applied_seq() const noexcept { return seq_; }
  Instant next_due_us();  // kNever when nothing waits for time
  // Outlives the engine for whoever still looks at it, as queues() does.
  std::shared_ptr<const EngineCounters> counters() const noexcept { return counted_; }
  // Called with every line the feed says, in the engine's thread; `words` makes the text, where it is wanted.
  void listen(std::function<void(const std::string& topic, const std::function<std::string()>& words)> listener);
  const std::string& pack_hash() const noexcept { return pack_hash_; }
  // Between records: so many rows for the pack that is to come (coming_pack.h); false when it would have to wait.
  bool prepare_pack(int rows_max);
  std::optional<std::string> take_prepared_pack();  // what to record as its activation, once it is ready; once
  // Between records: cards for what desks will take next; false when none has asked lately. `steady_us` tells how
  // fresh they are, and nothing else.
  bool make_cards(std::int64_t steady_us);
  // The queues as they stand; outlives the engine for whoever still looks at it.
  std::shared_ptr<deliver::QueueBook> queues() const noexcept { return queues_; }

 private:
  struct Touched {
    CustomerId id;
    decide::Numbers before;
  };
  struct Turn {
    Seq seq = 0;
    Instant now_us = 0, received_us = 0, due_us = 0;
    std::int32_t producer = 0;
    int part = 0;  // counts the turns of one record
    bool is_load = false, is_backfill = false;
  };
  struct KeyPair {
    std::uint64_t hash;
    Seq seq;
  };
  struct WaitingReference {
    Instant received_us;
    Seq seq;
    wire::Kind kind;
  };
  struct Names {  // names to numbers that are never given out again
    std::map<std::string, int> numbers;
    std::vector<std::string> names;
  };

  // Start (engine_rows.cpp)
  void read_back();
  void read_names();
  void read_keys(store::Database& from);
  void read_loans(std::uint32_t count);
  void read_links();
  void begin();
  void size_cache();
  void write_keys(std::vector<KeyPair>& pairs, bool is_dated);
  bool take_appended(std::size_t rows_min);  // true when there was any
  void write_taken_appended();
  void go_behind(std::function<void()> work, std::function<void()> done);
  void write_customers();
  void write_loans();
  // What a flush has to write, with the cursor; of customers and all that is only taken who commits has to write it.
  void write_changes();
  void write_taken();
  void commit(Seq seq, std::chrono::steady_clock::time_point started);
  void note_load(const Record& record);
  void end_reads() noexcept;

  // Retention (engine_retention.cpp)
  void begin_dropping(Seq first_seq);
  std::int64_t oldest_in_use() const;
  void drop_offers_below(std::int64_t number);
  void drop_old();
  bool drop_closed_loans();
  void drop_loan(std::uint32_t place);
  bool is_of_dropped_loan(const wire::Event& event, CustomerId customer) const;

  // Time (engine_time.cpp)
  void move_time(const Record& record);
  void run_own_deadlines(CustomerId id);
  void run_deadlines(std::size_t turns_max);
  bool run_next_deadline(CustomerId id);
  std::pair<Instant, gold::DueKind> next_due(CustomerId id) const;
  void queue_deadline(CustomerId id);
  gold::Deadlines::Entry take_deadline();  // the next
  void close_day(Day day);
  Instant next_customer_due_us();
  void wait_for_reference(const silver::Row& row);
  void expire_references(Instant received_us);
  bool has_reference(const silver::Row& row);
  void refuse_reference(const silver::Row& row);

  // Facts (engine_facts.cpp)
  // Hints for the processor's cache, without effect; the second takes what the first gave.
  std::uint64_t fetch_keys(const Record& record);
  CustomerId fetch_customer(std::uint64_t key);
  void fetch_choice(CustomerId id) const;
  void apply_event(const Record& record, std::string_view bytes);
  void refuse(const Record& record, std::string_view bytes, std::string_view reason, std::string_view field,
              wire::Kind kind, std::string_view system);
  void tell(Seq seq, wire::Kind kind, std::string_view system, std::string_view reason, std::string_view field);
  void apply_fact(wire::Event& event, CustomerId customer);
  void give(const silver::Row& row);                                        // the fact counts
  void take_back(const silver::Row& row, const silver::Row& replacement);   // and no longer does
  silver::Row row_of(const wire::Event& event, CustomerId customer) const;  // of this turn
  std::optional<std::int64_t> mark_of(const wire::Event& event) const {
    return app::mark_of(event, pack_.get(), rates_);
  }
  gold::Measure measure_of(const silver::Row& row) const { return app::measure_of(row, pack_.get(), *calendar_); }
  void each_dated(CustomerId leader, const std::function<void(const silver::Row&)>& visit);
  std::vector<gold::Measure> alive_measures(CustomerId leader);
  void settle(CustomerId leader, const gold::Doubt& doubt);
  void note_foreign(const silver::Row& row);  // to convert again when a rate comes
  void convert_again(core::Currency base, const gold::Rates::Span& span);
  void repair(const Record& record);
  bool is_known_product(std::string_view product);

  // Loans, joins, profiles (engine_links.cpp)
  void apply_loan(const silver::Row& row, bool is_given);
  void apply_instalment(const silver::Row& row, bool is_given);
  void apply_loan_change(const silver::Row& row, bool is_given);
  void apply_profile(const silver::Row& row);
  void apply_alias(const silver::Row& row, bool is_given);
  void apply_rate(const silver::Row& row, bool is_given);
  std::uint32_t loan_place(CustomerId customer, std::string_view name);
  void load_loan(std::uint32_t place, const silver::Row& row, bool is_given);
  void load_instalment(std::uint32_t place, const silver::Row& row);
  void load_loan_change(std::uint32_t place, const silver::Row& row, bool is_given);
  void refresh_loan(std::uint32_t place);
  void refresh_overdue(CustomerId leader);
  void rejoin(CustomerId a, CustomerId b);
  void rederive(CustomerId leader);
  const std::vector<CustomerId>& members(CustomerId leader);

  // The feed (engine_feed.cpp)
  std::string say(const deliver::Line& line, const std::string& topic);
  std::string say_offer(const deliver::Line& line, const std::string& topic);

  // Decisions (engine_decide.cpp)
  gold::Customer& touch(CustomerId leader);  // to be decided at the end of the turn
  void ask_again(CustomerId id);             // the same, whatever its numbers
  void decide_touched();
  void decide(CustomerId id, const decide::Numbers& before);
  void move_segment(CustomerId id, const decide::Standing& standing);
  void hold_offers(CustomerId id, bool is_decided_anew = true);
  void open_offer(CustomerId id, const decide::Template& offer, int number, std::int64_t revenue_minor,
                  bool is_decided_anew);
  void refuse_offer(CustomerId id, std::int64_t number, deliver::OfferKind kind);
  void displace(deliver::OfferKind kind);
  std::uint32_t place_of_offer(CustomerId id, std::int64_t number) const;  // of one that stands
  void close_offer(CustomerId id, std::uint32_t place, std::string_view state);
  int template_topic(int number);
  void end_load(std::int32_t producer);
  void end_backfill();
  void advance(CustomerId id, Week now);  // moves the customer's week on; what is moved is written

  // Choices, in packs that choose (engine_choice.cpp, engine_learning.cpp)
  struct Choosing;
  struct ShownRow;
  using ChoiceExtras = std::array<std::int64_t, decide::kChoiceNumberNames.size()>;
  void read_choices();
  void write_choices();
  void use_catalogue();
  void drop_catalogue();
  void want_choice(CustomerId id);
  Instant choice_due_us(CustomerId id) const;
  ChoiceExtras choice_extras(CustomerId id, std::int64_t* instalment) const;
  std::uint8_t category_of(CustomerId id) const;
  void note_before(CustomerId id);
  void choose_touched(std::size_t touched);
  void end_choices();  // of a turn's touched customers
  void put_names(decide::Situation& situation, int tier, int combined, gold::ChurnState churn, std::uint8_t category);
  void fill_situation(CustomerId id, decide::Situation& situation);
  int standing_candidate(CustomerId id) const;
  void choose(CustomerId id, decide::Situation& situation);
  std::int64_t open_choice(CustomerId id, const decide::Choice& choice, const decide::Situation& situation,
                           int template_number);
  ShownRow& shown_row(CustomerId id, int acceptance);
  void learn_outcome(const silver::Row& row, std::int64_t number, bool is_given);
  void learn_order(std::int64_t number, bool is_fulfilled, Seq seq);
  struct Label;
  std::optional<Label> label_of(std::int64_t number);
  struct Promise;
  struct Told {  // what a fact says of its offer: 1 taken, 0 not, -1 open until then
    int value = 0;
    Instant until_us = 0;
  };
  int acceptance_of(std::int64_t number);  // of an offer; -1 when it teaches nothing
  Told told_by(const silver::Row& row) const;
  Told told_by(const Promise& promise) const;
  void learn_promise(const Promise& promise);
  void set_label(std::int64_t number, int acceptance, const Told& told, Seq seq);
  void take_label(std::int64_t number, Seq seq);
  void learn_anew();
  void expire_labels();

  // Queues (engine_queue.cpp)
  struct QueueTemplate {
    std::string queue, segment, action, type, name_ru, issue, group;
    int priority = 0;
    decide::Purpose purpose = decide::Purpose::kMarketing;
    decide::Channel channel = decide::Channel::kCall;
    decide::Credit credit = decide::Credit::kNone;
    std::vector<std::string> skills;
    decide::Terms terms;
  };
  void read_open_offers();
  void read_queues();
  void know_template(int number, QueueTemplate made);
  void queue_offer(std::int64_t number, CustomerId customer, int template_number);
  bool unqueue_offer(std::int64_t number, std::string_view reason);  // true when it had its outcome
  void apply_queue(const Record& record);
  void apply_grant(const Record& record);
  void apply_outcome(const Record& record);
  void tell_outcome(const deliver::OutcomeRecord& record, const deliver::Item& item);
  bool is_card_settled(std::int64_t offer, CustomerId id) const;
  std::string card(const decide::OfferFacts& offer, CustomerId customer);
  struct Contact {  // of a profile: the seq of its row, and what is left of it when that is gone
    Seq profile = 0;
    std::string name_masked, city;
  };
  std::optional<Contact> contact_of(CustomerId id);
  std::string put_person(deliver::JsonText& into, CustomerId id);  // what he is called
  void put_snapshot(deliver::JsonText& into, CustomerId id);
  void put_talking_points(deliver::JsonText& into, CustomerId id);
  std::string_view name(const char* what, int number);  // of what the store numbers; "" below zero
  const char* tier_move(const gold::Customer& customer) const;
  std::string churn_reasons(CustomerId id);  // of the model, as they are stored
  void put_scores(deliver::JsonText& into, const decide::DecisionBook::Made& decided);
  void put_terms(deliver::JsonText& into, CustomerId id, int template_number);

  // Contact policy (engine_contact.cpp)
  void read_contacts();
  void use_contact_policy();
  void apply_mark(const silver::Row& row, bool is_given);
  void note_zone(CustomerId id, std::string_view zone);
  void note_contact(const silver::Row& row, int template_number);
  void forget_contact(const silver::Row& row);
  void note_overdue(CustomerId id);
  void note_joined(CustomerId leader, const std::vector<CustomerId>& joined);
  void recall_forbidden(CustomerId leader);
  void look_again(CustomerId id);  // at its parked offers; under the queues' lock
  void look_again_at_freed();

  // Churn (engine_churn.cpp)
  void read_churn();
  void record_model(const Record& record);
  void activate_model(const Record& record);
  std::unique_ptr<model::ChurnModel> find_model(const std::string& id, std::string& why);
  void use_model();
  void score_everybody();
  model::ChurnView churn_view(CustomerId id) const;
  bool score(CustomerId id);  // true when it has changed
  void explain(CustomerId id);
  void take_unexplained();
  void write_explained();
  void keep_reasons();
  bool score_decided(CustomerId id);  // true when the state has moved
  void score_slice(std::size_t customers_max);
  gold::ChurnState churn_state_of(CustomerId id) const;
  bool move_churn(CustomerId id);
  void write_churn();

  // The watch over the models (engine_watch.cpp)
  void forecast(CustomerId id);
  void finish_watch();
  void watch_drift();
  void judge_forecasts();

  // Outcomes (engine_outcome.cpp)
  struct Promise {
    Seq seq;
    std::int64_t number;
    Day from, to;
    bool is_kept;
  };
  void read_outcomes();
  std::int64_t offer_named(CustomerId customer, std::string_view hex);
  void link_outcome(const silver::Row& row, std::int64_t number);
  void apply_told(const silver::Row& row, bool is_given);
  void apply_order(const silver::Row& row, bool is_given);
  struct Amended {
    std::string id;
    Instant occurred_us;
    std::uint64_t version;
    CustomerId customer;
  };
  std::optional<Amended> ending_outcome(const deliver::Item& item, const std::string& id);
  void refresh_promises(CustomerId leader);
  int topic_of(const decide::OfferFacts& offer);

  // Packs (engine_packs.cpp)
  void activate_pack(const Record& record);
  void announce_pack(const Record& record);
  void use_pack(std::unique_ptr<decide::Pack> pack, Seq seq);
  int number_template(const decide::Template& offer, const std::string& queue);
  void rederive_facts(bool is_money_too);
  void rederive_loans();
  bool is_right(const ComingGold* gold) const;
  std::size_t take_gold(ComingGold& gold);
  ComingGold::Customer gather(const ComingGold& gold, CustomerId leader);
  void record_config(const Record& record);
  int number_of(std::string_view what, const std::string& name, std::int64_t level);

  // State. Order matters: statements go before their database.
  EngineOptions options_;
  store::Database database_;
  std::optional<store::Transaction> transaction_;
  std::shared_ptr<EngineCounters> counted_ = std::make_shared<EngineCounters>();
  EngineCounters& counters_ = *counted_;
  wire::Decoder decoder_;
  std::unique_ptr<silver::Rows> rows_;
  std::unique_ptr<silver::Identities> identities_;
  silver::KeyIndex dated_keys_, lasting_keys_;
  std::unique_ptr<silver::QualityCounts> quality_;
  std::unique_ptr<gold::CustomerRows> customer_rows_;
  std::unique_ptr<decide::OfferBook> offers_;
  std::unique_ptr<gold::Histories> histories_;
  std::unique_ptr<deliver::Outbox> outbox_;
  std::unique_ptr<deliver::Words> words_;
  std::shared_ptr<deliver::QueueBook> queues_ = std::make_shared<deliver::QueueBook>();
  std::unique_ptr<deliver::QueueRows> queue_rows_;
  std::vector<QueueTemplate> templates_;  // by number
  std::map<CustomerId, std::vector<Promise>> promises_;
  std::int64_t told_at_desk_ = 0;  // the offer whose outcome this turn tells, when a desk tells it
  struct Statements;
  std::unique_ptr<Statements> statements_;

  std::unique_ptr<Choosing> choosing_;
  bool chooses_ = false;  // the active pack does

  struct ChurnRows;
  std::unique_ptr<ChurnRows> churn_rows_;
  std::unique_ptr<model::ChurnModel> churn_model_;  // the one that scores, if any
  CustomerId rescored_next_ = 0;                    // of a re-scoring under way
  Week watch_week_ = 0;                             // whose forecasts it writes down; 0: none
  bool is_churn_fold_dirty_ = false;

  std::unique_ptr<core::Calendar> calendar_;
  gold::Customers customers_;
  std::vector<Touched> touched_;
  std::unordered_map<CustomerId, std::map<CustomerId, int>> links_;
  std::unordered_map<CustomerId, std::vector<CustomerId>> members_;
  std::vector<CustomerId> alone_{0};
  gold::Loans loans_;
  std::vector<std::int64_t> loan_seqs_;  // by place: seq of the loan's own fact
  std::set<std::uint32_t> dirty_loans_;
  std::deque<WaitingReference> waiting_references_;  // in the order they came
  gold::Rates rates_;
  gold::Marketing marketing_;
  gold::Deadlines deadlines_;

  std::unique_ptr<decide::Pack> pack_;
  std::unique_ptr<decide::Rules> rules_;
  std::optional<ComingPack> coming_;
  std::optional<store::Database> coming_reader_;
  std::string pack_hash_, pack_name_, key_, old_key_, next_key_;
  Seq pack_seq_ = 0;
  bool was_derived_otherwise_ = false, is_burst_ = false, is_hurried_ = false;
  std::uint32_t sized_for_ = 0;  // customers
  core::Currency branch_currency_{};
  gold::Windows windows_;
  gold::LoanRules loan_rules_;
  std::map<std::string, Names, std::less<>> names_;
  std::vector<int> tier_number_, tier_reason_, combined_number_, template_number_;  // by the pack's index
  std::vector<int> tier_index_;  // by number; -1 when the pack has no such tier
  int offer_topic_ = 0, segment_topic_ = 0, churn_topic_ = 0, overdue_topic_ = 0;

  Turn turn_;
  Seq seq_ = 0;
  struct Dropping {  // what has passed its weeks
    std::int64_t decisions_below = 0;
    Seq facts_below = 0;
    Instant lines_before_us = 0;
    std::uint32_t next_loan = 1;  // the place to look at next
    bool is_under_way = false;
  };
  Dropping dropping_;
  std::int64_t dpd_count_ = 0;  // rows in its history
  Instant now_us_ = 0, received_us_ = 0, week_start_us_ = 0;
  Week week_ = gold::kNoWeek;
  Day day_ = gold::kNoDay;
  std::string zone_ = "UTC";
  std::size_t backfilled_ = 0;          // customers that wait for their backfill's end
  std::vector<signed char> is_loader_;  // by producer; -1 not known yet
  std::vector<KeyPair> new_dated_, new_lasting_, taken_dated_, taken_lasting_;
};

}  // namespace tellerd::app

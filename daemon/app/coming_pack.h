// A pack that has been handed in and is to decide soon: the one in use goes on deciding while what dated facts give
// under the new one is gathered beside it, from silver, in small steps between records. What is gathered is no state
// of the fold: the record that activates the pack takes over what is still right and gathers the rest in its turn, so
// a replay, which gathers all of it there, gets the same. Threads: the engine's. Errors: core::Fault from the disk.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/fact_measures.h"
#include "core/growing_space.h"
#include "silver/identities.h"
#include "silver/rows.h"
#include "store/database.h"

namespace tellerd::app {

// What of gold another pack derives anew.
struct DerivedAnew {
  bool facts = false, loans = false;
  bool money = false;  // of the facts, also their amounts in the branch's currency
};
DerivedAnew derived_anew(const decide::Pack* old, const decide::Pack& next);  // old: null before the first one

class ComingGold {
 public:
  struct Remark {  // a fact that means something else under the new pack
    wire::Kind kind;
    silver::Seq seq;
    std::optional<std::int64_t> mark;
  };
  struct Customer {
    gold::Customer gold;
    std::vector<Remark> remarks;
  };
  // Gathers as of `week` from all facts up to record `since`; whoever is touched after it is stale.
  ComingGold(const decide::Pack& pack, silver::Seq since, core::Week week);
  ~ComingGold();
  silver::Seq since() const noexcept { return since_; }
  core::Week week() const noexcept { return week_; }
  void touch(silver::CustomerId id);

  // Rows of all customers, so many more, as `reader`, which has them up to `since`, sees them.
  void scan(store::Database& reader, int rows_max, const silver::Identities& identities, const gold::Rates& rates,
            const core::Calendar& calendar);
  bool is_scanned() const noexcept { return kind_ == 0; }
  std::int64_t rows() const noexcept { return rows_; }

  std::size_t stale_count() const noexcept { return stale_.size(); }
  std::size_t gathered() const noexcept { return gathered_; }  // put() so far
  silver::CustomerId take_stale();                             // one of them, that counts as gathered once it is put
  void add(gold::Customer& to, std::vector<Remark>& remarks, const silver::Row& row, const gold::Rates& rates,
           const core::Calendar& calendar) const;
  void put(silver::CustomerId id, Customer gathered);
  std::optional<Customer> take(silver::CustomerId id);  // what is right as it stands; once

 private:
  void grow(silver::CustomerId id);

  const decide::Pack& pack_;
  gold::Windows windows_;
  silver::Seq since_;
  core::Week week_;
  core::GrowingArray<gold::Customer> gold_;  // by internal id
  std::vector<bool> is_stale_;
  std::vector<silver::CustomerId> stale_;
  std::size_t gathered_ = 0;
  std::unordered_map<silver::CustomerId, std::vector<Remark>> remarks_;
  int kind_ = 1;  // being scanned; 0 when all have been
  std::optional<silver::RowScan> scan_;
  std::int64_t rows_ = 0;
  std::vector<Remark> of_row_;
};

struct ComingPack {
  ComingPack(std::string_view bytes, silver::Seq record);  // decide::serialise_pack
  std::string payload;
  silver::Seq seq;  // of the record that brought it
  std::unique_ptr<const decide::Pack> pack;
  std::unique_ptr<ComingGold> gold;                // once it is begun
  bool is_prepared = false, is_handed_on = false;  // its activation may come; is on its way
};

}  // namespace tellerd::app

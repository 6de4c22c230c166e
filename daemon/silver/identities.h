// Who is who: (system, key) to the internal customer id, and which ids an alias join has made one customer.
// About 40 bytes a key in memory; new keys are written to teller.db in the engine's open transaction.
// Threads: the engine's.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/growing_space.h"
#include "silver/key_index.h"
#include "silver/rows.h"
#include "store/database.h"

namespace tellerd::silver {

class Identities {
 public:
  explicit Identities(store::Database& database);  // of nobody, until read()
  void read(store::Database& from);                // what is there; in any thread, while nobody asks
  ~Identities();

  struct Found {
    CustomerId id = 0;
    bool is_new = false;
  };
  // `system` empty is "main"; a key "system:key" with an unknown-to-the-file system is split by the loader, not here.
  Found find_or_make(std::string_view system, std::string_view key);
  CustomerId find(std::string_view system, std::string_view key) const;
  // Hints that find() of them comes soon, without effect: first prefetch(), a little later likely() of what that gave,
  // which tells whose key it probably is (0: nobody's) without waiting for the key itself.
  std::uint64_t prefetch(std::string_view system, std::string_view key) const noexcept;
  CustomerId likely(std::uint64_t prefetched) const noexcept;
  std::vector<CustomerId> find_display(std::string_view display) const;  // a key as a person types it

  CustomerId leader(CustomerId id) const noexcept { return id < leaders_.size() && leaders_[id] ? leaders_[id] : id; }
  void set_leader(CustomerId id, CustomerId leader);
  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(entries_.size()) - 1; }
  std::string_view key(CustomerId id) const;  // lives until the next key is made
  std::uint16_t system(CustomerId id) const { return entries_[id].system; }
  std::string_view system_name(CustomerId id) const { return systems_[entries_[id].system]; }
  std::string display_key(CustomerId id) const;  // without the system when no other system has the key
  // True when a is the one a joined customer is named by: smaller (system, key) by name, so not by what came first.
  bool is_before(CustomerId a, CustomerId b) const;

 private:
  static constexpr std::size_t kShortBytes = 20;
  struct Entry {
    std::uint16_t bytes = 0, system = 0;
    std::array<char, kShortBytes> text{};  // of a longer key: where it stands in the chunks
  };
  static constexpr std::uint32_t kChunkBytes = 1u << 20;
  std::uint16_t system_number(std::string_view name);  // made when new
  std::optional<std::uint16_t> known_system(std::string_view name) const noexcept;
  CustomerId look_up(std::uint16_t system, std::string_view key) const;
  CustomerId add(std::uint16_t system, std::string_view key);
  CustomerId keep(std::uint16_t system, std::string_view key);  // not in the index yet
  void write_display(CustomerId id);

  store::Statement insert_, update_, insert_system_;
  std::vector<std::string> systems_;
  core::GrowingArray<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::uint32_t used_ = 0;
  KeyIndex ids_;
  std::vector<CustomerId> leaders_;  // by id, 0 for itself; empty until the first join
};

}  // namespace tellerd::silver

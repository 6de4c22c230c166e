#include "silver/identities.h"

#include <cstring>

#include "core/assert.h"
#include "core/checksum.h"
#include "core/prefetch.h"

namespace tellerd::silver {
namespace {
constexpr std::string_view kMainSystem = "main";
}  // namespace

Identities::Identities(store::Database& database)
    : insert_(database, "INSERT INTO identity(id,system,key,leader,display_key) VALUES(?,?,?,?,?)"),
      update_(database, "UPDATE identity SET leader=?2, display_key=?3 WHERE id=?1"),
      insert_system_(database, "INSERT INTO system(id,name) VALUES(?,?)") {
  entries_.emplace_back();
}

void Identities::read(store::Database& from) {
  store::Statement systems(from, "SELECT name FROM system ORDER BY id");
  while (systems.step()) systems_.emplace_back(systems.text(0));
  ids_.reserve(static_cast<std::uint64_t>(from.integer("SELECT MAX(id) FROM identity")));
  KeyLoader ids(ids_);
  store::Statement all(from, "SELECT id,system,key,leader FROM identity ORDER BY id");
  while (all.step()) {
    const auto system = static_cast<std::uint16_t>(all.integer(1));
    const std::string_view key = all.text(2);
    const CustomerId id = keep(system, key);
    TELLERD_ASSERT(id == all.integer(0));
    ids.insert(core::hash64(key, system), id);
    if (all.integer(3) == id) continue;
    leaders_.resize(id + 1, 0);
    leaders_[id] = static_cast<CustomerId>(all.integer(3));
  }
  ids.end();
}

Identities::~Identities() = default;

std::uint16_t Identities::system_number(std::string_view name) {
  if (name.empty()) name = kMainSystem;
  if (const auto known = known_system(name)) return *known;
  systems_.emplace_back(name);
  TELLERD_ASSERT(systems_.size() < 65535);
  insert_system_.later(static_cast<std::int64_t>(systems_.size() - 1), name);
  return static_cast<std::uint16_t>(systems_.size() - 1);
}

std::string_view Identities::key(CustomerId id) const {
  const Entry& entry = entries_[id];
  if (entry.bytes <= kShortBytes) return {entry.text.data(), entry.bytes};
  std::uint32_t offset = 0;
  std::memcpy(&offset, entry.text.data(), sizeof offset);
  return {chunks_[offset / kChunkBytes].get() + offset % kChunkBytes, entry.bytes};
}

CustomerId Identities::look_up(std::uint16_t system, std::string_view key) const {
  return static_cast<CustomerId>(ids_.find(core::hash64(key, system), [&](std::int64_t id) {
    const auto at = static_cast<CustomerId>(id);
    return entries_[at].system == system && this->key(at) == key;
  }));
}

std::uint64_t Identities::prefetch(std::string_view system, std::string_view key) const noexcept {
  const auto number = known_system(system);
  if (!number) return 0;
  const std::uint64_t hash = core::hash64(key, *number);
  ids_.prefetch(hash);
  return hash;
}

CustomerId Identities::likely(std::uint64_t prefetched) const noexcept {
  const auto id = static_cast<CustomerId>(ids_.find(prefetched, [](std::int64_t) { return true; }));
  if (id != 0) core::prefetch(&entries_[id], sizeof(Entry));
  return id;
}

CustomerId Identities::add(std::uint16_t system, std::string_view key) {
  const CustomerId id = keep(system, key);
  ids_.insert(core::hash64(key, system), id);
  return id;
}

CustomerId Identities::keep(std::uint16_t system, std::string_view key) {
  Entry entry{static_cast<std::uint16_t>(key.size()), system, {}};
  if (key.size() <= kShortBytes) {
    std::memcpy(entry.text.data(), key.data(), key.size());
  } else {
    if (chunks_.empty() || used_ + key.size() > kChunkBytes) {
      chunks_.push_back(std::make_unique<char[]>(kChunkBytes));
      used_ = 0;
    }
    std::memcpy(chunks_.back().get() + used_, key.data(), key.size());
    const auto offset = static_cast<std::uint32_t>((chunks_.size() - 1) * kChunkBytes + used_);
    std::memcpy(entry.text.data(), &offset, sizeof offset);
    used_ += static_cast<std::uint32_t>(key.size());
  }
  entries_.push_back(entry);
  return count();
}

std::optional<std::uint16_t> Identities::known_system(std::string_view name) const noexcept {
  if (name.empty()) name = kMainSystem;
  for (std::size_t at = 0; at < systems_.size(); ++at)
    if (systems_[at] == name) return static_cast<std::uint16_t>(at);
  return std::nullopt;
}

CustomerId Identities::find(std::string_view system, std::string_view key) const {
  const auto number = known_system(system);
  return number ? look_up(*number, key) : 0;
}

Identities::Found Identities::find_or_make(std::string_view system, std::string_view key) {
  const std::uint16_t number = system_number(system);
  if (const CustomerId known = look_up(number, key)) return {known, false};
  const CustomerId id = add(number, key);
  const std::string display = display_key(id);
  insert_.later(std::int64_t{id}, std::int64_t{number}, key, std::int64_t{id}, std::string_view(display));
  if (display.size() != key.size())  // the key is ambiguous from now on: the others show their system too
    for (std::size_t other = 0; other < systems_.size(); ++other)
      if (const CustomerId twin = other == number ? 0 : look_up(static_cast<std::uint16_t>(other), key))
        write_display(twin);
  return {id, true};
}

void Identities::write_display(CustomerId id) {
  const std::string display = display_key(id);
  update_.later(std::int64_t{id}, std::int64_t{leader(id)}, std::string_view(display));
}

std::string Identities::display_key(CustomerId id) const {
  const std::string_view own = key(id);
  for (std::size_t other = 0; other < systems_.size(); ++other)
    if (other != entries_[id].system && look_up(static_cast<std::uint16_t>(other), own))
      return systems_[entries_[id].system] + ":" + std::string(own);
  return std::string(own);
}

std::vector<CustomerId> Identities::find_display(std::string_view display) const {
  std::vector<CustomerId> found;
  if (const auto colon = display.find(':'); colon != std::string_view::npos)
    if (const CustomerId id = find(display.substr(0, colon), display.substr(colon + 1))) return {id};
  for (std::size_t at = 0; at < systems_.size(); ++at)
    if (const CustomerId id = look_up(static_cast<std::uint16_t>(at), display)) found.push_back(id);
  return found;
}

void Identities::set_leader(CustomerId id, CustomerId leader) {
  if (leaders_.size() <= id) leaders_.resize(count() + 1, 0);
  leaders_[id] = leader == id ? 0 : leader;
  write_display(id);
}

bool Identities::is_before(CustomerId a, CustomerId b) const {
  if (entries_[a].system != entries_[b].system) return system_name(a) < system_name(b);
  return key(a) < key(b);
}

}  // namespace tellerd::silver

// Packs read back from teller.db for questions, kept from one to the next: reading a pack and compiling its conditions
// takes ten times as long as an answer does. Threads: any.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "decide/choice.h"
#include "decide/pack.h"
#include "decide/rules.h"
#include "store/database.h"

namespace tellerd::app {

// The pack that a record activated, or null.
std::shared_ptr<const decide::Pack> pack_of(store::Database& reader, std::int64_t seq);
std::shared_ptr<const decide::Pack> active_pack(store::Database& reader);

// With its conditions, which one question uses at a time: the next one may come by any thread.
struct CompiledPack {
  std::shared_ptr<decide::Pack> pack;
  std::shared_ptr<decide::Rules> rules;
  std::shared_ptr<decide::Chooser> chooser;  // null in packs that do not choose
};
CompiledPack take_compiled(std::string_view hash, std::string_view files);
void give_back(CompiledPack one);

}  // namespace tellerd::app

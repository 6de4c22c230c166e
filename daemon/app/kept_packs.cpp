#include "app/kept_packs.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "decide/pack_files.h"

namespace tellerd::app {
namespace {

constexpr std::size_t kKept = 4;

struct Kept {
  std::mutex mutex;
  std::vector<std::shared_ptr<const decide::Pack>> packs;
  std::vector<CompiledPack> idle;
};
Kept& kept() {
  static Kept all;
  return all;
}

}  // namespace

std::shared_ptr<const decide::Pack> pack_of(store::Database& reader, std::int64_t seq) {
  store::Statement find(reader, "SELECT hash,files FROM policy_history WHERE seq=?1");
  if (!find.bind(1, seq).step()) return nullptr;
  Kept& all = kept();
  const std::lock_guard held(all.mutex);
  for (const auto& one : all.packs)
    if (one->hash == find.text(0)) return one;
  if (all.packs.size() >= kKept) all.packs.erase(all.packs.begin());
  all.packs.push_back(std::make_shared<decide::Pack>(decide::parse_pack(decide::deserialise_pack(find.text(1)))));
  return all.packs.back();
}

std::shared_ptr<const decide::Pack> active_pack(store::Database& reader) {
  store::Statement active(reader, "SELECT pack_seq FROM cursor");
  return active.step() ? pack_of(reader, active.integer(0)) : nullptr;
}

CompiledPack take_compiled(std::string_view hash, std::string_view files) {
  {
    Kept& all = kept();
    const std::lock_guard held(all.mutex);
    const auto same = [hash](const CompiledPack& one) { return one.pack->hash == hash; };
    if (const auto found = std::find_if(all.idle.begin(), all.idle.end(), same); found != all.idle.end()) {
      CompiledPack one = std::move(*found);
      all.idle.erase(found);
      return one;
    }
  }
  CompiledPack one;
  one.pack = std::make_shared<decide::Pack>(decide::parse_pack(decide::deserialise_pack(files)));
  one.rules = std::make_shared<decide::Rules>(*one.pack);
  if (one.pack->catalogue) one.chooser = std::make_shared<decide::Chooser>(*one.pack);
  return one;
}

void give_back(CompiledPack one) {
  Kept& all = kept();
  const std::lock_guard held(all.mutex);
  if (all.idle.size() >= kKept) all.idle.erase(all.idle.begin());
  all.idle.push_back(std::move(one));
}

}  // namespace tellerd::app

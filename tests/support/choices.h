// Choices in a test's words: a small library of actions, a situation, a contact policy that says what it is told.
#pragma once
#include <algorithm>
#include <map>
#include <string>

#include "decide/choice.h"
#include "decide/pack_files.h"

namespace tellerd::tests {

using namespace decide;

inline const char* const kHead = R"(salt = "s"
rounds = 16
again_days = 7
[cost_minor]
call = 1000
message = 100
)";

inline std::string action(const std::string& name, const std::string& more) {
  return "[[action]]\nname = \"" + name + "\"\ntype = \"" + name + "\"\nname_ru = \"" + name +
         "\"\npriority = 5\ndays_valid = 7\n" + more + "\n";
}
inline const std::string kSale = "issue = \"grow\"\ngroup = \"g\"\npurpose = \"marketing\"\nchannels = [\"call\"]\n";

inline Pack pack_of(const std::string& actions, int random = 0, int holdout = 0) {
  PackFiles files = read_pack_files("default");
  files["actions.toml"] = kHead + actions;
  std::string& contact = files["contact.toml"];
  const auto put = [&](const std::string& key, int value) {
    const auto at = contact.find(key + " = 5");
    contact.replace(at, key.size() + 4, key + " = " + std::to_string(value));
  };
  put("random_percent", random);
  put("holdout_percent", holdout);
  return parse_pack(files);
}

struct Free : Constraint {
  std::map<std::size_t, std::string> blocked;
  std::map<std::size_t, int> weights;
  std::string_view blocks(std::size_t candidate) override {
    const auto found = blocked.find(candidate);
    return found == blocked.end() ? std::string_view() : std::string_view(found->second);
  }
  int weight_percent(std::size_t candidate) override {
    const auto found = weights.find(candidate);
    return found == weights.end() ? 100 : found->second;
  }
};

inline std::int64_t& number(Situation& of, std::string_view name) {
  const auto columns = choice_columns();
  return of.numbers[static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin())];
}

inline Situation situation(std::uint64_t seed = 1) {
  Situation one;
  one.seed = one.customer = seed;
  one.now_us = 1'000 * core::kDay;
  one.today = 1'000;
  one.month = 32;
  one.combined = 0;
  one.texts = {"VIP", "VIP Active", "active", ""};
  number(one, "days_to_due") = kNoDue;
  return one;
}

// An action whose model is trusted and tells about this probability to everybody.
inline model::Propensity mature(int percent) {
  model::Propensity one(kFeatures);
  const std::vector<model::Feature> nobody{{0, 1}};
  for (int at = 0; one.positives() < model::kMatureAt || at % 100 != 0; ++at) one.learn(nobody, at % 100 < percent);
  return one;
}

inline std::string codes_of(const std::string& reasons) {
  std::string codes;
  for (std::size_t at = 0; at < reasons.size();) {
    const std::size_t end = std::min(reasons.find(' ', at), reasons.size());
    codes += (codes.empty() ? "" : " ") + reasons.substr(at, std::min(reasons.find(':', at), end) - at);
    at = end + 1;
  }
  return codes;
}

}  // namespace tellerd::tests

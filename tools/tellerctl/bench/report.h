// What was measured: a table for people and a JSON document for programs, under the same names.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace tellerd::tellerctl::bench {

using Json = nlohmann::ordered_json;

// One measurement: {"bench", "compares", "goal", "lines": [{"line", …}]}; of a line, numbers become columns.
struct Section {
  std::string bench, compares, goal;
  Json lines = Json::array();
};

// Where and when: date, version, processor, cores, kernel, disk under `folder`.
Json machine(const std::filesystem::path& folder);
std::string table(const Section& section);
// A section with its first line's values at the top too, so that one measurement is read without a loop.
Json document(const Section& section);

}  // namespace tellerd::tellerctl::bench

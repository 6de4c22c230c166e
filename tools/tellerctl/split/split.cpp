#include "tellerctl/split/split.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/fault.h"
#include "tellerctl/generate/output.h"

namespace tellerd::tellerctl {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;  // columns stay in the order of the source
constexpr int kPartsMax = 1000;

[[noreturn]] void refuse(const std::string& sentence) { throw core::Fault(core::Exit::kFailed, sentence); }

// One object of the source and the first part that holds it.
struct Row {
  std::string text;
  int part = 0;
};

struct Source {
  std::vector<Row> clients, loans, payments;
};

ordered_json read_array(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path.string() + " cannot be read");
  ordered_json array = ordered_json::parse(file, nullptr, false);
  if (!array.is_array()) refuse(path.string() + " is no JSON array of objects");
  return array;
}

// A field as text, so that 7 and "7" stay what they were and both may be keys.
std::string key_part(const ordered_json& row, const char* field, const fs::path& path) {
  if (!row.is_object() || !row.contains(field)) refuse(path.string() + " has a row without " + field);
  return row.at(field).dump();
}

Row row_of(const ordered_json& row, int part) {
  return {row.dump(-1, ' ', false, ordered_json::error_handler_t::replace), part};
}

class Splitter {
 public:
  Splitter(const fs::path& folder, int parts) : folder_(folder), parts_(parts) {}

  Source place() {
    Source source;
    place_loans(source);
    place_payments(source);
    place_clients(source);
    return source;
  }

 private:
  // First by start date; loans of one day stay in the order of the file.
  void place_loans(Source& source) {
    const fs::path path = folder_ / "loans.json";
    const ordered_json loans = read_array(path);
    std::vector<std::pair<std::string, const ordered_json*>> by_start;
    for (const auto& loan : loans) by_start.emplace_back(key_part(loan, "loan_start_date", path), &loan);
    std::stable_sort(by_start.begin(), by_start.end(),
                     [](const auto& left, const auto& right) { return left.first < right.first; });
    const std::size_t per_part = by_start.size() / static_cast<std::size_t>(parts_) + 1;
    for (std::size_t i = 0; i < by_start.size(); ++i) {
      const ordered_json& loan = *by_start[i].second;
      const int part = static_cast<int>(i / per_part) + 1;
      const std::string client = key_part(loan, "client_id", path);
      source.loans.push_back(row_of(loan, part));
      part_of_loan_.emplace(std::pair(client, key_part(loan, "loan_name", path)), part);
      part_of_client_.emplace(client, part);  // the first loan decides
    }
  }

  void place_payments(Source& source) const {
    const fs::path path = folder_ / "payments.json";
    for (const auto& payment : read_array(path)) {
      const auto found =
          part_of_loan_.find({key_part(payment, "client_id", path), key_part(payment, "loan_name", path)});
      if (found != part_of_loan_.end()) source.payments.push_back(row_of(payment, found->second));
    }
  }

  void place_clients(Source& source) const {
    const fs::path path = folder_ / "clients.json";
    for (const auto& client : read_array(path)) {
      const auto found = part_of_client_.find(key_part(client, "client_id", path));
      if (found != part_of_client_.end()) source.clients.push_back(row_of(client, found->second));
    }
  }

  fs::path folder_;
  int parts_;
  std::map<std::pair<std::string, std::string>, int> part_of_loan_;
  std::map<std::string, int> part_of_client_;
};

void write_rows(OutputFile& file, const std::vector<Row>& rows, int part) {
  file.text() += "[";
  bool is_first = true;
  for (const Row& row : rows) {
    if (row.part > part) continue;
    file.text() += is_first ? "\n" : ",\n";
    file.text() += row.text;
    is_first = false;
    file.spill();
  }
  file.text() += "\n]\n";
}

void write_part(const fs::path& dir, const Source& source, int part) {
  const std::string number = std::to_string(part);
  const auto name = [&](const char* what) { return what + ("_" + number + ".json"); };
  OutputFolder out(dir / ("part_" + number), {name("clients"), name("loans"), name("payments")});
  write_rows(out.file(name("clients")), source.clients, part);
  write_rows(out.file(name("loans")), source.loans, part);
  write_rows(out.file(name("payments")), source.payments, part);
  out.publish();
}

}  // namespace

void split(const fs::path& dir, int parts) {
  if (parts < 1 || parts > kPartsMax) refuse("the number of parts must be from 1 to " + std::to_string(kPartsMax));
  const fs::path folder = fs::exists(dir / "loans.json") ? dir : dir / "loans";
  if (!fs::exists(folder / "loans.json")) refuse(dir.string() + " holds no loans.json, nor does its folder loans");
  const Source source = Splitter(folder, parts).place();
  for (int part = 1; part <= parts; ++part) write_part(dir, source, part);
}

}  // namespace tellerd::tellerctl

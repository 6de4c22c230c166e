#include "tellerctl/generate/generate.h"

#include "core/fault.h"
#include "tellerctl/generate/broker.h"
#include "tellerctl/generate/events.h"
#include "tellerctl/generate/loans.h"

namespace tellerd::tellerctl {
namespace {

constexpr int kClientsMax = 999'999;  // six digits in an id
constexpr std::string_view kEvents = "events.ndjson";
constexpr std::string_view kAliases = "aliases.ndjson";

[[noreturn]] void refuse(const std::string& sentence) { throw core::Fault(core::Exit::kFailed, sentence); }

core::Instant beginning(const Population& population) { return population.from() * core::kDay; }

class Steps {
 public:
  Steps(const GenerateOptions& options, int count) : options_(options), count_(count) {}
  void next(std::string_view what) {
    if (options_.progress) options_.progress(static_cast<double>(done_) / count_, what);
    ++done_;
  }

 private:
  const GenerateOptions& options_;
  int count_, done_ = 0;
};

// The loan system counts its clients, the broker names them: one line says that they are the same person.
void write_aliases(OutputFile& file, const Population& population) {
  for (const Person& person : population.people()) {
    if (!has_loans(population, person, false)) continue;
    EventLine line(file.text());
    line.begin("alias", "alias-", person.number, 6).customer("broker:CLIENT_", person.number);
    line.field("other_system", "loans").field("other_key", std::to_string(person.number));
    line.at(beginning(population)).end();
    file.spill();
  }
}

void write_bank_events(OutputFile& file, const Population& population) {
  std::vector<Happening> list;
  list.reserve(population.people().size() * 64);
  for (const Person& person : population.people()) {
    add_card_life(list, population, person);
    add_contacts(list, population, person);
    if (person.number % 5 < 2) add_shopping(list, population, person, 4);
  }
  write_merchants(file, beginning(population));
  write_products(file, population.seed(), beginning(population));
  write_happenings(file, list, population.seed(), "broker:CLIENT_");
}

void write_shop(const Population& population, OutputFolder& out) {
  std::vector<Happening> list;
  list.reserve(population.people().size() * 32);
  for (const Person& person : population.people()) add_shopping(list, population, person, 8);
  OutputFile& file = out.file(kEvents);
  write_products(file, population.seed(), beginning(population));
  write_happenings(file, list, population.seed(), "shop:S");
}

void make_broker(const GenerateOptions& options, const Population& population) {
  Steps steps(options, 1);
  OutputFolder out(options.out, broker_files());
  steps.next("broker");
  write_broker(out, population);
  out.publish();
}

void make_loans(const GenerateOptions& options, const Population& population) {
  Steps steps(options, 1);
  OutputFolder out(options.out, loans_files(""));
  steps.next("loans");
  write_loans(out, population, "", true);
  out.publish();
}

void make_shop(const GenerateOptions& options, const Population& population) {
  Steps steps(options, 1);
  OutputFolder out(options.out, {std::string(kEvents)});
  steps.next("shop");
  write_shop(population, out);
  out.publish();
}

void make_bank(const GenerateOptions& options, const Population& population) {
  Steps steps(options, 4);
  std::vector<std::string> names = broker_files();
  for (std::string& name : loans_files("loans/")) names.push_back(std::move(name));
  names.emplace_back(kAliases);
  names.emplace_back(kEvents);
  OutputFolder out(options.out, names);
  steps.next("broker");
  write_broker(out, population);
  steps.next("loans");
  write_loans(out, population, "loans/", false);
  steps.next("aliases");
  write_aliases(out.file(kAliases), population);
  steps.next("events");
  write_bank_events(out.file(kEvents), population);
  out.publish();
}

struct Profile {
  std::string_view name;
  void (*make)(const GenerateOptions& options, const Population& population);
};
constexpr Profile kProfiles[] = {
    {"bank", make_bank}, {"loans", make_loans}, {"broker", make_broker}, {"shop", make_shop}};

}  // namespace

void generate(const GenerateOptions& options) {
  if (options.clients < 1 || options.clients > kClientsMax)
    refuse("the number of clients must be from 1 to " + std::to_string(kClientsMax));
  const auto until = core::parse_date(options.until);
  if (!until) refuse("\"" + options.until + "\" is no date; write it as 2026-11-21");
  for (const Profile& profile : kProfiles) {
    if (profile.name != options.profile) continue;
    profile.make(options, Population(options.seed, options.clients, *until));
    if (options.progress) options.progress(1.0, "done");
    return;
  }
  refuse("there is no profile \"" + options.profile + "\"; choose bank, loans, broker or shop");
}

}  // namespace tellerd::tellerctl

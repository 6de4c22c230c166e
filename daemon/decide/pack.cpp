#include "decide/pack.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/fault.h"
#include "core/limits.h"
#include "decide/choice_reason.h"
#include "decide/pack_parts.h"
#include "store/expression.h"

namespace tellerd::decide {
namespace {

constexpr int kDaysMax = 3650;
constexpr std::int64_t kRatioMax = 1'000'000;
constexpr std::string_view kAlways = "1";

constexpr auto kFileNames = std::to_array<std::string_view>(
    {"pack.toml", "segments.toml", "churn.toml", "offers.toml", "contact.toml", "competitors.toml", "mcc.toml",
     "merchants.toml", "holidays.toml", "texts.ru.toml", "texts.en.toml"});
constexpr std::string_view kActionsFile = "actions.toml";  // only packs that choose have it

template <typename Rows>
std::optional<std::size_t> index_of(const Rows& rows, std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
  if (found == rows.end()) return std::nullopt;
  return static_cast<std::size_t>(found - rows.begin());
}

// Reads the files in the order in which they refer to each other.
class PackReader {
 public:
  explicit PackReader(const PackFiles& files) : files_(files), expressions_(expression_columns()) {}

  Pack read() {
    read_head();
    check_names();
    read_segments();
    read_churn();
    read_offers();
    pack_.contact = read_part("contact.toml", parse_contact);
    pack_.competitors = read_part("competitors.toml", parse_competitors);
    pack_.mcc = read_part("mcc.toml", parse_mcc);
    pack_.merchants = read_part("merchants.toml", parse_merchants);
    pack_.holidays = read_part("holidays.toml", parse_holidays);
    pack_.ru = read_part("texts.ru.toml", parse_texts);
    pack_.en = read_part("texts.en.toml", parse_texts);
    if (files_.count(std::string(kActionsFile)))
      pack_.catalogue = parse_catalogue(place(kActionsFile), parse(kActionsFile), pack_);
    check_words();
    pack_.hash = pack_hash(files_);
    return std::move(pack_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw core::Fault(core::Exit::kConfig, place_of_pack() + ": " + problem);
  }
  std::string place_of_pack() const { return pack_.name.empty() ? "pack" : "pack " + pack_.name; }
  std::string place(std::string_view file) const { return place_of_pack() + ": " + std::string(file); }

  toml::table parse(std::string_view file) const {
    const auto found = files_.find(std::string(file));
    if (found == files_.end()) fail(std::string(file) + " is missing");
    return parse_toml(place(file), found->second);
  }

  template <typename Part>
  Part read_part(std::string_view file, Part (*parse_part)(const std::string&, const toml::table&)) const {
    return parse_part(place(file), parse(file));
  }

  // Compiles the expression as the engine will; `own` are columns that are only known once it has been evaluated.
  std::string expression(const Section& section, std::string_view key, std::initializer_list<Column> own) {
    const PlacedText text = section.placed_text(key);
    const int index = expressions_.add(text.text, text.place);
    for (const int column : expressions_.columns_read(index))
      if (std::find(own.begin(), own.end(), static_cast<Column>(column)) != own.end())
        section.fail(key, Section::quoted(key) + " reads " +
                              std::string(kExpressionColumns[static_cast<std::size_t>(column)]) +
                              ", which follows from it");
    return text.text;
  }

  void check_names() const {
    for (const auto& [name, text] : files_)
      if (name != kActionsFile && std::find(kFileNames.begin(), kFileNames.end(), name) == kFileNames.end())
        fail(name + " is no file of a pack");
    for (const std::string_view name : kFileNames)
      if (files_.count(std::string(name)) == 0) fail(std::string(name) + " is missing");
  }

  void read_head() {
    const toml::table table = parse("pack.toml");
    const Section unnamed(place("pack.toml"), table, {});
    const std::string name = unnamed.text("name");
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") != std::string::npos || name.size() > 64)
      unnamed.fail("name", "\"name\" is up to 64 of a-z, 0-9, _ and -");
    pack_.name = name;
    const Section file(place("pack.toml"), table,
                       {"name", "version", "description_ru", "description_en", "branch_currency", "features",
                        "aggregates", "overdue"});
    pack_.version = file.text("version");
    pack_.description_ru = file.text("description_ru");
    pack_.description_en = file.text("description_en");
    const auto currency = core::currency_of(file.text("branch_currency"));
    if (!currency) file.fail("branch_currency", "\"branch_currency\" is no ISO 4217 code");
    pack_.branch_currency = *currency;
    pack_.features = file.text("features");
    if (pack_.features != "bits" && pack_.features != "full")
      file.fail("features", "\"features\" is one of: bits, full");
    read_aggregates(file);
    const Section overdue = file.section("overdue", {"grace_days", "materiality_minor"});
    pack_.overdue = {overdue.count("grace_days", 0, 365),
                     overdue.integer("materiality_minor", 0, core::kAmountMinorMax)};
  }

  void read_aggregates(const Section& file) {
    const Section section =
        file.section("aggregates", {"transaction_weeks", "login_weeks", "activity_weeks", "bill_weeks",
                                    "convert_currency", "successful_logins_only", "completed_payments_only",
                                    "unpaid_is_overdue", "decide_needs_profile"});
    // A window longer than what silver keeps could not be recomputed.
    const auto weeks = [&](std::string_view key) { return section.count(key, 0, core::limits::kActivityWeeksKept); };
    Aggregates& out = pack_.aggregates;
    out.transaction_weeks = weeks("transaction_weeks");
    out.login_weeks = weeks("login_weeks");
    out.activity_weeks = weeks("activity_weeks");
    out.bill_weeks = weeks("bill_weeks");
    out.convert_currency = section.flag("convert_currency");
    out.successful_logins_only = section.flag("successful_logins_only");
    out.completed_payments_only = section.flag("completed_payments_only");
    out.unpaid_is_overdue = section.flag("unpaid_is_overdue");
    out.decide_needs_profile = section.flag("decide_needs_profile");
  }

  void read_segments() {
    const toml::table table = parse("segments.toml");
    const Section file(place("segments.toml"), table, {"downgrade_days", "tier", "combined"});
    pack_.segments.downgrade_days = file.count("downgrade_days", 0, kDaysMax);
    for (const Section& section : file.sections("tier", {"name", "when", "stay", "level", "reason_ru", "reason_en"}))
      add_tier(section);
    if (pack_.segments.tiers.empty()) file.fail("tier", "no [[tier]]");
    if (pack_.segments.tiers.back().when != kAlways) file.fail("tier", "the last [[tier]] needs when = \"1\"");
    for (const Section& section : file.sections("combined", {"name", "tier", "when"})) add_combined(section);
    for (std::size_t tier = 0; tier < pack_.segments.tiers.size(); ++tier) check_combined(file, tier);
  }

  void add_tier(const Section& section) {
    Tier tier;
    tier.name = section.text("name");
    if (index_of(pack_.segments.tiers, tier.name)) section.fail("name", "a second tier " + Section::quoted(tier.name));
    tier.when = expression(section, "when", {Column::kTier, Column::kCombinedSegment});
    tier.stay = tier.when;
    if (section.has("stay")) tier.stay = expression(section, "stay", {Column::kTier, Column::kCombinedSegment});
    tier.level = section.count("level", 1, 99);
    if (section.has("reason_ru")) tier.reason_ru = section.text("reason_ru");
    if (section.has("reason_en")) tier.reason_en = section.text("reason_en");
    pack_.segments.tiers.push_back(std::move(tier));
  }

  void add_combined(const Section& section) {
    CombinedSegment combined;
    combined.name = section.text("name");
    if (index_of(pack_.segments.combined, combined.name))
      section.fail("name", "a second combined segment " + Section::quoted(combined.name));
    const auto tier = index_of(pack_.segments.tiers, section.text("tier"));
    if (!tier) section.fail("tier", "there is no tier " + Section::quoted(section.text("tier")));
    combined.tier = *tier;
    combined.when = expression(section, "when", {Column::kCombinedSegment});
    pack_.segments.combined.push_back(std::move(combined));
  }

  // Every customer has a combined segment: the last one of each tier takes whoever is left.
  void check_combined(const Section& file, std::size_t tier) const {
    const CombinedSegment* last = nullptr;
    for (const CombinedSegment& combined : pack_.segments.combined)
      if (combined.tier == tier) last = &combined;
    const std::string name = Section::quoted(pack_.segments.tiers[tier].name);
    if (last == nullptr) file.fail("combined", "no [[combined]] for the tier " + name);
    if (last->when != kAlways)
      file.fail("combined", "the last [[combined]] of the tier " + name + " needs when = \"1\"");
  }

  void read_churn() {
    const toml::table table = parse("churn.toml");
    const Section file(place("churn.toml"), table,
                       {"horizon_weeks", "feature_weeks", "at_risk_threshold", "at_risk_leave", "model"});
    Churn& churn = pack_.churn;
    churn.feature_weeks = file.count("feature_weeks", 1, 50);
    churn.horizon_weeks = file.count("horizon_weeks", 1, core::limits::kWeekBits - 2);
    if (churn.feature_weeks + churn.horizon_weeks > core::limits::kWeekBits - 1)
      file.fail("feature_weeks", "\"feature_weeks\" and \"horizon_weeks\" together are over " +
                                     std::to_string(core::limits::kWeekBits - 1));
    churn.at_risk_threshold = file.fraction("at_risk_threshold");
    churn.at_risk_leave = file.fraction("at_risk_leave");
    if (churn.at_risk_leave > churn.at_risk_threshold)
      file.fail("at_risk_leave", "\"at_risk_leave\" is over \"at_risk_threshold\"");
    read_churn_model(file);
  }

  void read_churn_model(const Section& file) {
    const Section model = file.section("model", {"trees", "depth", "learning_rate", "snapshots", "step_weeks",
                                                 "rows_max", "seed", "retrain_weeks", "activate"});
    Churn& churn = pack_.churn;
    churn.trees = model.count("trees", 1, 1000);
    churn.depth = model.count("depth", 1, 6);
    churn.learning_rate = model.fraction("learning_rate");
    churn.snapshots = model.count("snapshots", 1, 26);
    churn.step_weeks = model.count("step_weeks", 1, 13);
    churn.rows_max = model.count("rows_max", 1000, 10'000'000);
    churn.seed = model.count("seed", 0, 1'000'000'000);
    churn.retrain_weeks = model.count("retrain_weeks", 0, 52);
    churn.is_activated = model.flag("activate");
  }

  void read_offers() {
    const toml::table table = parse("offers.toml");
    const Section file(place("offers.toml"), table, {"queue", "marketing", "multiplier", "template"});
    pack_.offers.queue = file.text("queue");
    read_marketing(file);
    for (const Section& section : file.sections("multiplier", {"when", "numerator", "denominator"})) {
      Multiplier multiplier;
      multiplier.when = expression(section, "when", {});
      multiplier.numerator = section.integer("numerator", 0, kRatioMax);
      multiplier.denominator = section.integer("denominator", 1, kRatioMax);
      pack_.offers.multipliers.push_back(std::move(multiplier));
    }
    for (const Section& section : file.sections(
             "template", {"segment", "action", "type", "name_ru", "base_minor", "priority", "days_valid", "issue",
                          "group", "purpose", "channel", "credit", "skills", "treatment", "parameters"}))
      add_template(section);
  }

  void read_marketing(const Section& file) {
    static constexpr std::pair<std::string_view, bool> kActive[] = {{"all", false}, {"window", true}};
    static constexpr std::pair<std::string_view, bool> kNew[] = {{"none", false}, {"registered_today", true}};
    const Section section = file.section("marketing", {"active", "window_weeks", "new"});
    Marketing& marketing = pack_.offers.marketing;
    marketing.active_in_window = section.choice("active", kActive);
    if (marketing.active_in_window || section.has("window_weeks"))
      marketing.window_weeks = section.count("window_weeks", 1, core::limits::kActivityWeeksKept);
    marketing.new_is_registered_today = section.choice("new", kNew);
  }

  void add_template(const Section& section) {
    Template out;
    const auto segment = index_of(pack_.segments.combined, section.text("segment"));
    if (!segment) section.fail("segment", "there is no combined segment " + Section::quoted(section.text("segment")));
    out.segment = *segment;
    out.action = section.short_name("action");
    for (const Template& other : pack_.offers.templates)
      if (other.segment == out.segment && other.action == out.action)
        section.fail("action", "a second " + Section::quoted(out.action) + " for this segment");
    out.type = section.text("type");
    out.name_ru = section.text("name_ru");
    out.base_minor = section.integer("base_minor", 0, core::kAmountMinorMax);
    out.priority = section.count("priority", 0, 31);
    out.days_valid = section.count("days_valid", 1, kDaysMax);
    for (const Multiplier& multiplier : pack_.offers.multipliers) {
      const auto revenue = core::multiply_ratio(out.base_minor, multiplier.numerator, multiplier.denominator);
      if (!revenue || *revenue > core::kAmountMinorMax)
        section.fail("base_minor", "\"base_minor\" times a multiplier is over 10^15");
    }
    parse_contact_of(section, out);
    out.terms = terms_of(section);
    pack_.offers.templates.push_back(std::move(out));
  }

  void need_words(const char* file, const Texts& texts, const std::string& section, const std::string& code) const {
    if (texts.sections.at(section).count(code) == 0)
      fail(std::string(file) + ": no words for " + Section::quoted(code) + " in [" + section + "]");
  }

  // First what the pack itself names, then every code that the other language has.
  void check_words() const {
    constexpr const char* kRu = "texts.ru.toml";
    constexpr const char* kEn = "texts.en.toml";
    const auto need = [&](const std::string& section, const std::string& code) {
      need_words(kRu, pack_.ru, section, code);
      need_words(kEn, pack_.en, section, code);
    };
    for (const Tier& tier : pack_.segments.tiers) need("tiers", tier.name);
    for (const CombinedSegment& combined : pack_.segments.combined) need("segments", combined.name);
    for (const std::string& name : pack_.mcc.names) need("categories", name);
    if (pack_.catalogue) {
      for (const auto& [reason, code] :
           kChoiceCodes)  // packs in old logs know nothing of the last one: it has no words
        if (reason != ChoiceReason::kWeighedDown) need("reasons", std::string(code));
      for (const Context& context : pack_.catalogue->contexts) need("reasons", context.reason);
    }
    for (const auto* texts : {&pack_.ru, &pack_.en})
      for (const auto& [section, codes] : texts->sections)
        for (const auto& [code, words] : codes) need(section, code);
    check_scripts(kRu, pack_.ru);
    check_scripts(kEn, pack_.en);
  }

  // A script speaks of what its action offers; one of an action that is not in the pack is never said.
  void check_scripts(const char* file, const Texts& texts) const {
    const auto scripts = texts.sections.find("scripts");
    if (scripts == texts.sections.end()) return;
    std::map<std::string, std::set<std::string>> offered = {{"any", {}}};
    const auto note = [&](const std::string& action, const Terms& terms) {
      auto& names = offered[action];
      for (const auto& [name, value] : terms.parameters) names.insert(name);
    };
    for (const Template& one : pack_.offers.templates) note(one.action, one.terms);
    if (pack_.catalogue)
      for (const Action& one : pack_.catalogue->actions) note(one.name, one.terms);
    for (const auto& [action, words] : scripts->second) {
      const auto known = offered.find(action);
      const auto said = names_in_braces(words).value();
      for (const std::string& name : said)
        if (known != offered.end() && !known->second.contains(name))
          fail(std::string(file) + ": the script of " + Section::quoted(action) + " says {" + name +
               "}, which is no parameter of it");
    }
  }

  const PackFiles& files_;
  store::ExpressionSet expressions_;
  Pack pack_;
};

}  // namespace

std::vector<std::string> expression_columns() { return {kExpressionColumns.begin(), kExpressionColumns.end()}; }

Pack parse_pack(const PackFiles& files) { return PackReader(files).read(); }

}  // namespace tellerd::decide

// actions.toml: the library of a pack that chooses.
#include <algorithm>

#include "core/limits.h"
#include "decide/choice.h"
#include "decide/pack_parts.h"
#include "store/expression.h"

namespace tellerd::decide {
namespace {

constexpr int kDaysMax = 3650, kWeightMax = 1000;
constexpr std::size_t kActionsMax = 1000;

constexpr std::pair<std::string_view, Purpose> kPurposes[] = {
    {"marketing", Purpose::kMarketing}, {"collection", Purpose::kCollection}, {"service", Purpose::kService}};
constexpr std::pair<std::string_view, Credit> kCredits[] = {
    {"none", Credit::kNone}, {"secured", Credit::kSecured}, {"unsecured", Credit::kUnsecured}};
constexpr std::pair<std::string_view, Reach> kReaches[] = {
    {"all", Reach::kAll}, {"issue", Reach::kIssue}, {"group", Reach::kGroup}, {"action", Reach::kAction}};

class CatalogueReader {
 public:
  CatalogueReader(const Section& file, const Pack& rest) : file_(file), rest_(rest), expressions_(choice_columns()) {}

  Catalogue read() {
    out_.salt = file_.text("salt");
    out_.rounds = file_.count("rounds", 1, 1000);
    out_.again_days = file_.count("again_days", 1, 365);
    const Section costs = file_.section("cost_minor", {"call", "message"});
    out_.call_cost_minor = costs.integer("call", 0, core::kAmountMinorMax);
    out_.message_cost_minor = costs.integer("message", 0, core::kAmountMinorMax);
    for (const Section& section : file_.sections("action", {"name",           "issue",
                                                            "group",          "type",
                                                            "name_ru",        "purpose",
                                                            "credit",         "channels",
                                                            "queue",          "segments",
                                                            "eligible",       "applicable",
                                                            "suitable",       "base_minor",
                                                            "discount_minor", "follows_turnover",
                                                            "mandatory",      "once_an_instalment",
                                                            "priority",       "days_valid",
                                                            "stage",          "treatment",
                                                            "parameters"}))
      add_action(section);
    if (out_.actions.empty() || out_.actions.size() > kActionsMax) file_.fail("action", "1 to 1000 [[action]]");
    for (const Section& section : file_.sections("context", {"reach", "name", "when", "weight", "reason", "figures"}))
      add_context(section);
    for (const Section& section : file_.sections("lever", {"reach", "name", "weight", "owner", "reason", "expires"}))
      add_lever(section);
    return std::move(out_);
  }

 private:
  std::string expression(const Section& section, std::string_view key) {
    if (!section.has(key)) return "1";
    const PlacedText text = section.placed_text(key);
    expressions_.add(text.text, text.place);
    return text.text;
  }

  void add_action(const Section& section) {
    Action action;
    action.name = section.short_name("name");
    for (const Action& other : out_.actions)
      if (other.name == action.name) section.fail("name", "a second action " + Section::quoted(action.name));
    action.issue = section.short_name("issue");
    action.group = section.short_name("group");
    action.type = section.text("type");
    action.name_ru = section.text("name_ru");
    action.purpose = section.choice("purpose", kPurposes);
    if (section.has("credit")) action.credit = section.choice("credit", kCredits);
    add_channels(section, action);
    action.queue = section.has("queue") ? section.text("queue") : rest_.offers.queue;
    if (section.has("segments"))
      for (const PlacedText& name : section.texts("segments")) action.segments.push_back(segment(section, name.text));
    action.eligible = expression(section, "eligible");
    action.applicable = expression(section, "applicable");
    action.suitable = expression(section, "suitable");
    action.base_minor = section.integer("base_minor", 0, core::kAmountMinorMax);
    if (section.has("discount_minor"))
      action.discount_minor = section.integer("discount_minor", 0, core::kAmountMinorMax);
    action.follows_turnover = section.has("follows_turnover") && section.flag("follows_turnover");
    if (action.follows_turnover) check_turnover(section, action);
    action.is_mandatory = section.has("mandatory") && section.flag("mandatory");
    action.is_once_an_instalment = section.has("once_an_instalment") && section.flag("once_an_instalment");
    action.priority = section.count("priority", 0, 31);
    action.days_valid = section.count("days_valid", 1, kDaysMax);
    if (section.has("stage")) action.stage = section.count("stage", 0, 99);
    action.terms = terms_of(section);
    out_.actions.push_back(std::move(action));
  }

  void add_channels(const Section& section, Action& action) const {
    for (const PlacedText& name : section.texts("channels")) {
      if (name.text != "call" && name.text != "message")
        section.fail("channels", "\"channels\" lists call and message");
      const Channel channel = name.text == "call" ? Channel::kCall : Channel::kMessage;
      if (std::find(action.channels.begin(), action.channels.end(), channel) != action.channels.end())
        section.fail("channels", "\"channels\" names " + Section::quoted(name.text) + " twice");
      action.channels.push_back(channel);
    }
    if (action.channels.empty()) section.fail("channels", "\"channels\" lists call and message");
  }

  std::size_t segment(const Section& section, const std::string& name) const {
    const auto& all = rest_.segments.combined;
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (found == all.end()) section.fail("segments", "there is no combined segment " + Section::quoted(name));
    return static_cast<std::size_t>(found - all.begin());
  }

  void check_turnover(const Section& section, const Action& action) const {
    for (const Multiplier& multiplier : rest_.offers.multipliers) {
      const auto value = core::multiply_ratio(action.base_minor, multiplier.numerator, multiplier.denominator);
      if (!value || *value > core::kAmountMinorMax)
        section.fail("base_minor", "\"base_minor\" times a multiplier is over 10^15");
    }
  }

  // What a context or a lever speaks of has to be there.
  void read_reach(const Section& section, Reach& reach, std::string& name) const {
    reach = section.choice("reach", kReaches);
    if (reach == Reach::kAll) return;
    name = section.text("name");
    const bool is_known = std::any_of(out_.actions.begin(), out_.actions.end(),
                                      [&](const Action& action) { return is_reached(action, reach, name); });
    if (!is_known) section.fail("name", "no action has " + Section::quoted(name));
  }

  void add_context(const Section& section) {
    Context context;
    read_reach(section, context.reach, context.name);
    const PlacedText when = section.placed_text("when");
    expressions_.add(when.text, when.place);
    context.when = when.text;
    context.weight_percent = section.count("weight", -kWeightMax, kWeightMax);
    context.reason = section.text("reason");
    const auto columns = choice_columns();
    if (section.has("figures"))
      for (const PlacedText& name : section.texts("figures")) {
        const auto found = std::find(columns.begin(), columns.end(), name.text);
        if (found == columns.end()) section.fail("figures", "there is no column " + Section::quoted(name.text));
        context.figures.push_back(static_cast<int>(found - columns.begin()));
      }
    out_.contexts.push_back(std::move(context));
  }

  void add_lever(const Section& section) {
    Lever lever;
    read_reach(section, lever.reach, lever.name);
    if (lever.reach == Reach::kAll) section.fail("reach", "a lever is for an issue, a group or an action");
    lever.weight_percent = section.count("weight", -kWeightMax, kWeightMax);
    lever.owner = section.text("owner");
    lever.reason = section.text("reason");
    const auto expires = core::parse_date(section.text("expires"));
    if (!expires) section.fail("expires", "\"expires\" is a date like 2027-03-31");
    lever.expires = *expires;
    out_.levers.push_back(std::move(lever));
  }

  const Section& file_;
  const Pack& rest_;
  store::ExpressionSet expressions_;
  Catalogue out_;
};

}  // namespace

Catalogue parse_catalogue(const std::string& place, const toml::table& table, const Pack& rest) {
  const Section file(place, table, {"salt", "rounds", "again_days", "cost_minor", "action", "context", "lever"});
  return CatalogueReader(file, rest).read();
}

}  // namespace tellerd::decide

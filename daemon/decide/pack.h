// A policy pack as an analyst wrote it, read and checked whole: whoever holds a Pack need not check it again.
// Expressions stay texts here; every one of them has been compiled once against kExpressionColumns. References between
// files are indices into the vectors of the Pack. Money in minor units of the branch currency.
// Errors: Fault(kConfig, "pack NAME: FILE line N: ...") for the first problem. Threads: a Pack does not change.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/money.h"
#include "core/text.h"
#include "core/time.h"
#include "decide/pack_files.h"

namespace tellerd::decide {

// The columns an expression may use, in slot order; from kTier on they are texts, the others integers.
enum class Column : int {
  kTransactionCount,
  kTransactionTotalMinor,
  kTransactionMaxMinor,
  kLoginCount,
  kSuccessfulLoginCount,
  kActivityCount,
  kActivityMinutes,
  kPageViews,
  kBillCount,
  kBillTotalMinor,
  kHoldingCount,
  kPortfolioValueMinor,
  kOverdueLoans,
  kDpd,
  kInactiveWeeks,
  kClientCode,
  kHasProfile,
  kRegisteredDays,
  kTier,
  kCombinedSegment,
  kChurnState
};
inline constexpr auto kExpressionColumns = std::to_array<std::string_view>({"transaction_count",
                                                                            "transaction_total_minor",
                                                                            "transaction_max_minor",
                                                                            "login_count",
                                                                            "successful_login_count",
                                                                            "activity_count",
                                                                            "activity_minutes",
                                                                            "page_views",
                                                                            "bill_count",
                                                                            "bill_total_minor",
                                                                            "holding_count",
                                                                            "portfolio_value_minor",
                                                                            "overdue_loans",
                                                                            "dpd",
                                                                            "inactive_weeks",
                                                                            "client_code",
                                                                            "has_profile",
                                                                            "registered_days",
                                                                            "tier",
                                                                            "combined_segment",
                                                                            "churn_state"});
static_assert(kExpressionColumns.size() == static_cast<std::size_t>(Column::kChurnState) + 1);
std::vector<std::string> expression_columns();  // the same, for an ExpressionSet

// pack.toml. A window counts whole weeks with the running one; 0 is no window.
struct Aggregates {
  int transaction_weeks = 0, login_weeks = 0, activity_weeks = 0, bill_weeks = 0;
  bool convert_currency = false, successful_logins_only = false, completed_payments_only = false;
  bool unpaid_is_overdue = false, decide_needs_profile = false;
  friend bool operator==(const Aggregates&, const Aggregates&) = default;
};
struct Overdue {
  int grace_days = 0;
  std::int64_t materiality_minor = 0;
  friend bool operator==(const Overdue&, const Overdue&) = default;
};

// segments.toml. First match wins; the last tier, and the last combined segment of each tier, always matches ("1").
struct Tier {
  std::string name, when, stay;  // stay is `when` where the pack gives no other
  int level = 0;                 // 1 the highest
  std::string reason_ru, reason_en;
};
struct CombinedSegment {
  std::string name;
  std::size_t tier = 0;  // index into tiers
  std::string when;
};
struct Segments {
  int downgrade_days = 0;
  std::vector<Tier> tiers;
  std::vector<CombinedSegment> combined;
};

// churn.toml. feature_weeks + horizon_weeks fit into the stored bits.
struct Churn {
  int horizon_weeks = 0, feature_weeks = 0;
  double at_risk_threshold = 0, at_risk_leave = 0;  // 0 <= leave <= threshold <= 1
  // [model]: how it is trained, and when.
  int trees = 0, depth = 0, snapshots = 0, step_weeks = 0, rows_max = 0, seed = 0;
  double learning_rate = 0;
  int retrain_weeks = 0;      // 0: only when asked
  bool is_activated = false;  // a new model that is better takes over by itself
};

// contact.toml and what it says of an offer (policy.md 3).
enum class Source : std::uint8_t { kLaw, kBank, kBusiness };
enum class Purpose : std::uint8_t { kAll, kMarketing, kCollection, kService };
inline constexpr std::size_t kPurposeCount = 4;
inline constexpr std::array<std::string_view, kPurposeCount> kPurposeNames{"all", "marketing", "collection", "service"};
enum class Scope : std::uint8_t { kAll, kAction, kGroup, kIssue, kCredit, kCreditUnsecured };
enum class Channel : std::uint8_t { kAll, kCall, kMessage, kConversation };
enum class Credit : std::uint8_t { kNone, kSecured, kUnsecured };

// offers.toml. base_minor * numerator / denominator stays an amount for every template and multiplier.
struct Multiplier {
  std::string when;
  std::int64_t numerator = 1, denominator = 1;
};
// What an action offers in figures: its short name, and values by name for the agent and the script.
struct Terms {
  std::string treatment;
  std::vector<std::pair<std::string, std::string>> parameters;  // by name
  bool is_empty() const noexcept { return treatment.empty() && parameters.empty(); }
};
struct Template {
  std::size_t segment = 0;  // index into combined
  std::string action, type, name_ru;
  std::int64_t base_minor = 0;
  int priority = 0, days_valid = 0;
  std::string issue, group;  // "" is none
  Purpose purpose = Purpose::kMarketing;
  Channel channel = Channel::kCall;  // a call or a message
  Credit credit = Credit::kNone;
  std::vector<std::string> skills;  // a desk needs all of them
  Terms terms;
};
struct Marketing {
  bool active_in_window = false;         // else every client of the segment counts as active
  int window_weeks = 0;                  // of logins and activities
  bool new_is_registered_today = false;  // else nobody counts as new
};
struct Offers {
  std::string queue;
  std::vector<Multiplier> multipliers;  // first match wins, else the base as it is
  std::vector<Template> templates;      // in the order of the file
  Marketing marketing;
};

// contact.toml (policy.md 3).
enum class Window : std::uint8_t { kNone, kDay, kWeek, kMonth };
enum class Effect : std::uint8_t { kBlock, kSuppress, kDownWeight };
enum class Cause : std::uint8_t {
  kContacts,  // none named: the rule counts contacts
  kDoNotCall,
  kConsentAbsent,
  kRepresentative,
  kDeceased,
  kBankruptcy,
  kSelfBan,
  kComplaint,
  kOverdue,
  kReject,
  kAccept
};
struct ContactRule {
  std::string id;
  Source source = Source::kBusiness;
  Purpose purpose = Purpose::kAll;
  Scope scope = Scope::kAll;
  Channel channel = Channel::kAll;
  Cause cause = Cause::kContacts;
  Window window = Window::kNone;
  int rolling_days = 0;  // 0: none
  int threshold = 0;     // contacts allowed, or rejects and acceptances needed
  Effect effect = Effect::kBlock;
  int suppress_days = 0;
  int weight_percent = 100;                       // of kDownWeight
  std::optional<core::Day> valid_from, valid_to;  // both inclusive
};
struct Hours {
  int begin = 0, end = 24;  // local hours, begin inclusive, end exclusive
};
struct ContactHours {
  Hours work_days, days_off;
};
struct LadderStep {
  int days = 0;  // before (minus) or after the due date
  Channel channel = Channel::kMessage;
  std::string action;
};
struct Contact {
  bool has_rules = false;
  ContactHours collection, marketing, service;
  std::vector<Purpose> precedence;
  std::map<std::string, int> capacity;  // offers taken of a queue a day; 0 or not named: no limit
  std::map<std::string, int> waiting;   // offers that may wait in a queue; 0 or not named: no limit
  int lease_seconds = 0, lease_seconds_max = 0;
  int random_percent = 0, holdout_percent = 0;
  std::vector<LadderStep> ladder;  // by days
  std::vector<ContactRule> rules;
};

// actions.toml, in packs that choose (policy.md 1 and 2); without the file every template of the segment is held.
struct Action {
  std::string name, issue, group, type, name_ru;
  Purpose purpose = Purpose::kMarketing;
  Credit credit = Credit::kNone;
  std::vector<Channel> channels;  // calls and messages: each is a candidate
  std::string queue;
  std::vector<std::size_t> segments;  // indices into combined; none: all
  std::string eligible, applicable, suitable;
  std::int64_t base_minor = 0, discount_minor = 0;
  bool follows_turnover = false;  // times the first multiplier that holds
  bool is_mandatory = false;
  bool is_once_an_instalment = false;  // made once for each instalment
  int priority = 0, days_valid = 0, stage = 0;
  Terms terms;
};
enum class Reach : std::uint8_t { kAll, kIssue, kGroup, kAction };
struct Context {
  Reach reach = Reach::kAll;
  std::string name, when, reason;
  int weight_percent = 0;
  std::vector<int> figures;  // columns that fill the reason's places
};
struct Lever {
  Reach reach = Reach::kIssue;
  std::string name, owner, reason;
  int weight_percent = 0;
  core::Day expires = 0;  // the last day it holds
};
struct Catalogue {
  std::string salt;
  int rounds = 0;      // of draws that a choice under uncertainty is made by
  int again_days = 0;  // after a silence
  std::int64_t call_cost_minor = 0, message_cost_minor = 0;
  std::vector<Action> actions;
  std::vector<Context> contexts;
  std::vector<Lever> levers;
};

// competitors.toml
struct Competitors {
  std::vector<std::string> sms_texts, host_names;  // as written
  core::SubstringPatterns sms;
  core::HostPatterns hosts;
};

// mcc.toml
inline constexpr std::uint8_t kNoCategory = 255;
struct MccTable {
  std::vector<std::string> names;
  std::array<std::uint8_t, 10'000> category_of_code{};  // kNoCategory where there is none
  std::uint8_t money_category = kNoCategory;
  std::int64_t money_divisor = 1;
  std::uint8_t category_of(std::int64_t mcc) const noexcept {
    return mcc < 0 || mcc >= 10'000 ? kNoCategory : category_of_code[static_cast<std::size_t>(mcc)];
  }
};

// merchants.toml
struct Merchants {
  int min_customers = 0, min_other_merchants = 0;
  int largest_share_percent = 0, largest_two_share_percent = 0;
  int significant_digits = 0, competitor_delay_weeks = 0;
  std::vector<int> age_bands;  // a band begins at each of these ages, ascending
  int power_weeks = 0;
  int weeks_ahead = 0, season_weeks = 0, lead_time_weeks = 0;
};

// holidays.toml: sorted.
struct Holidays {
  std::vector<core::Day> holidays, working_weekends;
  bool is_day_off(core::Day day) const noexcept;  // a holiday, or a weekend that is not worked
};

// texts.ru.toml, texts.en.toml: section ("reasons", "tiers", ...) -> code -> words; both hold the same codes.
struct Texts {
  std::map<std::string, std::map<std::string, std::string>, std::less<>> sections;
  std::string_view words(std::string_view section, const std::string& code) const;  // the code itself when unknown
};

struct Pack {
  std::string name, version, hash;
  std::string description_ru, description_en;
  core::Currency branch_currency;
  std::string features;  // of the churn model: "bits" or "full"
  Aggregates aggregates;
  Overdue overdue;
  Segments segments;
  Churn churn;
  Offers offers;
  Contact contact;
  Competitors competitors;
  MccTable mcc;
  Merchants merchants;
  Holidays holidays;
  std::optional<Catalogue> catalogue;
  Texts ru, en;
};

Pack parse_pack(const PackFiles& files);

}  // namespace tellerd::decide

// Choices in the fold: what is decided and stored, when it is decided again, what outcomes teach, and questions about
// it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>

#include "app/choice_answer.h"
#include "app/choice_world.h"
#include "core/checksum.h"
#include "decide/decision_book.h"
#include "support/branch.h"
#include "support/world.h"

using namespace tellerd;
using tests::Branch;
using tests::kMonday;

namespace {

decide::PackFiles pack_with(int random, int holdout) {
  decide::PackFiles files = decide::read_pack_files("default");
  std::string& contact = files.at("contact.toml");
  const auto put = [&](const std::string& key, int percent) {
    const std::size_t at = contact.find(key + " = "), end = contact.find('\n', at);
    contact.replace(at, end - at, key + " = " + std::to_string(percent));
  };
  put("random_percent", random);
  put("holdout_percent", holdout);
  return files;
}

const char* const kDecisions =
    "SELECT action, arm, choice_probability>0 AND choice_probability<=1, offer_id<>'' FROM mart_decision ORDER BY "
    "number";
const char* const kOpen = "SELECT action FROM mart_offer WHERE state='READY' ORDER BY action";

std::string date_of(core::Instant at) { return core::format_date(static_cast<core::Day>(at / core::kDay)); }

void meet(Branch& branch, std::string_view customer, std::string_view registered_on = {}) {
  branch.meet(customer, registered_on);
  branch.tell(customer, wire::Consent{"marketing", "all", true, "form", ""});
}

// A loan whose only instalment is due so many days from now.
void lend(Branch& branch, int days) {
  static std::deque<std::string> kept;  // an event only points at its texts
  const std::string& start = kept.emplace_back(date_of(branch.now() - 30 * core::kDay));
  const std::string& end = kept.emplace_back(date_of(branch.now() + 300 * core::kDay));
  const std::string& due = kept.emplace_back(date_of(branch.now() + days * core::kDay));
  wire::Loan loan;
  loan.loan_name = "L1";
  loan.amount_minor = 100'000'00;
  loan.currency = "RUB";
  loan.start_date = start;
  loan.end_date = end;
  loan.payment_count = 1;
  loan.planned_minor = 10'000'00;
  branch.tell("A", loan);
  wire::InstalmentPayment instalment;
  instalment.loan_name = "L1";
  instalment.payment_number = 1;
  instalment.payment_date = due;
  branch.tell("A", instalment);
}

std::string file_hash(Branch& branch) {
  std::string all;
  auto database = store::Database::open_reader(branch.file());
  store::Statement tables(database, "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name");
  std::vector<std::string> names;
  while (tables.step()) names.emplace_back(tables.text(0));
  for (const auto& name : names) all += name + "\n" + branch.ask("SELECT * FROM \"" + name + "\"") + "\n";
  for (const char* suffix : {"", "-wal"}) {  // and the bytes as they lie on the disk
    std::ifstream file(branch.file().string() + suffix, std::ios::binary);
    all += core::hash_hex(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return core::hash_hex(all);
}

// TELLER_QUESTIONS=1000000 asks that many.
int rounds_of_questions(int a_round) {
  const char* wanted = std::getenv("TELLER_QUESTIONS");
  return wanted ? std::atoi(wanted) / a_round + 1 : 30;
}

}  // namespace

TEST_SUITE("app.engine_choices") {
  TEST_CASE("one action is chosen and stored with its funnel, probability, reasons, pack and what P had seen") {
    Branch branch(pack_with(5, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    CHECK(branch.ask("SELECT count(*)>=1 FROM mart_decision") == "1");
    CHECK(branch.ask("SELECT count(*) FROM mart_decision WHERE choice_probability IS NULL OR choice_probability<=0") ==
          "0");
    CHECK(branch.ask("SELECT DISTINCT o.arm=d.arm, o.choice_probability=d.choice_probability, o.reasons=d.reasons, "
                     "o.policy=d.policy, o.model FROM "
                     "mart_offer o JOIN mart_decision d USING(offer_id) WHERE o.state='READY'") ==
          "1|1|1|1|acceptance@0");
    const std::string funnel = branch.ask("SELECT funnel FROM mart_decision ORDER BY number DESC LIMIT 1");
    CHECK(std::count(funnel.begin(), funnel.end(), ',') == 6);
    CHECK(funnel.starts_with("70,"));
    CHECK(funnel.ends_with(",1"));
  }

  TEST_CASE("an attempt costs a campaign what the pack says of its channel, and brings a return on it") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const std::string cost = branch.ask(
        "SELECT CASE t.channel WHEN 2 THEN 300 ELSE 15000 END FROM offer o JOIN "
        "offer_template t ON t.number=o.template WHERE o.state='READY'");
    const char* const campaign =
        "SELECT attempts, cost_minor, revenue_minor, return_on_cost FROM mart_campaign WHERE attempts>0";
    branch.tell("A", wire::Outcome{offer, "NO_ANSWER", "", 0, "", "desk"});
    CHECK(branch.ask(campaign) == "1|" + cost + "|0|0.0");
    branch.tell("A", wire::Outcome{offer, "ACCEPTED", "", 10 * std::stoi(cost), "", "desk"});
    CHECK(branch.ask(campaign) ==
          "2|" + std::to_string(2 * std::stoi(cost)) + "|" + std::to_string(10 * std::stoi(cost)) + "|5.0");
  }

  TEST_CASE("the holdout gets nothing, and the silence is a decision") {
    Branch branch(pack_with(0, 100));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "0");
    CHECK(branch.ask("SELECT arm, choice_probability, reasons, offer_id FROM mart_decision ORDER BY number") ==
          "rule|1.0|SU-02|\nholdout|1.0|NB-03|");  // before consent was given, and after
    CHECK(branch.ask("SELECT reasons, customers FROM mart_silence") == "NB-03|1");
    branch.at(kMonday + 20 * core::kDay).log().tick();
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == "2");  // the same silence goes on
  }

  TEST_CASE("an instalment brings its reminders and the ladder on their days, each once, in the queue of collection") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    lend(branch, 6);
    const auto collection = [&] {
      return branch.ask(
          "SELECT group_concat(action) FROM (SELECT action FROM mart_offer WHERE queue='collection' ORDER BY "
          "created_us)");
    };
    CHECK(collection() == "NULL");
    std::string should;
    for (const auto& [day, action] : std::vector<std::pair<int, std::string>>{{3, "instalment_reminder_3_days"},
                                                                              {5, "instalment_reminder_1_day"},
                                                                              {7, "overdue_notice"},
                                                                              {11, "overdue_call"},
                                                                              {21, "overdue_call_repeated"},
                                                                              {36, "overdue_restructuring_talk"},
                                                                              {66, "overdue_final_talk"}}) {
      CAPTURE(day);
      branch.at(kMonday + day * core::kDay - 1).log().tick();
      CHECK(collection() == (should.empty() ? "NULL" : should));
      branch.at(kMonday + day * core::kDay).log().tick();
      should += (should.empty() ? "" : ",") + action;
      CHECK(collection() == should);
    }
    CHECK(branch.ask(kOpen) == "overdue_final_talk");  // nothing is sold meanwhile
  }

  TEST_CASE("an instalment that is told while an offer stands brings its reminder on the day") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY' AND queue='marketing'") == "1");
    lend(branch, 12);  // far off: no condition answers differently yet
    const std::string stands = branch.ask(kOpen);
    branch.at(kMonday + 9 * core::kDay - 1).log().tick();
    CHECK(branch.ask(kOpen) == stands);
    branch.at(kMonday + 9 * core::kDay).log().tick();
    CHECK(branch.ask(kOpen) == "instalment_reminder_3_days");
  }

  TEST_CASE("what the customer spends most on is a reason to decide when it changes") {
    decide::PackFiles files = pack_with(0, 0);
    std::string& actions = files.at("actions.toml");
    const std::size_t at = actions.find("name = \"pet_insurance\"");
    REQUIRE(at != std::string::npos);
    actions.insert(at, "mandatory = true\n");
    Branch branch(files);
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 100'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE action='pet_insurance'") == "0");
    branch.tell("A", wire::Transaction{40'000, "RUB", "debit", 742, "", "", ""});  // a vet, and groceries still lead
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE action='pet_insurance'") == "0");
    branch.tell("A", wire::Transaction{70'000, "RUB", "debit", 742, "", "", ""});
    CHECK(branch.ask(kOpen) == "pet_insurance");
  }

  TEST_CASE("a soft rule of contact.toml weighs the action down in what is decided") {
    decide::PackFiles files = pack_with(0, 0);
    files.at("contact.toml") +=
        "\n[[rule]]\nid = \"soft\"\nsource = \"BUSINESS\"\npurpose = \"marketing\"\nscope = \"all\"\nchannel = "
        "\"all\"\nrolling_days = 30\nthreshold = 1\neffect = \"down_weight\"\nweight_percent = 40\nvalid_from = "
        "\"\"\nvalid_to = \"\"\n";
    Branch branch(files);
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const auto weight_of_last = [&] {
      return branch.ask(
          "SELECT round(100*priority/(p*c*v_minor*l*f)) FROM mart_decision WHERE offer_id<>'' ORDER BY number DESC "
          "LIMIT 1");
    };
    CHECK(weight_of_last() == "100.0");
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    branch.tell("A", wire::Outcome{offer, "PRICE", "", 0, "", "file"});
    branch.at(branch.now() + 20 * core::kDay).log().tick();  // a call is allowed again; one contact in thirty days
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    CHECK(weight_of_last() == "40.0");
    CHECK(branch.ask("SELECT reasons LIKE '%SU-15:40%' FROM mart_decision ORDER BY number DESC LIMIT 1") == "1");
  }

  TEST_CASE("a competitor's message is a reason to decide, and the offer that stands goes on") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    for (int at = 0; at < 4; ++at) branch.pay("A", 1'000'000);
    const std::string before = branch.ask(kOpen), decided = branch.ask("SELECT count(*) FROM mart_decision");
    branch.tell("A", wire::Sms{"bank", "Ромашка-банк: вклад 20 %"});
    CHECK(branch.ask(kOpen) == before);
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == decided);
    branch.at(kMonday + 40 * core::kDay).log().tick();  // what stood has expired: decided again
    branch.tell("A", wire::Sms{"bank", "Ромашка-банк: вклад 21 %"});
    CHECK(branch.ask("SELECT count(*)>" + decided + " FROM mart_decision") == "1");
  }

  TEST_CASE("without consent nothing is sold, and consent is a reason to decide; do-not-call ends it") {
    Branch branch(pack_with(0, 0));
    branch.meet("A");
    branch.pay("A", 6'000'000);
    CHECK(branch.ask("SELECT count(*) FROM mart_offer") == "0");
    CHECK(branch.ask("SELECT reasons FROM mart_silence") == "SU-02");
    branch.tell("A", wire::Consent{"marketing", "all", true, "form", ""});
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    branch.at(kMonday + core::kDay);
    branch.tell("A", wire::Restriction{"do_not_call", true, "customer", ""});
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY' AND queue='marketing'") == "0");
    CHECK(branch.ask("SELECT reasons FROM mart_silence") == "SU-01");
    lend(branch, 3);  // collection is another purpose
    CHECK(branch.ask(kOpen) == "instalment_reminder_3_days");
  }

  TEST_CASE("what was refused is not offered again, another action may be") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    for (int round = 0; round < 6; ++round) {
      const std::string open = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
      if (open.empty()) break;
      branch.tell("A", wire::Outcome{open, "PRICE", "", 0, "", "file"});
      branch.at(branch.now() + 15 * core::kDay).log().tick();
    }
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='DONE'") != "0");
    CHECK(branch.ask("SELECT count(*) FROM (SELECT action FROM mart_offer WHERE state='DONE' GROUP BY action HAVING "
                     "count(*)>1 AND max(created_us)-min(created_us)<60*86400000000)") == "0");
  }

  TEST_CASE("outcomes teach: at once, after two weeks of silence, and again when they are corrected") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const auto counts = [&] { return branch.ask("SELECT sum(positives), sum(negatives) FROM mart_acceptance"); };
    const auto told = [&](std::string_view id, std::string_view code, std::uint64_t version = 0) {
      branch.tell("A", wire::Outcome{offer, code, "", 0, "", "file"}, 0, id, version);
    };
    told("o1", "NO_ANSWER");
    CHECK(counts() == "0|0");  // never presented, never a label
    told("o2", "NOT_NOW");
    branch.at(branch.now() + 14 * core::kDay - 1).log().tick();
    CHECK(counts() == "0|0");
    branch.at(branch.now() + 1).log().tick();
    CHECK(counts() == "0|1");
    told("o3", "ACCEPTED");  // later after all
    CHECK(counts() == "1|0");
    told("o3", "PRICE", 1);
    CHECK(counts() == "0|1");
    CHECK(branch.ask("SELECT learnt FROM choice_fold") == "3");
    CHECK(branch.ask("SELECT count(*) FROM mart_acceptance WHERE negatives=1") == "1");
  }

  TEST_CASE("a corrected outcome is as if the first had never been told") {
    const auto learnt = [](bool is_corrected, bool is_taken_back) {
      Branch branch(pack_with(0, 0));
      std::vector<std::string> offers;
      for (const char* key : {"A", "B", "C", "D", "E", "F"}) {
        meet(branch, key, "2020-01-01");
        branch.pay(key, 6'000'000 + key[0] * 1'000);
        branch.ask("SELECT 1");
      }
      const auto told = [&](std::string_view key, std::string_view code, std::uint64_t version = 0) {
        const std::string offer =
            branch.ask("SELECT offer_id FROM mart_offer WHERE customer_key='" + std::string(key) + "' ORDER BY 1");
        static std::deque<std::string> kept;
        branch.tell(key, wire::Outcome{kept.emplace_back(offer.substr(0, 16)), code, "", 0, "", "file"}, 0,
                    kept.emplace_back("o" + std::string(key)), version);
      };
      if (is_corrected) told("A", "ACCEPTED");
      told("B", "PRICE");
      told("C", "ACCEPTED");
      if (is_taken_back)
        told("A", "NO_ANSWER", 1);  // nobody had been reached after all
      else
        told("A", "PRICE", 1);
      told("D", "ACCEPTED");
      told("E", "NOT_INTERESTED");
      return branch.ask(
          "SELECT n.name,a.positives,a.negatives,hex(a.bytes) FROM acceptance a JOIN name_of n ON n.what='acceptance' "
          "AND n.number=a.number WHERE a.positives+a.negatives>0 ORDER BY n.name");
    };
    for (const bool is_taken_back : {false, true}) {
      const std::string corrected = learnt(true, is_taken_back), never = learnt(false, is_taken_back);
      CHECK(corrected.size() > 1'000);
      CHECK(corrected == never);
    }
  }

  TEST_CASE("an order that is taken back leaves what the agent was told") {
    Branch branch(pack_with(0, 0));
    meet(branch, "A", "2020-01-01");
    branch.pay("A", 6'000'000);
    const std::string offer = branch.ask("SELECT offer_id FROM mart_offer WHERE state='READY'");
    const auto counts = [&] { return branch.ask("SELECT sum(positives), sum(negatives) FROM mart_acceptance"); };
    branch.tell("A", wire::Outcome{offer, "PRICE", "", 0, "", "file"});
    CHECK(counts() == "0|1");
    wire::Order order{"card", 1, 100, "RUB", "paid", offer};
    branch.tell("A", order, 0, "order", 1);
    CHECK(counts() == "1|0");
    order.status = "new";
    branch.tell("A", order, 0, "order", 2);
    CHECK(counts() == "0|1");
  }

  TEST_CASE("a pack without actions.toml decides as ever, and back") {
    Branch branch("original");
    meet(branch, "A");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == "0");
    CHECK(branch.ask("SELECT DISTINCT arm, choice_probability, reasons, model FROM mart_offer") == "rules|1.0|SG-01|");
    branch.log().pack(pack_with(0, 0));
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "1");
    branch.log().pack("original");
    CHECK(branch.ask("SELECT count(*) FROM mart_offer WHERE state='READY'") == "3");
  }

  TEST_CASE("what is asked about now stands on the same columns as what is decided") {
    int compared = 0;
    for (const int variant : {0, 1, 2}) {
      Branch branch(pack_with(0, 0));
      meet(branch, "A", "2020-01-01");
      branch.tell("A", wire::Login{true, "", ""});
      branch.tell("A", wire::Activity{"page", 3, 2});
      branch.tell("A", wire::Sms{"bank", "Ромашка-банк"});
      branch.tell("A", wire::HostVisit{"romashka-bank.example"});
      branch.tell("A", wire::SupportContact{"card", "phone"});
      branch.tell("A", wire::Holding{"ETF", "x", 1'000'000, 0, 5'000'000, "RUB", ""});
      branch.tell("A", wire::BillPayment{500, "RUB", "", "Completed"});
      for (int week = 0; week <= variant; ++week) {
        branch.at(kMonday + week * core::kWeek + core::kDay);
        branch.pay("A", 20'000'000);
      }
      if (variant == 2) lend(branch, 3);
      branch.at(branch.now() + 1);
      branch.ask("SELECT 1");
      auto reader = store::Database::open_reader(branch.file());
      app::ChoiceWorld world(reader);
      decide::Situation now;
      REQUIRE(world.read(reader, 1, now));
      store::Statement last(reader, "SELECT situation FROM decision WHERE offer>0 ORDER BY number DESC LIMIT 1");
      REQUIRE(last.step());
      if (variant == 2) {  // decided by the instalment that came last
        CHECK(last.text(0).starts_with(decide::situation_bytes(now)));
        CHECK(world.chooser->action(static_cast<std::size_t>(now.standing)).name == "instalment_reminder_3_days");
        CHECK(now.shown[static_cast<std::size_t>(now.standing)].told_instalment == now.instalment);
        ++compared;
      }
    }
    CHECK(compared == 1);
  }

  TEST_CASE("questions are answered and leave every table as it is") {
    Branch branch(pack_with(5, 5));
    for (const char* key : {"A", "B", "C"}) {
      meet(branch, key);
      branch.pay(key, 6'000'000);
    }
    lend(branch, 3);
    branch.ask("SELECT 1");
    const std::string before = file_hash(branch);
    {
      auto reader = store::Database::open_reader(branch.file());
      store::Statement offers(reader, "SELECT offer_id FROM mart_offer ORDER BY 1");
      std::vector<std::string> ids;
      while (offers.step()) ids.emplace_back(offers.text(0));
      REQUIRE(ids.size() >= 2);
      std::int64_t asked = 0;
      for (int round = rounds_of_questions(static_cast<int>(ids.size()) + 6); round > 0; --round) {
        asked += static_cast<std::int64_t>(ids.size()) + 6;
        for (const auto& id : ids) {
          const auto answer = app::explain_offer(reader, id);
          REQUIRE(answer["ok"] == true);
          CHECK(answer["funnel"]["library"] == 70);
          CHECK_FALSE(answer["reasons_ru"].empty());
          CHECK(answer["reasons_ru"] != answer["reasons_en"]);
        }
        for (const char* action :
             {"overdue_call", "kids_card", "instalment_reminder_3_days", "retention_personal_manager"}) {
          const auto answer = app::why_not(reader, "A", action);
          REQUIRE(answer["ok"] == true);
          REQUIRE(answer["candidates"].size() >= 1);
          CHECK_FALSE(answer["candidates"][0]["reasons_en"].empty());
        }
        CHECK(app::why_empty(reader, "collection")["ok"] == true);
        CHECK(app::why_not_then(reader, "A", "kids_card", 1)["ok"] == true);
      }
      MESSAGE(asked << " questions");
      CHECK(app::why_not(reader, "A", "overdue_call")["candidates"][0]["lost_at"] == "applicability");
      CHECK(app::why_not(reader, "A", "instalment_reminder_3_days")["stands"] == true);
      CHECK(app::why_not(reader, "A", "nonsense")["code"] == "NOT_FOUND");
      CHECK(app::why_not(reader, "Z", "overdue_call")["code"] == "NOT_FOUND");
      CHECK(app::explain_offer(reader, "00000000000000ff")["code"] == "NOT_FOUND");
      CHECK(app::why_empty(reader, "nonsense")["code"] == "NOT_FOUND");
    }
    CHECK(file_hash(branch) == before);
  }

  TEST_CASE("every stored decision can be asked why not, as of then and by the pack that decided") {
    Branch branch(pack_with(0, 0));
    branch.meet("A", "2020-01-01");
    branch.pay("A", 6'000'000);  // silence: no consent
    branch.tell("A", wire::Consent{"marketing", "all", true, "form", ""});
    lend(branch, 3);
    branch.at(kMonday + 2 * core::kDay).log().pack("original");
    branch.ask("SELECT 1");
    const std::string before = file_hash(branch);
    auto reader = store::Database::open_reader(branch.file());
    store::Statement decisions(reader, "SELECT number,action,candidate,reasons,funnel,seq FROM mart_decision");
    int silences = 0, offers = 0, asked = 0;
    const decide::Pack pack = decide::parse_pack(pack_with(0, 0));
    while (decisions.step()) {
      const std::int64_t number = decisions.integer(0);
      const std::string chosen(decisions.text(1));
      (chosen.empty() ? silences : offers) += 1;
      std::map<std::string, int> lost;
      for (const auto& action : pack.catalogue->actions) {
        const auto answer = app::why_not_then(reader, "A", action.name, number);
        REQUIRE(answer["ok"] == true);
        CHECK(answer["asof_seq"] == decisions.integer(5));
        CHECK(answer["candidates"].size() == action.channels.size());
        for (const auto& one : answer["candidates"]) {
          ++asked;
          ++lost[one["lost_at"]];
          CHECK_FALSE(one["reasons_ru"].empty());
          CHECK(one["is_chosen"] ==
                (std::string(decisions.text(2)) == action.name + "|" + one["channel"].get<std::string>()));
        }
      }
      // The funnel says the same: what a stage leaves is what it got less what was lost there.
      const auto funnel = app::explain_decision(reader, number)["funnel"];
      int left = funnel["library"];
      CHECK(left == 70);
      for (const char* stage : {"eligibility", "applicability", "suitability", "constraints"}) {
        left -= lost[stage];
        CHECK(funnel[stage] == left);
      }
    }
    CHECK(silences >= 1);
    CHECK(offers >= 2);
    CHECK(asked >= 210);
    const auto then = app::why_not_then(reader, "A", "cashback_category", 1);
    CHECK(then["reasons"] == "SU-02");
    CHECK(app::why_not_then(reader, "A", "nonsense", 1)["code"] == "NOT_FOUND");
    CHECK(app::why_not_then(reader, "A", "kids_card", 4'711)["code"] == "NOT_FOUND");
    CHECK(app::why_not_then(reader, "Z", "kids_card", 1)["code"] == "NOT_FOUND");
    CHECK(app::explain_decision(reader, 4'711)["code"] == "NOT_FOUND");
    CHECK(app::explain_decision(reader, 1)["reasons"] == "SU-02");
    const auto options = app::optionality(reader);
    CHECK(options["none"] == silences);
    CHECK(options["one"].get<int>() + options["two_to_four"].get<int>() + options["more"].get<int>() == offers);
    CHECK(options["more"] >= 1);
    CHECK(file_hash(branch) == before);
  }

  TEST_CASE("the grid has every candidate, and its stages count what the funnel counts") {
    Branch branch(pack_with(5, 5));
    meet(branch, "A");
    branch.pay("A", 6'000'000);
    lend(branch, 1);
    branch.ask("SELECT 1");
    auto reader = store::Database::open_reader(branch.file());
    const auto grid = app::decision_grid(reader, reader.integer("SELECT leader FROM identity WHERE display_key='A'"));
    REQUIRE(grid["ok"] == true);
    CHECK(grid["candidates"].size() == 70);
    std::map<std::string, int> fell;
    for (const auto& one : grid["candidates"]) {
      ++fell[one["lost_at"].get<std::string>()];
      CHECK((one["is_chosen"] == true || !one["reasons_en"].empty()));
      if (one["lost_at"] == "constraints" && one["reasons"] != "NB-17") CHECK_FALSE(one["contact_rules"].empty());
    }
    CHECK(fell[""] == 1);
    int left = 70;
    for (const char* stage : {"eligibility", "applicability", "suitability", "constraints", "arbitration"}) {
      left -= fell[stage];
      CHECK(grid["funnel"][stage] == left);
    }
    for (const char* action : {"overdue_call", "kids_card", "instalment_reminder_3_days"}) {
      const auto answer = app::why_not(reader, "A", action);
      for (const auto& one : grid["candidates"])
        if (one["action"] == action && one["channel"] == answer["candidates"][0]["channel"]) {
          CHECK(one["lost_at"] == answer["candidates"][0]["lost_at"]);
          CHECK(one["reasons"] == answer["candidates"][0]["reasons"]);
        }
    }
    CHECK(grid["chosen"] == app::why_not(reader, "A", "kids_card")["chosen"]);
    CHECK(app::decision_grid(reader, 999)["code"] == "NOT_FOUND");
  }

  TEST_CASE("a customer nobody knows gets no decision, and the question says so") {
    Branch branch(pack_with(0, 0));
    branch.pay("A", 100);
    CHECK(branch.ask("SELECT count(*) FROM mart_decision") == "0");
    auto reader = store::Database::open_reader(branch.file());
    const auto answer = app::why_not(reader, "A", "kids_card");
    CHECK(answer["reasons"] == "DQ-02");
    CHECK_FALSE(answer["reasons_en"].empty());
  }
}

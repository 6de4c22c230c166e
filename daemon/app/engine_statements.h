// The engine's small statements, prepared once.
#pragma once
#include "app/engine.h"
#include "store/paired_select.h"
#include "store/unsettled.h"

namespace tellerd::app {

// What an offer's facts say (offer_fact.what).
inline constexpr std::int64_t kOutcomeFact = 1, kOrderFulfilled = 2, kOrderCancelled = 3;

struct Engine::Statements {
  store::Statement put_week, find_week, drop_keys, put_keys, drop_waiting, put_waiting, quarantine, answer_quarantine,
      put_foreign, drop_foreign, covered_foreign, put_profile, find_profile, put_name, put_template, put_policy,
      put_coming, drop_coming, put_dpd, put_loan, clear_foreign, put_cell, drop_cell, drop_loan, put_dropped_loan,
      put_cursor, put_offer_fact, drop_offer_fact, put_promise, drop_promise, put_zone, drop_promises, drop_offers,
      drop_ends, drop_items, drop_facts, drop_labels, drop_decisions;
  store::PairedSelect find_contact, find_churn_reason;
  store::Unsettled<CustomerId, Contact> contacts;  // whom those two may not find as they are
  store::Unsettled<CustomerId> churn_reasons;

  explicit Statements(store::Database& db)
      : put_week(db, "INSERT OR IGNORE INTO week_mark(week,first_seq,first_offer,first_decision) VALUES(?,?,?,?)"),
        find_week(
            db, "SELECT first_seq,first_offer,first_decision FROM week_mark WHERE week<=? ORDER BY week DESC LIMIT 1"),
        drop_keys(db, "DELETE FROM key_run WHERE is_dated=1 AND last_seq<?"),
        put_keys(db, "REPLACE INTO key_run(first_seq,is_dated,last_seq,pairs) VALUES(?,?,?,?)"),
        drop_waiting(db, "DELETE FROM waiting_reference WHERE seq=?"),
        put_waiting(db, "INSERT INTO waiting_reference(seq,received_us,kind) VALUES(?,?,?)"),
        quarantine(db,
                   "INSERT OR REPLACE INTO quarantine(seq,at_us,producer,producer_seq,kind,reason,field,state,payload) "
                   "VALUES(?,?,?,?,?,?,?,'open',?)"),
        answer_quarantine(db, "UPDATE quarantine SET state=?2, answered_by=?3 WHERE seq=?1"),
        put_foreign(db, "INSERT OR IGNORE INTO foreign_fact(currency,occurred_us,seq,kind) VALUES(?,?,?,?)"),
        drop_foreign(db, "DELETE FROM foreign_fact WHERE seq<?"),
        covered_foreign(db,
                        "SELECT seq,kind FROM foreign_fact WHERE currency=? AND occurred_us>=? AND occurred_us<? ORDER "
                        "BY occurred_us,seq"),
        put_profile(db,
                    "REPLACE INTO "
                    "gold_profile(customer,profile_seq,name_masked,city,registered_on,client_code,region,gender,job_"
                    "type) VALUES(?,?,?,?,?,?,?,?,?)"),
        find_profile(db, "SELECT registered_on,client_code FROM gold_profile WHERE customer=?"),
        put_name(db, "REPLACE INTO name_of(what,number,name,level) VALUES(?,?,?,?)"),
        put_template(
            db,
            "INSERT INTO "
            "offer_template(number,queue,segment,action,type,name_ru,base_minor,priority,days_valid,issue,group_name,"
            "purpose,channel,credit,skills,treatment,parameters) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
        put_policy(db, "INSERT INTO policy_history(seq,at_us,name,hash,files) VALUES(?,?,?,?,?)"),
        put_coming(db, "INSERT INTO policy_coming(seq,at_us,name,hash,files) VALUES(?,?,?,?,?)"),
        drop_coming(db, "DELETE FROM policy_coming"),
        put_dpd(db,
                "INSERT INTO dpd_history(number,customer,loan_name,from_us,cause_seq,day,dpd,bucket) "
                "VALUES(?,?,?,?,?,?,?,?)"),
        put_loan(db,
                 "REPLACE INTO "
                 "gold_loan(customer,loan_name,place,loan_seq,amount_minor,planned_minor,start_date,dpd,bucket,"
                 "refreshed_on,left_bucket,moved_on) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"),
        clear_foreign(db, "DELETE FROM foreign_fact"),
        put_cell(db,
                 "REPLACE INTO gold_loan_cell(month,bucket,loans,overdue_loans,issued_minor,overdue_paid_minor) "
                 "VALUES(?,?,?,?,?,?)"),
        drop_cell(db, "DELETE FROM gold_loan_cell WHERE month=? AND bucket=?"),
        drop_loan(db, "DELETE FROM gold_loan WHERE customer=? AND loan_name=?"),
        put_dropped_loan(db, "INSERT INTO dropped_loan(key_hash) VALUES(?)"),
        put_cursor(db,
                   "UPDATE cursor SET "
                   "seq=?,now_us=?,received_us=?,week=?,day=?,derive_version=?,zone=?,pack_name=?,pack_hash=?,pack_seq="
                   "?,offer_count=?,segment_count=?,churn_count=?,dpd_count=?,first_offer=?,decisions_below=?,facts_"
                   "below=?,lines_before_us=?,is_"
                   "dropping=?,next_loan=?,loan_count=?"),
        put_offer_fact(db, "REPLACE INTO offer_fact(seq,number,what) VALUES(?,?,?)"),
        drop_offer_fact(db, "DELETE FROM offer_fact WHERE seq=?"),
        put_promise(db, "REPLACE INTO offer_promise(seq,number,customer,from_day,to_day,is_kept) VALUES(?,?,?,?,?,?)"),
        drop_promise(db, "DELETE FROM offer_promise WHERE seq=?"),
        put_zone(db, "REPLACE INTO contact_zone(customer,zone) VALUES(?,?)"),
        drop_promises(db, "DELETE FROM offer_promise WHERE number<?"),
        drop_offers(
            db,
            "DELETE FROM offer_made WHERE number IN (SELECT number FROM offer_made WHERE number<? ORDER BY 1 LIMIT ?)"),
        drop_ends(db,
                  "DELETE FROM offer_end WHERE number IN (SELECT number FROM offer_end WHERE number<?1 AND "
                  "number+count<=?1 ORDER BY 1 LIMIT ?2)"),
        drop_items(
            db,
            "DELETE FROM queue_item WHERE number IN (SELECT number FROM queue_item WHERE number<? ORDER BY 1 LIMIT ?)"),
        drop_facts(db,
                   "DELETE FROM offer_fact WHERE seq IN (SELECT seq FROM offer_fact WHERE number<? ORDER BY number,seq "
                   "LIMIT ?)"),
        drop_labels(db,
                    "DELETE FROM acceptance_label WHERE offer IN (SELECT offer FROM acceptance_label WHERE offer<? "
                    "ORDER BY 1 LIMIT ?)"),
        drop_decisions(
            db, "DELETE FROM decision WHERE number IN (SELECT number FROM decision WHERE number<? ORDER BY 1 LIMIT ?)"),
        find_contact(db, "SELECT name_masked,city,profile_seq FROM gold_profile WHERE customer=?"),
        find_churn_reason(db, "SELECT reasons FROM churn_reason WHERE customer=?") {}

  void put_quarantine(Seq seq, Instant at_us, std::string_view producer, std::int64_t producer_seq,
                      std::string_view kind, std::string_view reason, std::string_view field, std::string_view bytes) {
    quarantine.later(seq, at_us, producer, producer_seq, kind, reason, field, store::Blob{bytes});
  }
};

}  // namespace tellerd::app

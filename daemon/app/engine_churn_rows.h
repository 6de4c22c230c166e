// The engine's statements about churn models, prepared once, and what it remembers of scoring.
#pragma once
#include "app/engine.h"

namespace tellerd::app {

struct Engine::ChurnRows {
  std::vector<std::uint64_t> prints;                    // by customer: of the view last scored by the model in use
  store::Statement put_model, put_activation, put_fold, put_reason, drop_reason, find_model, last_accepted;
  explicit ChurnRows(store::Database& db)
      : put_model(db, "INSERT INTO churn_model(seq,at_us,id,trained_ms,state,reason,card,sealed) VALUES(?,?,?,?,?,?,json_remove(?,'$.booster','$.reference','$.used'),?)"),
        put_activation(db, "INSERT INTO churn_activation(seq,at_us,model,is_accepted,reason) VALUES(?,?,?,?,?)"),
        put_fold(db, "UPDATE churn_fold SET model=?,next_customer=?"),
        put_reason(db, "REPLACE INTO churn_reason(customer,reasons) VALUES(?,?)"),
        drop_reason(db, "DELETE FROM churn_reason WHERE customer=?"),
        find_model(db, "SELECT sealed FROM churn_model WHERE id=? AND state='recorded' ORDER BY seq LIMIT 1"),
        last_accepted(db, "SELECT model FROM churn_activation WHERE is_accepted=1 ORDER BY seq DESC LIMIT 1 OFFSET ?") {}
};

}  // namespace tellerd::app

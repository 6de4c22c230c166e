#include "deliver/json_rows.h"

namespace tellerd::deliver {

void put_columns(Json& object, const store::Statement& row) {
  for (int column = 0; column < row.columns(); ++column) {
    const std::string name(row.name(column));
    if (row.is_null(column))
      object[name] = nullptr;
    else if (row.is_text(column))
      object[name] = row.text(column);
    else if (row.is_real(column))
      object[name] = row.real(column);
    else
      object[name] = row.integer(column);
  }
}

Json json_rows(store::Statement& query) {
  Json rows = Json::array();
  while (query.step()) put_columns(rows.emplace_back(Json::object()), query);
  return rows;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace tellerd::deliver

#include "deliver/json_rows.h"

#include <cmath>
#include <utility>
#include <vector>

namespace tellerd::deliver {

// An object that is empty takes the columns as they come: names of one query differ, and looking each of them up among
// those before it would take most of the time.
void put_columns(Json& object, const store::Statement& row) {
  const auto value_of = [&row](int column) -> Json {
    if (row.is_null(column)) return nullptr;
    if (row.is_text(column)) return row.text(column);
    if (row.is_real(column)) return row.real(column);
    return row.integer(column);
  };
  if (!object.empty()) {
    for (int column = 0; column < row.columns(); ++column) object[std::string(row.name(column))] = value_of(column);
    return;
  }
  Json::object_t fields;
  std::vector<Json::object_t::value_type>& list = fields;
  list.reserve(static_cast<std::size_t>(row.columns()));
  for (int column = 0; column < row.columns(); ++column)
    list.emplace_back(std::string(row.name(column)), value_of(column));
  object = std::move(fields);
}

Json json_rows(store::Statement& query) {
  Json rows = Json::array();
  while (query.step()) put_columns(rows.emplace_back(Json::object()), query);
  return rows;
}

void put_row(JsonText& into, const store::Statement& row) {
  into.open();
  for (int column = 0; column < row.columns(); ++column) {
    if (row.is_text(column))
      into.put(row.name(column), row.text(column));
    else if (row.is_real(column) && std::isfinite(row.real(column)))
      into.put_digits(row.name(column), Json(row.real(column)).dump());  // 1.0 stays a real
    else if (row.is_real(column) || row.is_null(column))
      into.put_null(row.name(column));
    else
      into.put(row.name(column), row.integer(column));
  }
  into.end();
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace tellerd::deliver

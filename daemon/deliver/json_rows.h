// Rows of a query as JSON objects by column name.
#pragma once
#include <nlohmann/json.hpp>

#include "deliver/json_text.h"
#include "store/database.h"

namespace tellerd::deliver {

using Json = nlohmann::ordered_json;
void put_columns(Json& object, const store::Statement& row);  // the statement's present row
Json json_rows(store::Statement& query);                      // all rows, as an array
std::string dump(const Json& json);                           // bytes that are not UTF-8 are replaced
void put_row(JsonText& into, const store::Statement& row);    // the present row as an object, without a tree of values

}  // namespace tellerd::deliver

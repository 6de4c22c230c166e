// What a store holds of contacting customers, for a contact book: consents and restrictions from silver, contacts from
// those outcomes that name an offer, zones from profiles. The book must know the templates already. Threads: the
// caller's.
#pragma once
#include <cstdint>
#include <optional>

#include "decide/contact_book.h"
#include "store/database.h"

namespace tellerd::app {

// Of everybody, or of one leader and all whom aliases have joined to it.
void read_contacts(store::Database& database, std::optional<std::int64_t> leader, decide::ContactBook& into);

}  // namespace tellerd::app

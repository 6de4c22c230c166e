// Natural keys: what makes two events the same real-world fact (schema/README.md). Dated facts and holdings are told
// apart by the source's own id inside its system, the rest by what they are about.
#pragma once
#include <string>

#include "silver/rows.h"

namespace tellerd::silver {

// The key's text in `out` (cleared first): equal texts of one kind are one fact. `system` is the number of the
// customer's system; kinds without a customer have none.
void natural_key(const wire::Event& event, CustomerId customer, std::uint16_t system, std::string& out);
std::uint64_t key_hash(wire::Kind kind, std::string_view key) noexcept;
bool is_same_content(const wire::Event& a,
                     const wire::Event& b) noexcept;  // everything but version and keys of the customer

}  // namespace tellerd::silver

// What a fact counts for under a pack. Pure.
#pragma once
#include <cstdint>
#include <optional>

#include "core/time.h"
#include "decide/pack.h"
#include "gold/customer.h"
#include "gold/rates.h"
#include "silver/row.h"

namespace tellerd::app {

// Of kinds that have one: the amount in the branch's currency (nothing: no rate is known), or whether it names a
// competitor. Without a pack amounts count as they are.
std::optional<std::int64_t> mark_of(const wire::Event& event, const decide::Pack* pack, const gold::Rates& rates);
gold::Measure measure_of(const silver::Row& row, const decide::Pack* pack, const core::Calendar& calendar);
gold::Windows windows_of(const decide::Pack& pack);

}  // namespace tellerd::app

// Contact limits at work: what waits in each queue and may be taken now, what may not and by which rule, and when the
// next one opens. Asked of the book as it stands; the lock is held for a few hundred offers at a time.
// Threads: any.
#pragma once
#include "core/time.h"
#include "deliver/json_rows.h"
#include "deliver/queue_book.h"

namespace tellerd::app {

deliver::Json contact_limits(deliver::QueueBook& book, core::Instant now_us,
                             const std::vector<decide::ContactRule>& rules);

}  // namespace tellerd::app

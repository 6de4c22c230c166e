// What the feed has said on a topic, read again from teller.db (REPLAY of the queues, Replay of the questions).
// A topic that is not there is NOT_FOUND with those that are; a store that is not there yet, or is read for longer than
// two seconds, is RETRY_LATER. Threads: any; a connection of its own.
#pragma once
#include "app/config.h"
#include "deliver/desks.h"
#include "deliver/json_rows.h"

namespace tellerd::app {

// `messages` from a sequence number, or a time, on; at most 1,000 of them.
deliver::Json replayed(const Config& config, const deliver::Desks::Replay& asked);

}  // namespace tellerd::app

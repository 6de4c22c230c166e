// What an event may say (domain.md 6): structure, text, amount, value, time. A verdict is a value; nothing throws.
// The same bytes, received_us and now_us always get the same verdict, so the engine can ask again for a refused record.
#pragma once
#include <string_view>

#include "core/time.h"
#include "wire/batch.h"
#include "wire/codec.h"

namespace tellerd::ingest {

struct Judgement {
  wire::VerdictCode code = wire::VerdictCode::kAccepted;
  std::string_view field;  // which field, or where; lives as long as the bytes
  bool is_accepted() const noexcept { return code == wire::VerdictCode::kAccepted; }
};

// Everything but time. On acceptance `event` is decoded (texts as Decoder says).
Judgement judge_content(std::string_view bytes, wire::Decoder& decoder, wire::Event& event);
// FROM_FUTURE, by the moment it came; then, once the record's now_us is known, TOO_OLD.
Judgement judge_future(const wire::Event& event, core::Instant received_us) noexcept;
Judgement judge_age(const wire::Event& event, core::Instant now_us) noexcept;

}  // namespace tellerd::ingest

// Event bytes ⇄ plain structs. decode() must only see bytes that verify() has passed (the recorder has; bronze keeps
// them). Bounds: depth, tables and sizes of core/limits.h, never the library's defaults. Threads: one codec object a
// thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "wire/facts.h"

namespace tellerd::wire {

// Structure only: offsets, bounds, identifier. What an event says is judged in ingest/admission.h.
bool verify_event(std::string_view bytes) noexcept;

// Bytes to an Event whose texts view the given bytes, or, when those are not aligned to eight, a copy inside the
// decoder that lives until the next decode.
class Decoder {
 public:
  Event decode(std::string_view bytes);
  static Event decode_head(std::string_view bytes);  // all but the body, of bytes at an address divisible by eight
  std::string_view aligned(std::string_view bytes);  // the same bytes at an address divisible by eight

 private:
  std::unique_ptr<char[]> scratch_;
  std::size_t scratch_bytes_ = 0;
};

// An Event to bytes; the view lives until the next encode.
class Encoder {
 public:
  Encoder();
  ~Encoder();
  std::string_view encode(const Event& event);

 private:
  struct Builder;
  std::unique_ptr<Builder> builder_;
};

}  // namespace tellerd::wire

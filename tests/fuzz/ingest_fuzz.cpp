// libFuzzer at the front door: any bytes as a frame, as one event, and as an acknowledgement. Built with TELLERD_FUZZ.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/judge.h"

namespace {

void must_be_right(const char* wrong) {
  if (!*wrong) return;
  std::fprintf(stderr, "wrong: %s\n", wrong);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  must_be_right(tellerd::test::wrong_with_frame(bytes));
  must_be_right(tellerd::test::wrong_with_event(bytes));
  tellerd::wire::Ack ack;
  const tellerd::test::Exact given(bytes);
  if (tellerd::wire::parse_ack(given.view(), ack) && tellerd::wire::build_ack(ack).empty()) std::abort();
  return 0;
}

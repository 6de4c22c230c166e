// Writes the golden messages into a folder, one a file, for the fuzzer to start from: fuzz_seeds FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "support/golden_events.h"
#include "wire/batch.h"
#include "wire/codec.h"

namespace {

bool write(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return static_cast<bool>(out.flush());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n"), 2;
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  using namespace tellerd;
  wire::Encoder encoder;
  wire::BatchBuilder all;
  all.start();
  bool is_written = true;
  for (const auto& event : test::golden_events()) {
    const std::string bytes(encoder.encode(event));
    const std::string name(wire::name_of(event.kind()));
    wire::BatchBuilder one;
    one.start();
    one.add(bytes);
    all.add(bytes);
    is_written = write(folder / (name + ".event"), bytes) &&
                 write(folder / (name + ".batch"), one.finish("fuzz", 7, 1, false)) && is_written;
  }
  wire::Ack ack{wire::AckCode::kAccepted, 3, 4, 4, 0, {{2, wire::VerdictCode::kBadAmount, "amount_minor"}}, "text"};
  is_written = write(folder / "all.batch", all.finish("fuzz", 7, 1, true)) &&
               write(folder / "hello", wire::build_hello("fuzz", 7)) && write(folder / "ack", wire::build_ack(ack)) &&
               is_written;
  return is_written ? 0 : 1;
}

#include "tellerctl/bench/floor_server.h"

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

#include "core/embedded.h"
#include "core/fault.h"
#include "core/limits.h"
#include "ingest/sockets.h"
#include "store/database.h"
#include "wire/batch.h"
#include "wire/codec.h"

namespace tellerd::tellerctl::bench {
namespace {

namespace limits = core::limits;
constexpr std::int64_t kWalBytesBeforeCheckpoint = 4 << 20;  // as bronze::Log

std::int64_t us_of(auto clock) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.time_since_epoch()).count();
}

store::Database opened(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  store::WriterOptions options;  // as bronze::Log
  options.page_bytes = 16384;
  options.cache_kib = 4096;
  auto database = store::Database::open_writer(folder / "floor.db", options);
  database.execute(core::embedded_file("schema/sql/bronze.sql"));
  return database;
}

class Floor {
 public:
  Floor(const std::filesystem::path& folder, const std::string& endpoint)
      : database_(opened(folder)),
        insert_(database_,
                "INSERT INTO record(seq,now_us,received_us,producer,producer_seq,kind,crc,payload) "
                "VALUES(?,?,?,?,?,?,?,?)"),
        router_(ingest::bound_router(context_, {endpoint})) {}

  void accept_once() {
    zmq::pollitem_t item{router_.handle(), 0, ZMQ_POLLIN, 0};
    zmq::poll(&item, 1, std::chrono::milliseconds(200));
    const std::int64_t started_us = us_of(std::chrono::steady_clock::now());
    received_us_ = us_of(std::chrono::system_clock::now());
    std::int64_t taken = 0;
    std::vector<zmq::message_t> parts;
    while (taken < static_cast<std::int64_t>(limits::kCommitEventsMax)) {
      parts.clear();
      if (!zmq::recv_multipart(router_, std::back_inserter(parts), zmq::recv_flags::dontwait)) break;
      if (parts.size() == 2) taken += take(std::move(parts[0]), parts[1].to_string_view());
      if (us_of(std::chrono::steady_clock::now()) - started_us > limits::kCommitUsMax) break;
    }
    if (transaction_) {
      transaction_->commit();
      transaction_.reset();
    }
    for (auto& [peer, frame] : answers_) {
      router_.send(peer, zmq::send_flags::sndmore);
      router_.send(zmq::buffer(frame), zmq::send_flags::none);
    }
    answers_.clear();
    if (database_.unfolded_bytes() > kWalBytesBeforeCheckpoint) database_.checkpoint(false);
  }

 private:
  std::int64_t take(zmq::message_t peer, std::string_view bytes) {
    wire::Ack ack;
    const auto parsed = wire::parse_frame(at_eight(bytes), batch_);
    if (!std::holds_alternative<wire::BatchView*>(parsed)) {
      ack.code = std::holds_alternative<wire::HelloView>(parsed) ? wire::AckCode::kHello : wire::AckCode::kInvalid;
      answers_.emplace_back(std::move(peer), wire::build_ack(ack));
      return 0;
    }
    if (!transaction_) transaction_.emplace(database_);
    auto producer_seq = static_cast<std::int64_t>(batch_.first_seq);
    for (const std::string_view event : batch_.events) {
      if (!wire::verify_event(decoder_.aligned(event)))
        throw core::Fault(core::Exit::kFailed, "an event of the benchmark is malformed");
      insert_.bind(1, ++seq_).bind(2, received_us_).bind(3, received_us_).bind(4, std::int64_t{1});
      insert_.bind(5, producer_seq++).bind(6, std::int64_t{1}).bind(7, std::int64_t{0}).bind_blob(8, event);
      insert_.run();
    }
    ack.through_seq = static_cast<std::uint64_t>(producer_seq - 1);
    ack.commit_seq = static_cast<std::uint64_t>(seq_);
    answers_.emplace_back(std::move(peer), wire::build_ack(ack));
    return static_cast<std::int64_t>(batch_.events.size());
  }

  // A message may lie anywhere; the parser wants an address divisible by eight.
  std::string_view at_eight(std::string_view bytes) {
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0) return bytes;
    if (!frame_) frame_ = std::make_unique<char[]>(limits::kFrameBytesMax);
    std::memcpy(frame_.get(), bytes.data(), bytes.size());
    return {frame_.get(), bytes.size()};
  }

  store::Database database_;
  store::Statement insert_;
  std::optional<store::Transaction> transaction_;
  zmq::context_t context_;
  zmq::socket_t router_;
  std::unique_ptr<char[]> frame_;
  wire::Decoder decoder_;
  wire::BatchView batch_;
  std::vector<std::pair<zmq::message_t, std::string>> answers_;
  std::int64_t seq_ = 0, received_us_ = 0;
};

}  // namespace

void run_floor_server(const std::filesystem::path& folder, const std::string& endpoint) {
  Floor floor(folder, endpoint);
  for (;;) floor.accept_once();
}

}  // namespace tellerd::tellerctl::bench

#include "wire/batch.h"

#include <flatbuffers/flatbuffers.h>

#include "core/assert.h"
#include "core/limits.h"
#include "schema/ack_generated.h"
#include "schema/batch_generated.h"
#include "schema/hello_generated.h"

namespace tellerd::wire {
namespace {

namespace limits = core::limits;

std::string_view view_of(const flatbuffers::String* text) noexcept {
  return text ? std::string_view(text->c_str(), text->size()) : std::string_view();
}

flatbuffers::Verifier verifier_of(std::string_view frame, flatbuffers::uoffset_t tables_max) {
  return {reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size(), limits::kVerifyDepthMax, tables_max};
}

bool has_identifier(std::string_view frame, const char* identifier) {
  return frame.size() >= limits::kEventBytesMin && flatbuffers::BufferHasIdentifier(frame.data(), identifier);
}

const char* why_bad_producer(std::string_view producer, std::uint64_t incarnation) {
  if (producer.empty()) return "producer is empty";
  if (producer.size() > limits::kProducerNameBytesMax) return "producer name is too long";
  if (incarnation == 0) return "incarnation is 0: make a random one at the producer's first start and keep it";
  return nullptr;
}

}  // namespace

std::string_view name_of(AckCode code) noexcept {
  switch (code) {
    case AckCode::kHello:
      return "HELLO";
    case AckCode::kAccepted:
      return "ACCEPTED";
    case AckCode::kDuplicate:
      return "DUPLICATE";
    case AckCode::kConflict:
      return "CONFLICT";
    case AckCode::kGap:
      return "GAP";
    case AckCode::kRetryAfter:
      return "RETRY_AFTER";
    case AckCode::kInvalid:
      return "INVALID";
  }
  return "?";
}

std::string_view name_of(VerdictCode code) noexcept {
  switch (code) {
    case VerdictCode::kAccepted:
      return "ACCEPTED";
    case VerdictCode::kMalformed:
      return "MALFORMED";
    case VerdictCode::kUnknownKind:
      return "UNKNOWN_KIND";
    case VerdictCode::kMissingField:
      return "MISSING_FIELD";
    case VerdictCode::kBadText:
      return "BAD_TEXT";
    case VerdictCode::kBadAmount:
      return "BAD_AMOUNT";
    case VerdictCode::kBadTime:
      return "BAD_TIME";
    case VerdictCode::kBadValue:
      return "BAD_VALUE";
    case VerdictCode::kTooOld:
      return "TOO_OLD";
    case VerdictCode::kFromFuture:
      return "FROM_FUTURE";
    case VerdictCode::kUnreadable:
      return "UNREADABLE";
    case VerdictCode::kTooLarge:
      return "TOO_LARGE";
  }
  return "?";
}

std::variant<BatchView*, HelloView, Malformed> parse_frame(std::string_view frame, BatchView& batch) {
  if (frame.size() > limits::kFrameBytesMax) return Malformed{"the frame is larger than 1 MiB"};
  if (has_identifier(frame, schema::HelloIdentifier())) {
    auto verifier = verifier_of(frame, 4);
    if (!schema::VerifyHelloBuffer(verifier)) return Malformed{"the Hello does not verify"};
    const auto* hello = schema::GetHello(frame.data());
    const HelloView view{view_of(hello->producer()), hello->incarnation()};
    if (const char* why = why_bad_producer(view.producer, view.incarnation)) return Malformed{why};
    return view;
  }
  if (!has_identifier(frame, schema::EventBatchIdentifier())) return Malformed{"neither an EventBatch nor a Hello"};
  auto verifier = verifier_of(frame, limits::kBatchEventsMax + 2);
  if (!schema::VerifyEventBatchBuffer(verifier)) return Malformed{"the EventBatch does not verify"};
  const auto* root = schema::GetEventBatch(frame.data());
  batch.producer = view_of(root->producer());
  batch.incarnation = root->incarnation();
  batch.first_seq = root->first_seq();
  batch.is_backfill = root->backfill();
  if (const char* why = why_bad_producer(batch.producer, batch.incarnation)) return Malformed{why};
  if (batch.first_seq == 0 || batch.first_seq > UINT64_MAX / 4) return Malformed{"first_seq must be from 1 to 2^62"};
  if (root->events()->size() == 0) return Malformed{"the EventBatch holds no events"};
  if (root->events()->size() > limits::kBatchEventsMax) return Malformed{"the EventBatch holds more than 8192 events"};
  batch.events.clear();
  for (const auto* event : *root->events())
    batch.events.emplace_back(reinterpret_cast<const char*>(event->data()->data()), event->data()->size());
  return &batch;
}

std::string build_ack(const Ack& ack) {
  flatbuffers::FlatBufferBuilder fbb(256);
  std::vector<flatbuffers::Offset<schema::Verdict>> verdicts;
  for (const auto& verdict : ack.verdicts)
    verdicts.push_back(schema::CreateVerdictDirect(fbb, verdict.seq, static_cast<schema::VerdictCode>(verdict.code),
                                                   verdict.field.empty() ? nullptr : verdict.field.c_str()));
  fbb.Finish(schema::CreateBatchAckDirect(fbb, static_cast<schema::AckCode>(ack.code), ack.through_seq, ack.commit_seq,
                                          ack.expected_seq, ack.retry_ms, verdicts.empty() ? nullptr : &verdicts,
                                          ack.text.empty() ? nullptr : ack.text.c_str()),
             schema::BatchAckIdentifier());
  return {reinterpret_cast<const char*>(fbb.GetBufferPointer()), fbb.GetSize()};
}

bool parse_ack(std::string_view frame, Ack& ack) {
  if (!has_identifier(frame, schema::BatchAckIdentifier())) return false;
  auto verifier = verifier_of(frame, limits::kBatchEventsMax + 2);
  if (!schema::VerifyBatchAckBuffer(verifier)) return false;
  const auto* root = schema::GetBatchAck(frame.data());
  ack.code = static_cast<AckCode>(root->code());
  ack.through_seq = root->through_seq();
  ack.commit_seq = root->commit_seq();
  ack.expected_seq = root->expected_seq();
  ack.retry_ms = root->retry_ms();
  ack.text = view_of(root->text());
  ack.verdicts.clear();
  if (root->verdicts())
    for (const auto* verdict : *root->verdicts())
      ack.verdicts.push_back(
          {verdict->seq(), static_cast<VerdictCode>(verdict->code()), std::string(view_of(verdict->field()))});
  return true;
}

std::string build_hello(std::string_view producer, std::uint64_t incarnation) {
  flatbuffers::FlatBufferBuilder fbb(128);
  const auto name = fbb.CreateString(producer.data(), producer.size());
  fbb.Finish(schema::CreateHello(fbb, name, incarnation), schema::HelloIdentifier());
  return {reinterpret_cast<const char*>(fbb.GetBufferPointer()), fbb.GetSize()};
}

struct BatchBuilder::Builder {
  flatbuffers::FlatBufferBuilder fbb{64u << 10};
  std::vector<flatbuffers::Offset<schema::EventBytes>> events;
};

BatchBuilder::BatchBuilder() : builder_(std::make_unique<Builder>()) {}
BatchBuilder::~BatchBuilder() = default;

void BatchBuilder::start() {
  builder_->fbb.Clear();
  builder_->events.clear();
}

void BatchBuilder::add(std::string_view event) {
  auto& fbb = builder_->fbb;
  fbb.ForceVectorAlignment(event.size(), 1, 16);
  const auto data = fbb.CreateVector(reinterpret_cast<const std::uint8_t*>(event.data()), event.size());
  builder_->events.push_back(schema::CreateEventBytes(fbb, data));
}

std::size_t BatchBuilder::events() const noexcept { return builder_->events.size(); }
std::size_t BatchBuilder::bytes() const noexcept { return builder_->fbb.GetSize() + 4 * builder_->events.size() + 512; }

std::string_view BatchBuilder::finish(std::string_view producer, std::uint64_t incarnation, std::uint64_t first_seq,
                                      bool is_backfill) {
  auto& fbb = builder_->fbb;
  const auto events = fbb.CreateVector(builder_->events);
  const auto name = fbb.CreateString(producer.data(), producer.size());
  fbb.Finish(schema::CreateEventBatch(fbb, name, incarnation, first_seq, events, is_backfill),
             schema::EventBatchIdentifier());
  return {reinterpret_cast<const char*>(fbb.GetBufferPointer()), fbb.GetSize()};
}

}  // namespace tellerd::wire

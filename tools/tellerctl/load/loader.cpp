#include "tellerctl/load/loader.h"

#include <optional>
#include <utility>
#include <variant>

#include "core/checksum.h"
#include "core/fault.h"
#include "core/limits.h"
#include "core/text.h"
#include "tellerctl/load/file_bytes.h"
#include "tellerctl/load/rows.h"
#include "wire/codec.h"

namespace tellerd::tellerctl {
namespace {

constexpr std::uint64_t kRowsPerProgress = 2048;
constexpr const char* kPartsProducer = "parts:loans";

// At most `bytes_max`, without cutting a character in two.
std::string_view bounded(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80) --end;
  return text.substr(0, end);
}

// One file: its rows, and what makes an event of each.
class FileEvents {
 public:
  FileEvents(const std::filesystem::path& file, std::string_view bytes, const core::Calendar& calendar,
             const Source* source, const ColumnMap& map, std::string_view system, wire::Kind kind)
      : name_(file.filename().string()),
        source_(source),
        map_(map),
        translator_(calendar),
        reader_(calendar, system, source ? source->kind : kind),
        rows_(file.extension() == ".csv" ? std::variant<CsvRows, JsonRows>(std::in_place_type<CsvRows>, bytes)
                                         : std::variant<CsvRows, JsonRows>(std::in_place_type<JsonRows>, bytes)) {}

  bool next() {
    return std::visit([this](auto& rows) { return rows.next(row_); }, rows_);
  }
  std::size_t position() const {
    return std::visit([](const auto& rows) { return rows.position(); }, rows_);
  }
  const std::vector<std::string>* header() const {
    const auto* csv = std::get_if<CsvRows>(&rows_);
    return csv ? &csv->header() : nullptr;
  }

  // The bytes of the row's event; they live until the next call.
  std::string_view encode() {
    if (row_.refusal) return encode_unreadable(*row_.refusal);
    const auto made = reader_.assemble(fields());
    if (const auto* refusal = std::get_if<wire::Refusal>(&made)) return encode_unreadable(*refusal);
    const std::string_view bytes = encoder_.encode(*std::get<const wire::Event*>(made));
    if (bytes.size() <= core::limits::kEventBytesMax) return bytes;
    return encode_unreadable({wire::VerdictCode::kBadText, "", "is over 64 KiB"});
  }

 private:
  std::span<const wire::Field> fields() {
    if (source_) return translator_.translate(*source_, row_.fields);
    if (!map_.empty()) return translator_.rename(map_, row_.fields);
    if (std::holds_alternative<CsvRows>(rows_)) return translator_.without_empty(row_.fields);
    return row_.fields;
  }

  std::string_view encode_unreadable(const wire::Refusal& refusal) {
    const std::string place = name_ + ":" + std::to_string(row_.line);
    wire::Event event;
    event.body =
        wire::Unreadable{wire::name_of(refusal.code), bounded(refusal.field, core::limits::kNameBytesMax),
                         bounded(row_.raw, core::limits::kTextBytesMax), bounded(place, core::limits::kNameBytesMax)};
    return encoder_.encode(event);
  }

  std::string name_;
  const Source* source_;
  const ColumnMap& map_;
  Translator translator_;
  wire::EventReader reader_;
  std::variant<CsvRows, JsonRows> rows_;
  Row row_;
  wire::Encoder encoder_;
};

// A table whose columns cannot be understood is a mistake in the command, not ten thousand bad rows.
void check_header(const std::filesystem::path& file, const std::vector<std::string>& header, const Source* source,
                  const ColumnMap& map, wire::Kind kind) {
  const auto has = [&header](std::string_view name) {
    for (const auto& column : header)
      if (column == name) return true;
    return false;
  };
  const auto refuse = [&file](const std::string& why) {
    throw core::Fault(core::Exit::kFailed, file.string() + ": " + why);
  };
  if (header.empty()) return;
  if (source) {
    for (const Column& column : source->columns)
      if (!has(column.column))
        refuse("there is no column " + std::string(column.column) + " as this source has it; give --kind and --map");
    return;
  }
  for (const auto& [column, field] : map)
    if (!has(column)) refuse("there is no column " + column + ", which the --map file names");
  bool names_kind = map.empty() && has("kind");
  for (const auto& [column, field] : map) names_kind = names_kind || field == "kind";
  if (kind == wire::Kind::kNone && !names_kind) refuse("the file does not say what its rows are; give --kind");
}

std::string_view encode_end(wire::Encoder& encoder, std::string_view note) {
  wire::Event event;
  event.body = wire::BackfillEnd{note};
  return encoder.encode(event);
}

}  // namespace

Loader::Loader(const LoadOptions& options, OnProgress on_progress)
    : options_(options), on_progress_(std::move(on_progress)), calendar_(options.timezone) {
  if (!options_.kind.empty()) kind_ = wire::kind_named(options_.kind);
  if (!options_.kind.empty() && kind_ == wire::Kind::kNone)
    throw core::Fault(core::Exit::kFailed, options_.kind + " is no kind of event");
  if (!options_.map.empty()) map_ = read_column_map(options_.map);
}

// The same file read in another way is another stream of events.
std::uint64_t Loader::reading() const {
  if (options_.kind.empty() && options_.system.empty() && map_.empty()) return 1;
  std::string way = options_.kind + "\n" + options_.system;
  for (const auto& [column, field] : map_) way += "\n" + column + "=" + field;
  return core::hash64(way) | 2;
}

IngestOptions Loader::producer(std::string name, std::uint64_t incarnation) const {
  IngestOptions producer;
  producer.endpoint = options_.endpoint;
  producer.producer = std::move(name);
  producer.incarnation = incarnation;
  producer.is_backfill = options_.is_backfill;
  producer.patience = options_.patience;
  producer.where = options_.where;
  return producer;
}

FileReport Loader::load(const std::filesystem::path& file, bool is_more) {
  const auto started = Clock::now();
  FileReport report;
  report.file = file;
  const bool is_own = options_.kind.empty() && options_.map.empty();
  const Source* source = is_own ? source_of(file) : nullptr;
  const FileBytes bytes(file);
  const std::string_view own_system = source ? source->system : "main";
  FileEvents events(file, bytes.view(), calendar_, source, map_, options_.system.empty() ? own_system : options_.system,
                    kind_);
  if (const auto* header = events.header()) check_header(file, *header, source, map_, kind_);

  IngestClient client(producer("load:" + bytes.sha256(), reading()), [&report](const wire::Verdict& verdict) {
    ++report.refused;
    ++report.reasons[std::string(wire::name_of(verdict.code))];
  });
  client.hello();
  for (; events.next(); ++report.rows) {
    if (client.is_next_known()) {
      client.skip_next();
      ++report.known_before;
    } else {
      client.add(events.encode());
    }
    if (on_progress_ && report.rows % kRowsPerProgress == 0) {
      report.seconds = std::chrono::duration<double>(Clock::now() - started).count();
      on_progress_(report, events.position(), bytes.view().size());
    }
  }
  if (wire::Encoder encoder; !is_more || !options_.is_backfill) client.add(encode_end(encoder, "end of load"));
  client.flush();
  report.commit_seq = client.commit_seq();
  report.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  return report;
}

std::uint64_t Loader::last_part() { return IngestClient(producer(kPartsProducer, 1)).hello(); }

std::uint64_t Loader::note_part(std::uint64_t part) {
  IngestClient client(producer(kPartsProducer, 1));
  if (client.hello() + 1 != part)
    throw core::Fault(core::Exit::kFailed,
                      "another load has finished part " + std::to_string(client.mark()) + " meanwhile");
  const std::string note = "part " + std::to_string(part);
  wire::Encoder encoder;
  while (client.next_seq() < part) client.skip_next();
  client.add(encode_end(encoder, note));
  client.flush();
  return client.commit_seq();
}

}  // namespace tellerd::tellerctl

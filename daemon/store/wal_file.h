// Room for a write-ahead log before it is needed. Errors: core::Fault(kDisk). Source: ext4's fdatasync waits for a
// journal commit, with all that others have written meanwhile, when the file has grown, and for its own pages alone
// when not.
#pragma once
#include <cstdint>
#include <filesystem>

namespace tellerd::store {

// Makes the log of an open database that large: zeros behind what is there, and on disk. Where that would take more
// than a small part of the room that is left, it stays as it is, and grows as it is written.
void lay_out_wal(const std::filesystem::path& database, std::int64_t bytes);

}  // namespace tellerd::store

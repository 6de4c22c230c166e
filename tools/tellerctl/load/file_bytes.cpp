#include "tellerctl/load/file_bytes.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/fault.h"

namespace tellerd::tellerctl {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const char* why) {
  throw core::Fault(core::Exit::kFailed, file.string() + " cannot be read: " + why);
}

}  // namespace

FileBytes::FileBytes(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse(file, std::strerror(errno));
  struct stat found {};
  const bool is_file = ::fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
  const auto size = static_cast<std::size_t>(found.st_size);
  void* bytes = is_file && size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : nullptr;
  const int error = errno;
  ::close(descriptor);
  if (!is_file) refuse(file, "it is no regular file (tellerctl send reads events from standard input)");
  if (bytes == MAP_FAILED) refuse(file, std::strerror(error));
  if (bytes == nullptr) return;
  ::madvise(bytes, size, MADV_SEQUENTIAL);
  bytes_ = {static_cast<const char*>(bytes), size};
}

FileBytes::~FileBytes() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

std::string FileBytes::sha256() const {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
  std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
  return sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
}

}  // namespace tellerd::tellerctl

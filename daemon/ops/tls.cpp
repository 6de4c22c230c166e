#include "ops/tls.h"

#include <civetweb.h>
#include <dlfcn.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "core/fault.h"

namespace tellerd::ops {
namespace {

// Beside the program where it was built, else where the package puts them.
std::filesystem::path folder() {
  std::error_code none;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / "tls";
  return std::filesystem::exists(beside / "libssl.so", none) ? beside : "/usr/lib/tellerd/tls";
}

}  // namespace

void bring_in_tls() {
  for (const char* name : {"libcrypto.so", "libssl.so"}) {
    const std::string file = (folder() / name).string();
    if (!dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL))
      throw core::Fault(core::Exit::kConfig, fmt::format("TLS is not available: {}", dlerror()));
  }
  if ((mg_init_library(MG_FEATURES_TLS) & MG_FEATURES_TLS) == 0)
    throw core::Fault(core::Exit::kConfig, "TLS is not available: CivetWeb does not find OpenSSL");
}

void check_certificate(const std::filesystem::path& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0)
    throw core::Fault(core::Exit::kConfig, fmt::format("{} is not there: http.tls_certificate names a PEM file with "
                                                       "the certificate and its key",
                                                       file.string()));
  if ((about.st_mode & 077) != 0)
    throw core::Fault(core::Exit::kConfig, fmt::format("{} can be read by others: chmod 600 it", file.string()));
  std::ifstream in(file);
  std::stringstream bytes;
  bytes << in.rdbuf();
  for (const char* part : {"-----BEGIN CERTIFICATE-----", "PRIVATE KEY-----"})
    if (bytes.str().find(part) == std::string::npos)
      throw core::Fault(core::Exit::kConfig,
                        fmt::format("{} has no \"{}\": it must hold the certificate and its key", file.string(), part));
}

}  // namespace tellerd::ops

// TLS for the pages. CivetWeb as Debian ships it looks for OpenSSL under names that are not there and then takes any
// client down with it, so two small libraries of ours (ops/tls/) bring OpenSSL 3 in under those names first.
// Errors: core::Fault(kConfig) when they are missing or CivetWeb still has no TLS: never a server that falls over
// later.
#pragma once
#include <filesystem>

namespace tellerd::ops {

// Before the library's first use; any number of times. mg_init_library with TLS is then safe.
void bring_in_tls();

// A PEM file with the certificate and its key: there, not readable by others, with both parts in it.
void check_certificate(const std::filesystem::path& file);

}  // namespace tellerd::ops

// A bug is ours: say where and abort, in every build; bronze is safe and systemd starts us again.
#pragma once

namespace tellerd::core {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}

#define TELLERD_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::tellerd::core::assertion_failed(#condition, __FILE__, __LINE__))

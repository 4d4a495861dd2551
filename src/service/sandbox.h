// SPDX-License-Identifier: Apache-2.0
// What a process gives up before it looks at bytes of others: it keeps its memory, its threads and
// the files that are open, and can open, connect, run and signal nothing.
#pragma once

#include <cstdint>

namespace affiche::service {

struct SandboxLimits {
  std::uint64_t memory = std::uint64_t{2} << 30;  // bytes beyond what is mapped already
  unsigned cpu_seconds = 20;
};

// For the whole process and for ever: resource limits, no new privileges, and a seccomp filter that
// answers EPERM to every system call that is not in its list. Unavailable when the kernel has no
// seccomp: then nothing foreign may be decoded here.
void enter_sandbox(const SandboxLimits& limits);

}  // namespace affiche::service

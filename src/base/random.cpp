// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <vector>

#include "base/error.h"
#include "base/hex.h"

namespace affiche {

std::string random_hex(std::size_t bytes) {
  std::vector<std::uint8_t> noise(bytes);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t count = ::getrandom(noise.data() + done, bytes - done, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(Cause::Internal, "getrandom: the kernel gives no random bytes");
    done += static_cast<std::size_t>(count);
  }
  return to_hex(noise);
}

}  // namespace affiche

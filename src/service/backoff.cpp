// SPDX-License-Identifier: Apache-2.0
#include "service/backoff.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/random.h"

namespace affiche::service {

Millis retry_delay(const store::Backoff& backoff, int attempts, double unit) {
  const double delay = std::min(static_cast<double>(backoff.cap),
                                static_cast<double>(backoff.base) * std::pow(attempts, 4));
  return static_cast<Millis>(std::llround(delay * (0.9 + 0.2 * unit)));
}

double random_unit() {
  return static_cast<double>(std::stoull(random_hex(4), nullptr, 16)) / 4294967296.0;
}

bool is_permanent(Cause cause) noexcept {
  return cause == Cause::BadInput || cause == Cause::Refused || cause == Cause::NotFound ||
         cause == Cause::Usage;
}

}  // namespace affiche::service

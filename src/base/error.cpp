// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace affiche {

int exit_code(Cause cause) noexcept {
  switch (cause) {
    case Cause::Usage:
    case Cause::BadInput:
      return 2;
    case Cause::Unavailable:
      return 75;
    default:
      return 1;
  }
}

const char* name(Cause cause) noexcept {
  switch (cause) {
    case Cause::Usage:
      return "usage";
    case Cause::BadInput:
      return "bad_input";
    case Cause::NotFound:
      return "not_found";
    case Cause::Refused:
      return "refused";
    case Cause::Conflict:
      return "conflict";
    case Cause::Unavailable:
      return "unavailable";
    case Cause::Cancelled:
      return "cancelled";
    case Cause::Internal:
      return "internal";
  }
  return "internal";
}

}  // namespace affiche

// SPDX-License-Identifier: Apache-2.0
// What an action threw, as one value to compare: cause and message.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace affiche::test {

// "bad_input: message", or "nothing was thrown".
inline std::string thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return concat(name(error.cause()), ": ", error.what());
  }
  return "nothing was thrown";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace affiche::test

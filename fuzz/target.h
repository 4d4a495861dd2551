// SPDX-License-Identifier: Apache-2.0
// What every fuzz target shares: a reader may refuse its input with an Error and nothing else. Any
// other exception, Cause::Internal, a signal, more than kSecondsPerInput or too much memory is a
// finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "base/error.h"

namespace affiche::fuzz {

template <typename Read>
int expect_error_or_nothing(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.cause() == Cause::Internal) {
      std::fprintf(stderr, "internal error: %s\n", error.what());
      std::abort();
    }
  }
  return 0;
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace affiche::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

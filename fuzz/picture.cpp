// SPDX-License-Identifier: Apache-2.0
// The walk over foreign pictures that comes before any decoder.
#include "fuzz/target.h"
#include "photos/picture_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  return fuzz::expect_error_or_nothing(
      [&] { static_cast<void>(photos::check_picture({data, size}, "input", {})); });
}

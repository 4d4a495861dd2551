// SPDX-License-Identifier: Apache-2.0
// Files of textual inversion in all their formats.
#include "diffusion/text/textual_inversion.h"

#include "fuzz/input_file.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  const fuzz::InputFile file({data, size});
  return fuzz::expect_error_or_nothing([&] {
    static_cast<void>(diffusion::load_textual_inversion(file.path(), "", {.allow_pickle = true}));
  });
}

// SPDX-License-Identifier: Apache-2.0
// GGUF files: metadata, tensor infos, and every number of every tensor that is dequantised.
#include "diffusion/weights/gguf.h"

#include "fuzz/input_file.h"
#include "fuzz/read_all.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  const fuzz::InputFile file({data, size});
  return fuzz::expect_error_or_nothing(
      [&] { fuzz::read_all(diffusion::load_gguf(file.path()).tensors); });
}

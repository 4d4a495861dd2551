// SPDX-License-Identifier: Apache-2.0
// Safetensors files: the header, and every byte of every tensor that it promises.
#include "diffusion/weights/safetensors.h"

#include "fuzz/input_file.h"
#include "fuzz/read_all.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  const fuzz::InputFile file({data, size});
  return fuzz::expect_error_or_nothing([&] {
    fuzz::read_all(diffusion::load_safetensors(file.path()));
    static_cast<void>(diffusion::safetensors_metadata(file.path()));
  });
}

// SPDX-License-Identifier: Apache-2.0
// Files of torch.save(): the archive, the pickle in it and the tensors that it builds.
#include "diffusion/weights/torch_pickle.h"

#include "fuzz/input_file.h"
#include "fuzz/read_all.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  const fuzz::InputFile file({data, size});
  static_cast<void>(diffusion::is_torch_pickle(file.path()));
  return fuzz::expect_error_or_nothing(
      [&] { fuzz::read_all(diffusion::load_torch_state_dict(file.path())); });
}

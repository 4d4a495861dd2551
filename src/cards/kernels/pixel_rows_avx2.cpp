// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx2.
#include "cards/kernels/pixel_rows_loops.h"

namespace affiche::cards::kernels {

const PixelRows& avx2_pixel_rows() {
  return kRows;
}

}  // namespace affiche::cards::kernels

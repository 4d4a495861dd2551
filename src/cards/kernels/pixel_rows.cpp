// SPDX-License-Identifier: Apache-2.0
#include "cards/kernels/pixel_rows.h"

#include "cards/kernels/pixel_rows_loops.h"

namespace affiche::cards::kernels {

const PixelRows& portable_pixel_rows() {
  return kRows;
}

const PixelRows& pixel_rows() {
#ifdef AFFICHE_X86_KERNELS
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) return avx2_pixel_rows();
#endif
  return kRows;
}

}  // namespace affiche::cards::kernels

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/huge_pages.h"

#include <cstdlib>

namespace affiche::diffusion {

void use_huge_pages() {
  ::setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0);
}

}  // namespace affiche::diffusion

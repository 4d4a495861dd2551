// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace affiche::diffusion {

// Asks libtorch to take tensors above 2 MiB from huge pages (its variable THP_MEM_ALLOC_ENABLE,
// unless it is set already): converting a model's weights then waits for a five-hundredth of the
// page faults. To be called before the first tensor is made, by the thread that starts others.
void use_huge_pages();

}  // namespace affiche::diffusion

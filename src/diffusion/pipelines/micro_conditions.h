// SPDX-License-Identifier: Apache-2.0
// Sizes and crops as Stable Diffusion XL reads them (arXiv 2307.01952, section 2.2).
#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/request.h"

namespace affiche::diffusion {

// Numbers per picture, float32 on the CPU: the unguided half first when `guided`. As diffusers'
// _get_add_time_ids of the text-to-image pipelines or, `from_picture`, of those that start from a
// picture: there the negative sizes default one by one, and the negative crop is the positive one.
// Without guidance N x 5 or 6, else 2N x 5 or 6.
at::Tensor add_time_ids(const Components& parts, const MicroConditions& micro, Size made,
                        bool from_picture, bool guided, std::int64_t pictures);

}  // namespace affiche::diffusion

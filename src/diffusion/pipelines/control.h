// SPDX-License-Identifier: Apache-2.0
// ControlNets over the steps of a run (arXiv 2302.05543).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/plan.h"
#include "diffusion/pipelines/request.h"

namespace affiche::diffusion {

class Control {
 public:
  // Prepares the control pictures. `region`: the part that an in-painting run looks at.
  Control(const Components& parts, const GenerateRequest& request, const Plan& plan,
          const std::optional<Region>& region, at::ScalarType dtype, at::Device device);

  // What the ControlNets add at step i of n. `input` is what the UNet sees of the latents, the
  // unguided half first, as are text and `added`. In guess mode the unguided half stays free of
  // control.
  void add_to(UNetConditions& conditions, std::int64_t i, std::int64_t n, const at::Tensor& input,
              const at::Tensor& timestep, const at::Tensor& text) const;

 private:
  const Components& parts_;
  const GenerateRequest& request_;
  bool guided_;
  bool guess_mode_;
  double default_scale_;
  std::vector<at::Tensor> pictures_;
};

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/attention.h"

#include <torch/torch.h>

#include "catch.h"

using namespace affiche::diffusion;

namespace {

// The result, then the gradients of q, k and v.
std::vector<at::Tensor> learned(at::ScalarType dtype, std::int64_t own, std::int64_t others) {
  torch::manual_seed(7);
  std::vector<at::Tensor> inputs;
  for (const std::int64_t length : {own, others, others}) {
    inputs.push_back(torch::randn({3, length, 32}).to(dtype).requires_grad_(true));
  }
  const at::Tensor out = attend(inputs[0], inputs[1], inputs[2], 4);
  (out * torch::linspace(-1, 1, 32).to(dtype)).sum().backward();
  std::vector<at::Tensor> all = {out.detach()};
  for (const at::Tensor& input : inputs) all.push_back(input.grad());
  return all;
}

}  // namespace

TEST_CASE("attention learns the same in bf16 as in fp32") {
  for (const auto& [own, others] : {std::pair{18, 18}, {72, 77}}) {
    CAPTURE(own, others);
    const auto half = learned(at::kBFloat16, own, others);
    const auto full = learned(at::kFloat, own, others);
    for (std::size_t i = 0; i < full.size(); ++i) {
      CAPTURE(i);
      CHECK(half[i].scalar_type() == at::kBFloat16);
      const double wrong = (half[i].to(at::kFloat) - full[i]).norm().item<double>();
      CHECK(wrong < 0.02 * full[i].norm().item<double>());
    }
  }
}

TEST_CASE("attention gives the same with and without a gradient") {
  torch::manual_seed(3);
  const at::Tensor q = torch::randn({2, 40, 64}).to(at::kBFloat16);
  const at::Tensor k = torch::randn({2, 30, 64}).to(at::kBFloat16);
  const at::Tensor plain = attend(q, k, k, 2);
  const at::Tensor with = attend(q.clone().requires_grad_(true), k, k, 2);
  CHECK((with - plain).abs().max().item<double>() < 0.02);
}

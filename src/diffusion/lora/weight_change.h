// SPDX-License-Identifier: Apache-2.0
// What a file does to one weight, whatever the format.
#pragma once

#include <variant>

#include "diffusion/lora/dora.h"
#include "diffusion/lora/loha.h"
#include "diffusion/lora/lokr.h"
#include "diffusion/lora/low_rank.h"

namespace affiche::diffusion {

// A value: copies share their tensors, which nobody writes. Thread-safe.
struct WeightChange {
  std::variant<LowRank, LoHa, LoKr> factors;
  double scale = 1;  // alpha / rank
  Dora dora;
  bool zero_factors = false;  // their product is zero, whatever the scale

  // Takes the factors of whichever method the tensors are of, and its magnitudes; the scale stays
  // 1. BadInput, naming the tensor.
  static WeightChange from(ModuleTensors& tensors);

  // "LoRA", "LoHa" or "LoKr", with "DoRA" or "Tucker" behind it where it applies.
  std::string method() const;
  std::int64_t rank() const;  // 0: not decomposed
  std::vector<std::int64_t> shape() const;
  // Whether a weight of this shape can be changed so. 1x1 convolutions and linear layers hold the
  // same numbers; factors that are flattened do not say their kernel.
  bool fits(const std::vector<std::int64_t>& weight_shape) const;
  // Nothing would change, whatever the weight is.
  bool zero() const;

  // The change of `pristine` (any dtype and device) for an adapter of this weight, float32, in
  // its shape: weight * scale * factors, or for DoRA  m (W + D) / ||W + D|| - W  with D that.
  at::Tensor delta(const at::Tensor& pristine, double weight) const;
  // sum += delta, without an intermediate where the factors are low-rank. sum: float32, contiguous,
  // the first dimension of `pristine` x all others.
  void add_to(at::Tensor& sum, const at::Tensor& pristine, double weight) const;
};

struct WeightedChange {
  WeightChange change;
  double weight = 1;  // of the adapter
};

}  // namespace affiche::diffusion

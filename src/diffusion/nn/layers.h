// SPDX-License-Identifier: Apache-2.0
// Layers with weights. Each registers its tensors under `name` + ".weight" / ".bias". Calls are
// const and re-entrant, compute in the dtype of their input (weights of another dtype are converted
// while the layer runs), never write to their input, and differentiate through autograd when a slot
// holds a tensor with history.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

// y = x W^T + b on the last dimension.
class Linear {
 public:
  Linear(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
         bool bias = true);
  Linear(const Linear&) = delete;
  Linear& operator=(const Linear&) = delete;
  at::Tensor operator()(const at::Tensor& x) const;
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_, bias_;
};

// B x in x H x W -> B x out x H' x W', square kernel, zero padding.
class Conv2d {
 public:
  Conv2d(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
         std::int64_t kernel, std::int64_t stride = 1, std::int64_t padding = 0, bool bias = true);
  Conv2d(const Conv2d&) = delete;
  Conv2d& operator=(const Conv2d&) = delete;
  at::Tensor operator()(const at::Tensor& x) const;
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_, bias_;
  std::int64_t stride_, padding_;
};

// How a group norm sums float32 on the CPU when channels lie last.
enum class NormSums {
  Exact,     // in double; what the reference computes where its channels do not lie last
  Reference  // as at::group_norm, with its rounding: where the reference's channels lie last
};

class GroupNorm {
 public:
  // BadInput when `groups` does not divide `channels`.
  GroupNorm(Parameters& parameters, const std::string& name, std::int64_t groups,
            std::int64_t channels, double eps, NormSums sums = NormSums::Exact);
  GroupNorm(const GroupNorm&) = delete;
  GroupNorm& operator=(const GroupNorm&) = delete;
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  std::int64_t groups_;
  double eps_;
  NormSums sums_;
};

// Over the last dimension.
class LayerNorm {
 public:
  LayerNorm(Parameters& parameters, const std::string& name, std::int64_t width, double eps = 1e-5);
  LayerNorm(const LayerNorm&) = delete;
  LayerNorm& operator=(const LayerNorm&) = delete;
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  std::int64_t width_;
  double eps_;
};

// int64 indices -> rows.
class Embedding {
 public:
  Embedding(Parameters& parameters, const std::string& name, std::int64_t count,
            std::int64_t width);
  Embedding(const Embedding&) = delete;
  Embedding& operator=(const Embedding&) = delete;
  at::Tensor operator()(const at::Tensor& indices) const;
  const at::Tensor& weight() const { return weight_; }

 private:
  at::Tensor weight_;
};

}  // namespace affiche::diffusion

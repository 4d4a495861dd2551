// SPDX-License-Identifier: Apache-2.0
// Weights under training: fp32 masters with their running average and AdamW's state, kept beside a
// model's slots. A forward pass sees the masters in the compute type; gradients come back in fp32.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "diffusion/nn/parameters.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// How AdamW's two moments are kept, or what takes their place.
enum class OptimizerState {
  Full,      // float32
  Factored,  // means of rows and columns of the second moments alone (Adafactor, Shazeer and Stern
             // 2018)
  EightBit,  // block_quantization.h; the second as its root, which needs half the decades
  Muon,      // of matrices one momentum, orthogonalised (Jordan et al. 2024); AdamW for the rest
};
// "adamw", "factored", "adamw8bit", "muon".
const char* name(OptimizerState state);

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8, weight_decay = 0.01;
  double clip_norm = 1;          // gradients are scaled down to this global norm
  double average_decay = 0.999;  // of the running average, reached slowly from 0
  double momentum = 0.95;        // Muon's
  OptimizerState state = OptimizerState::Full;
  std::int64_t least_quantized =
      4096;  // smaller tensors keep float32 moments, as bitsandbytes does
};

// Not thread-safe. The model must outlive it.
class Trainable {
 public:
  explicit Trainable(AdamOptions options = {}) : options_(options) {}
  // Takes a copy of the present tensor of every slot that `chosen` accepts (all when it is empty)
  // as master, named prefix + slot name.
  void adopt(Parameters& parameters, const std::string& prefix,
             const std::function<bool(const std::string& slot)>& chosen = {});
  // Adds one trainable tensor that no slot shows directly (an adapter's factor); returns its index.
  std::size_t add(const std::string& name, const at::Tensor& value);
  const at::Tensor& master(std::size_t index) const { return masters_[index]; }
  const at::Tensor& average(std::size_t index) const { return averages_[index]; }
  const std::vector<std::string>& names() const { return names_; }
  std::size_t size() const { return masters_.size(); }

  // Points the adopted slots to the masters cast to `type`, differentiably, or to the averages.
  void show_masters(at::ScalarType type);
  void show_averages(at::ScalarType type);

  // One update, AdamW's (Loshchilov and Hutter 2019) unless the state says otherwise, from the
  // masters' gradients, which are cleared, then the running average. Returns the gradients' norm
  // before clipping; when it is not finite the update is left out.
  double update(double learning_rate);

  // masters, averages and optimiser state under "master.", "average.", "first.", "second.",
  // "columns.", "first-scales.", "second-scales.".
  StateDict state() const;
  void restore(const StateDict& state);
  // The averages under their own names, in `type`.
  StateDict averages(at::ScalarType type, const std::string& prefix) const;
  std::int64_t updates() const { return updates_; }

 private:
  struct Shown {
    std::size_t index;
    at::Tensor* slot;
  };
  bool quantized(const at::Tensor& master) const {
    return options_.state == OptimizerState::EightBit && master.numel() >= options_.least_quantized;
  }
  bool orthogonal(std::size_t index) const;
  void update_full(const std::vector<at::Tensor>& gradients, double learning_rate);
  void update_factored(const std::vector<at::Tensor>& gradients, double learning_rate);
  void update_quantized(std::size_t index, const at::Tensor& gradient, double learning_rate);
  void update_muon(std::size_t index, const at::Tensor& gradient, double learning_rate);

  AdamOptions options_;
  std::vector<std::string> names_;
  // With factored state `second_` holds rows, or all of a vector, and `columns_` columns; quantized
  // moments are codes with scales.
  std::vector<at::Tensor> masters_, averages_, first_, second_, columns_, steps_;
  std::vector<at::Tensor> first_scales_, second_scales_;
  std::vector<Shown> shown_;
  std::int64_t updates_ = 0;
};

}  // namespace affiche::diffusion

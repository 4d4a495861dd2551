// SPDX-License-Identifier: Apache-2.0
// The factors of a low-rank adaptation (Hu et al. 2021) under training, and the files they become.
#pragma once

#include <ATen/core/Generator.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "diffusion/lora/adapters.h"
#include "diffusion/nn/low_rank_branch.h"
#include "diffusion/training/trainable.h"

namespace affiche::diffusion {

struct LoraShape {
  std::int64_t rank = 8;
  double alpha = 8;            // what is learned counts alpha / rank
  bool attention = true;       // queries, keys, values and what joins them
  bool feed_forward = true;    // of the transformer blocks
  bool convolutions = false;   // all of the UNet's: for a look that lies in shapes and edges
  bool text_encoders = false;  // attention and feed-forward of the text encoders too
};

enum class LoraLayout { Peft, Kohya };

// Lays the weights of convolutions channels last, as the inputs are: a graph would else keep a copy
// of each, made anew in every step. The values stay the same.
void lay_channels_last(const Parameters& parameters);

// Branches  alpha / rank · B A  beside the weights of networks, which stay as they are. The
// networks and the trainable outlive it.
class LoraFactors {
 public:
  // Adds A (normal) and B (zero) per layer: r×in and out×r, for
  // convolutions r×in×h×w and out×r×1×1. Usage when no layer is chosen.
  LoraFactors(std::span<const AdapterTarget> networks, Trainable& trainable, const LoraShape& shape,
              at::Generator generator);
  // What is learned, in `type`, for ShownBranches: differentiably, or its averages.
  std::shared_ptr<const LowRankBranches> masters(at::ScalarType type) const;
  std::shared_ptr<const LowRankBranches> averages(at::ScalarType type) const;
  // The averages in fp16: "unet.<layer>.lora_A.weight" and "….lora_B.weight", or kohya's
  // "lora_unet_<layer>.lora_down.weight", "….lora_up.weight" and "….alpha".
  StateDict file_tensors(LoraLayout layout = LoraLayout::Peft) const;
  // What PEFT's or kohya's readers need to know of rank and alpha.
  std::map<std::string, std::string> file_metadata(LoraLayout layout = LoraLayout::Peft) const;
  std::size_t layers() const { return layers_.size(); }

 private:
  struct Layer {
    std::string network, kohya;  // "unet", "lora_unet"
    std::string name;            // without ".weight"
    const at::Tensor* slot;
    std::size_t down, up;  // indices of A and B in the trainable
  };
  double scale() const { return shape_.alpha / static_cast<double>(shape_.rank); }

  Trainable& trainable_;
  LoraShape shape_;
  std::vector<Layer> layers_;
};

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
// The pictures that a LoRA learns from, read, checked, sorted by shape and encoded once.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "diffusion/pipelines/components.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

struct LoraPicture {
  std::filesystem::path file;
  std::string caption;
  Image image;  // RGB
};

// Every picture of the folder, in order of name, with the text of the .txt file of the same stem or
// `caption` where there is none. What cannot be used (damaged, smaller than 64 pixels, without any
// caption) is left out and named through `skipped`. BadInput when fewer than 5 remain: a LoRA would
// learn those by heart instead of what they have in common.
std::vector<LoraPicture> read_lora_pictures(const std::filesystem::path& folder,
                                            const std::string& caption, const PictureReader& read,
                                            const std::function<void(const std::string&)>& skipped);

struct BucketSize {
  int width = 0, height = 0;  // pixels, multiples of 8 (of 64 from 512 x 512 on)
  bool operator<(const BucketSize& other) const {
    return std::pair(width, height) < std::pair(other.width, other.height);
  }
  bool operator==(const BucketSize&) const = default;
};

// The shape among 1:1, 5:4, 4:3, 3:2, 16:9, 1.91:1, 2:1 and their upright forms that is nearest to
// the picture's, with about so many pixels.
BucketSize nearest_bucket(int width, int height, std::int64_t pixels);

struct EncodedPicture {
  BucketSize size;
  at::Tensor latents, flipped;  // C×h×w float32, scaled; `flipped` undefined without flips
  std::string caption;
  int source_width = 0, source_height = 0;
};

struct LoraDataOptions {
  int width = 256, height = 256;  // of every picture; with buckets their product is what counts
  bool buckets = false;
  bool flips = false;
};

// Scales and cuts the pictures to their sizes and encodes them by the model's autoencoder, the mean
// of its distribution.
std::vector<EncodedPicture> encode_lora_pictures(const Components& parts,
                                                 const std::vector<LoraPicture>& pictures,
                                                 const LoraDataOptions& options, at::Device device);

// What the UNet reads of a caption, kept by caption.
class TextStates {
 public:
  struct State {
    at::Tensor hidden;  // 1×77×D
    at::Tensor pooled;  // 1×P, Stable Diffusion XL
  };
  TextStates(const Components& parts, at::Device device) : parts_(parts), device_(device) {}
  // Kept, without a graph.
  const State& kept(const std::string& caption);
  // Made anew, differentiably: for text encoders under training.
  State made(const std::string& caption) const;

 private:
  const Components& parts_;
  at::Device device_;
  std::map<std::string, State> states_;
};

}  // namespace affiche::diffusion

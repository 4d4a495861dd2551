// SPDX-License-Identifier: Apache-2.0
// Batches of encoded drawings, each of one size, chosen by the step's number.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/latents.h"

namespace affiche::diffusion {

class LatentBatches {
 public:
  struct Options {
    std::vector<std::filesystem::path> files;  // of encoded drawings; their size shares the steps
    std::vector<Family> families;              // to take of them; empty: all
    int batch = 16;
    double drop_captions = 0;  // share of empty captions
    std::uint64_t seed = 1;
    at::Device device = at::kCPU;
  };
  struct Batch {
    at::Tensor latents;  // B×C×h×w float32
    std::vector<std::string> captions;
  };
  // BadInput for a file that is none or holds nothing of the families; Usage for no file.
  explicit LatentBatches(Options options);
  // The same for the same step. Thread-safe.
  Batch draw(std::int64_t step) const;

 private:
  Options options_;
  std::vector<LatentSet> sets_;
  std::int64_t total_ = 0;
};

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
// Parts of a checkpoint, by name and class, as networks with their weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/nn/clip_text_model.h"

namespace affiche::diffusion {

// Functions throw BadInput, naming the model and the part, when a part is missing, of another class
// than expected, or when its weights do not fit.
struct PartLoader {
  Checkpoint checkpoint;
  std::string what;  // the model in errors
  at::ScalarType dtype;
  at::Device device;

  CheckpointPart& part(const std::string& name, const std::vector<std::string>& classes);
  template <typename Model>
  std::unique_ptr<Model> fill(std::unique_ptr<Model> model, CheckpointPart& part) const {
    model->parameters().load(part.weights, dtype, device, "", part.where.string());
    part.weights.clear();  // what was converted need not stay mapped
    return model;
  }
  std::unique_ptr<CLIPTextModel> text_encoder(const std::string& name,
                                              const std::vector<std::string>& classes);
  CLIPTokenizer tokenizer(const std::string& name);
  CheckpointScheduler scheduler() const;  // "scheduler"
  // Refuses a tokenizer with more ids than its text encoder has.
  void check_vocabulary(const std::string& name, std::int64_t ids, std::int64_t embeddings) const;
};

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
// The parts that Stable Diffusion 3 and Flux have in common, loaded and used.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "diffusion/nn/autoencoder.h"
#include "diffusion/nn/t5_encoder_model.h"
#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/part_loader.h"
#include "diffusion/text/t5_tokenizer.h"

namespace affiche::diffusion {

// Parts of a checkpoint; errors as PartLoader's.
std::unique_ptr<T5EncoderModel> load_t5(PartLoader& loader, const std::string& name);
std::unique_ptr<Autoencoder> load_vae(PartLoader& loader);
T5Tokenizer take_t5_tokenizer(PartLoader& loader, const std::string& name);
// Usage, by its name, for a part that would replace one of the model's.
void refuse_other_parts(const ModelFiles& files, const char* pipeline_class);
// Refuses parts that do not fit each other: `found` is what `part` gives.
void check_width(const PartLoader& loader, const char* part, std::int64_t found,
                 const char* expects, std::int64_t expected);

// Ids of B prompts, int64 B x length. Prompts that are cut are said in `warnings`.
at::Tensor clip_ids(const CLIPTokenizer& tokenizer, const std::vector<std::string>& prompts,
                    std::size_t length, at::Device device, std::vector<std::string>& warnings);
at::Tensor t5_ids(const T5Tokenizer& tokenizer, const std::vector<std::string>& prompts,
                  std::int64_t length, at::Device device, std::vector<std::string>& warnings);

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "bench/full_size_model.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/text/clip_vocabulary.h"

namespace affiche::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const char* name_of(at::ScalarType dtype) {
  if (dtype == at::kHalf) return "F16";
  return dtype == at::kBFloat16 ? "BF16" : "F32";
}

// Variance 1 / (3 fan_in): what passes through many layers stays in float16's range.
at::Tensor random_weight(const diffusion::Slot& slot, at::Generator& generator) {
  if (slot.name.ends_with("bias")) return at::zeros(slot.shape);
  if (slot.shape.size() == 1) return at::ones(slot.shape);
  double fan_in = 1;
  for (std::size_t i = 1; i < slot.shape.size(); ++i) fan_in *= static_cast<double>(slot.shape[i]);
  const double bound = slot.name.ends_with("embedding.weight") ? 0.03 : 1 / std::sqrt(fan_in);
  return at::empty(slot.shape, at::kFloat).uniform_(-bound, bound, generator);
}

void write_weights(const diffusion::Parameters& parameters, at::ScalarType dtype,
                   at::Generator& generator, const fs::path& file) {
  Json header = Json::object();
  std::int64_t offset = 0;
  for (const diffusion::Slot& slot : parameters.slots()) {
    std::int64_t bytes = static_cast<std::int64_t>(c10::elementSize(dtype));
    for (const std::int64_t extent : slot.shape) bytes *= extent;
    header[slot.name] = {{"dtype", name_of(dtype)},
                         {"shape", slot.shape},
                         {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::ofstream out(file, std::ios::binary);
  const std::uint64_t length = text.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << text;
  for (const diffusion::Slot& slot : parameters.slots()) {
    const at::Tensor tensor = random_weight(slot, generator).to(dtype).contiguous();
    out.write(static_cast<const char*>(tensor.const_data_ptr()),
              static_cast<std::streamsize>(tensor.nbytes()));
  }
  out.flush();
  if (!out) fail(Cause::Unavailable, file.string(), ": cannot be written; is the disk full?");
}

template <typename Model, typename Config>
void write_part(const Json& config, at::ScalarType dtype, at::Generator& generator,
                const fs::path& file) {
  const Model model(Config::from_json(config));
  write_weights(model.parameters(), dtype, generator, file);
}

void write_json(const fs::path& file, const Json& json) {
  write_atomically(file, json.dump(2));
}

}  // namespace

void write_full_size_model(const FullSizeConfigs& configs, at::ScalarType dtype, std::uint64_t seed,
                           const fs::path& out) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  for (const auto& [name, config] : configs.parts) {
    const fs::path folder = out / name;
    write_json(folder / "config.json", config);
    const fs::path file =
        folder / (name.starts_with("text_encoder") ? "model.safetensors"
                                                   : "diffusion_pytorch_model.safetensors");
    if (name == "unet") {
      write_part<diffusion::UNet2DConditionModel, diffusion::UNet2DConditionConfig>(
          config, dtype, generator, file);
    } else if (name == "vae") {
      write_part<diffusion::AutoencoderKL, diffusion::AutoencoderKLConfig>(config, dtype, generator,
                                                                           file);
    } else {
      const diffusion::CLIPTextModel model(
          diffusion::CLIPTextConfig::from_json(config, config.at("architectures").at(0)));
      write_weights(model.parameters(), dtype, generator, file);
    }
  }
  for (const auto& [name, config] : configs.tokenizers) {
    write_json(out / name / "tokenizer_config.json", config);
    write_atomically(out / name / "vocab.json", diffusion::clip_vocabulary().dump());
    write_atomically(out / name / "merges.txt", diffusion::clip_merges());
  }
  write_json(out / "scheduler/scheduler_config.json", configs.scheduler);
  write_json(out / "model_index.json", configs.index);
}

void fill_random(diffusion::Parameters& parameters, at::ScalarType dtype, std::uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  for (const diffusion::Slot& slot : parameters.slots()) {
    *slot.tensor = random_weight(slot, generator).to(dtype);
  }
}

}  // namespace affiche::bench

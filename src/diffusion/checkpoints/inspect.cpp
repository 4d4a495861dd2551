// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/inspect.h"

#include <ATen/ATen.h>

#include <functional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/checkpoints/family.h"
#include "diffusion/checkpoints/single_file.h"
#include "diffusion/checkpoints/weight_files.h"
#include "diffusion/nn/autoencoder.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/controlnet_model.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/weights/gguf.h"
#include "diffusion/weights/safetensors.h"
#include "diffusion/weights/torch_pickle.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

// Hands over the places that the network of `part` has for tensors; none of them is filled.
void with_parameters(const CheckpointPart& part,
                     const std::function<void(const Parameters&)>& use) {
  const std::string& name = part.class_name;
  if (name == "UNet2DConditionModel") {
    use(UNet2DConditionModel(UNet2DConditionConfig::from_json(part.config)).parameters());
  } else if (name == "ControlNetModel") {
    use(ControlNetModel(ControlNetConfig::from_json(part.config)).parameters());
  } else if (name.starts_with("CLIPTextModel")) {
    use(CLIPTextModel(CLIPTextConfig::from_json(part.config, name)).parameters());
  } else {
    use(make_autoencoder(name, part.config)->parameters());
  }
}

std::string shape_text(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t size : shape) text += concat(text.empty() ? "" : "x", size);
  return text.empty() ? "scalar" : text;
}

// A linear layer may be stored as a convolution of size 1.
bool fits(at::IntArrayRef found, const std::vector<std::int64_t>& expected) {
  if (found == at::IntArrayRef(expected)) return true;
  if (expected.size() != 2 || found.size() < 2) return false;
  for (std::size_t i = 2; i < found.size(); ++i) {
    if (found[i] != 1) return false;
  }
  return found[0] == expected[0] && found[1] == expected[1];
}

void compare(PartReport& report, const CheckpointPart& part) {
  try {
    with_parameters(part, [&](const Parameters& parameters) {
      std::set<const Slot*> seen;
      for (const auto& [name, tensor] : part.weights) {
        if (name.ends_with("position_ids")) continue;
        const Slot* slot = parameters.find(name);
        if (slot == nullptr || !seen.insert(slot).second) {
          report.extra.push_back(name);
        } else if (!fits(tensor.sizes(), slot->shape)) {
          report.mismatched.push_back(concat(name, ": expected ", shape_text(slot->shape),
                                             ", found ", shape_text(tensor.sizes())));
        }
      }
      for (const Slot& slot : parameters.slots()) {
        if (!seen.contains(&slot)) report.missing.push_back(slot.name);
      }
    });
  } catch (const Error& error) {
    report.problem = error.what();
  }
}

PartReport counted(const std::string& name, const std::string& class_name,
                   const StateDict& tensors) {
  PartReport report;
  report.name = name;
  report.class_name = class_name;
  for (const auto& [tensor_name, tensor] : tensors) {
    const std::string dtype(safetensors_dtype(tensor.scalar_type()));
    report.parameters += tensor.numel();
    report.bytes += tensor.nbytes();
    ++report.dtypes[dtype];
    report.tensors.push_back({tensor_name, dtype, tensor.sizes().vec()});
  }
  return report;
}

PartReport part_report(const std::string& name, const CheckpointPart& part) {
  PartReport report = counted(name, part.class_name, part.weights);
  compare(report, part);
  return report;
}

std::string family_text(const Checkpoint& checkpoint) {
  const std::string& pipeline = checkpoint.pipeline_class;
  const auto unet = checkpoint.parts.find("unet");
  const auto has = [&](const char* part) { return pipeline.find(part) != pipeline.npos; };
  if (!pipeline.starts_with("StableDiffusion") && !pipeline.starts_with("LatentConsistency")) {
    return pipeline;
  }
  Family family = Family::SD1;
  if (has("XL")) {
    family = Family::SDXL;
  } else if (has("Upscale")) {
    family = Family::X4Upscaler;
  } else if (unet != checkpoint.parts.end() &&
             unet->second.config.value("use_linear_projection", false)) {
    family = Family::SD2;
  }
  std::string text = facts(family).name;
  if (has("Inpaint")) text += ", inpainting";
  if (has("LatentConsistency")) text += ", latent consistency";
  return text;
}

std::string layout_of(const fs::path& path) {
  if (fs::is_directory(path)) return "diffusers folder";
  if (is_gguf(path)) return "GGUF file";
  return is_torch_pickle(path) ? "torch.save() file" : "safetensors file";
}

// What lies on disk, which for quantised tensors is not what the network gets.
void take_gguf_types(PartReport& report, const fs::path& path) {
  const GgufFile file = load_gguf(path);
  report.dtypes.clear();
  for (const auto& [name, type] : file.types) ++report.dtypes[type];
  report.bytes = fs::file_size(path);
  // Names are another layout's; sizes are the same in the same order of names only by chance, so
  // the list shows the file's own.
  report.tensors.clear();
  for (const auto& [name, tensor] : file.tensors) {
    report.tensors.push_back({name, file.types.at(name), tensor.sizes().vec()});
  }
}

void inspect_network(ModelReport& report, const fs::path& path, const std::string& class_name,
                     const CheckpointOptions& options) {
  report.family = class_name;
  try {
    const CheckpointPart part = open_part(path, class_name, options);
    report.parts.push_back(part_report("", part));
    report.files = part.files;
  } catch (const Error& error) {
    if (fs::is_directory(path)) throw;
    report.parts.push_back(counted("", class_name, load_weight_file(path, options)));
    report.parts.back().problem = error.what();
    report.files = {path};
  }
  if (fs::is_regular_file(path) && is_gguf(path)) take_gguf_types(report.parts.back(), path);
}

void inspect_checkpoint(ModelReport& report, const fs::path& path,
                        const CheckpointOptions& options) {
  const Checkpoint checkpoint = open_checkpoint(path, options);
  report.family = family_text(checkpoint);
  report.pipeline_class = checkpoint.pipeline_class;
  report.warnings = checkpoint.warnings;
  std::set<fs::path> files;
  for (const auto& [name, part] : checkpoint.parts) {
    report.parts.push_back(part_report(name, part));
    files.insert(part.files.begin(), part.files.end());
  }
  report.files.assign(files.begin(), files.end());
  for (const auto& [name, scheduler] : checkpoint.schedulers) {
    report.schedulers[name] = scheduler.class_name;
  }
  for (const auto& [name, tokenizer] : checkpoint.tokenizers) {
    report.tokenizers[name] = tokenizer.vocabulary_size();
  }
}

}  // namespace

bool ModelReport::complete() const {
  for (const PartReport& part : parts) {
    if (!part.missing.empty() || !part.extra.empty() || !part.mismatched.empty() ||
        !part.problem.empty()) {
      return false;
    }
  }
  return true;
}

std::string lone_network_at(const fs::path& path, const CheckpointOptions& options) {
  if (fs::is_directory(path)) {
    const fs::path config = path / "config.json";
    if (fs::exists(path / "model_index.json") || !fs::exists(config)) return "";
    const Json json = parse_json(read_text(config), config.string(), true);
    if (!json.is_object()) return "";
    if (json.contains("_class_name") && json["_class_name"].is_string()) {
      return json["_class_name"].get<std::string>();
    }
    const Json classes = json.value("architectures", Json());
    return classes.is_array() && classes.size() == 1 && classes[0].is_string()
               ? classes[0].get<std::string>()
               : "";
  }
  if (!fs::is_regular_file(path)) return "";
  const StateDict tensors = load_weight_file(path, options);
  return is_whole_model(tensors) || !known_but_not_run(tensors).empty() ? ""
                                                                        : lone_network(tensors);
}

ModelReport inspect_model(const fs::path& path, const CheckpointOptions& options) {
  if (!fs::exists(path)) {
    fail(Cause::NotFound, path.string(), ": expected a model, found nothing");
  }
  CheckpointOptions lenient = options;
  lenient.keep_unknown = true;
  ModelReport report;
  report.layout = layout_of(path);
  const std::string network = lone_network_at(path, lenient);
  if (!network.empty()) {
    inspect_network(report, path, network, lenient);
    return report;
  }
  if (fs::is_regular_file(path)) {
    const StateDict tensors = load_weight_file(path, lenient);
    const std::string other = known_but_not_run(tensors);
    if (!other.empty()) {
      report.family = other;
      report.parts.push_back(counted("", "", tensors));
      report.files = {path};
      return report;
    }
  }
  inspect_checkpoint(report, path, lenient);
  return report;
}

}  // namespace affiche::diffusion

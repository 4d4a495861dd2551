// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/open_clip.h"

#include <ATen/ATen.h>

#include <array>

#include "base/error.h"
#include "diffusion/checkpoints/ldm_names.h"

namespace affiche::diffusion {
namespace {

const std::string kLayers = "text_model.encoder.layers.";
const std::string kBlocks = "transformer.resblocks.";
constexpr std::array<const char*, 3> kProjections = {"q_proj", "k_proj", "v_proj"};
constexpr std::array<LdmPair, 5> kLayer = {{{"layer_norm1", "ln_1"},
                                            {"layer_norm2", "ln_2"},
                                            {"mlp.fc1", "mlp.c_fc"},
                                            {"mlp.fc2", "mlp.c_proj"},
                                            {"self_attn.out_proj", "attn.out_proj"}}};

ModuleNames names(std::int64_t layers) {
  ModuleNames result;
  for (std::int64_t i = 0; i < layers; ++i) {
    result.add(concat(kLayers, i), concat(kBlocks, i), kLayer);
  }
  result.add("text_model.embeddings.token_embedding", "token_embedding");
  result.add("text_model.final_layer_norm", "ln_final");
  return result;
}

// "….in_proj_weight" holds the queries' rows, then the keys', then the values'.
void split(StateDict& out, const std::string& name, const at::Tensor& joined, bool weight,
           const std::string& what) {
  if (joined.dim() != (weight ? 2 : 1) || joined.size(0) % 3 != 0) {
    fail(Cause::BadInput, what, ": tensor \"", name,
         "\": expected three projections of the same size, found the shape ", joined.sizes());
  }
  const std::string number =
      name.substr(kBlocks.size(), name.find('.', kBlocks.size()) - kBlocks.size());
  const auto parts = joined.chunk(3);
  for (std::size_t i = 0; i < 3; ++i) {
    out[concat(kLayers, number, ".self_attn.", kProjections[i], weight ? ".weight" : ".bias")] =
        parts[i];
  }
}

}  // namespace

StateDict from_open_clip(const StateDict& tensors, const std::string& what) {
  const ModuleNames table = names(count_tensors(tensors, kBlocks, ".attn.in_proj_weight"));
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    if (name == "logit_scale" || name == "attn_mask" || name.ends_with("position_ids")) continue;
    if (name == "positional_embedding") {
      out["text_model.embeddings.position_embedding.weight"] = tensor;
    } else if (name == "text_projection") {
      if (tensor.dim() != 2) {
        fail(Cause::BadInput, what, ": tensor \"", name, "\": expected two dimensions");
      }
      out["text_projection.weight"] = tensor.t().contiguous();
    } else if (name.starts_with(kBlocks) && name.ends_with(".attn.in_proj_weight")) {
      split(out, name, tensor, true, what);
    } else if (name.starts_with(kBlocks) && name.ends_with(".attn.in_proj_bias")) {
      split(out, name, tensor, false, what);
    } else if (const auto own = table.to_diffusers(name)) {
      out[*own] = tensor;
    } else {
      fail(Cause::BadInput, what, ": the tensor \"", name,
           "\" belongs to no layer of an OpenCLIP text encoder");
    }
  }
  return out;
}

StateDict to_open_clip(const StateDict& tensors, const std::string& what) {
  const std::int64_t layers = count_tensors(tensors, kLayers, ".self_attn.q_proj.weight");
  const ModuleNames table = names(layers);
  StateDict out;
  for (std::int64_t i = 0; i < layers; ++i) {
    for (const char* kind : {"weight", "bias"}) {
      std::vector<at::Tensor> parts;
      for (const char* projection : kProjections) {
        const auto found = tensors.find(concat(kLayers, i, ".self_attn.", projection, ".", kind));
        if (found == tensors.end()) {
          fail(Cause::BadInput, what, ": layer ", i, " of the text encoder has no ", projection);
        }
        parts.push_back(found->second);
      }
      out[concat(kBlocks, i, ".attn.in_proj_", kind)] = at::cat(parts);
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with("position_ids")) continue;
    const bool joined =
        name.find(".self_attn.") != name.npos && name.find(".self_attn.out_proj.") == name.npos;
    if (joined) continue;
    if (name == "text_model.embeddings.position_embedding.weight") {
      out["positional_embedding"] = tensor;
    } else if (name == "text_projection.weight") {
      out["text_projection"] = tensor.t().contiguous();
    } else if (const auto other = table.to_ldm(name)) {
      out[*other] = tensor;
    } else {
      fail(Cause::BadInput, what, ": the tensor \"", name, "\" has no place in OpenCLIP's layout");
    }
  }
  return out;
}

}  // namespace affiche::diffusion

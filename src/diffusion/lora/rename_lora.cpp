// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/rename_lora.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"
#include "diffusion/lora/ldm_names.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kWeight = ".weight";

const LoraLayer& layer_of(const LoraFile& file, const std::string& module) {
  for (const LoraLayer& layer : file.layers) {
    if (layer.stem == module) return layer;
  }
  fail(Cause::Internal, file.name, ": \"", module, "\" is reported, but not in the file");
}

class Writer {
 public:
  Writer(const LoraFile& file, const std::vector<AdapterTarget>& targets, LoraLayout layout)
      : file_(file), targets_(targets), layout_(layout) {}

  void add(const LoraReport::Match& match) {
    const LoraLayer& layer = layer_of(file_, match.module);
    const std::string stem = stem_of(match);
    if (layout_ == LoraLayout::Peft) {
      add_peft(layer, stem);
    } else {
      add_kohya(layer, stem);
    }
  }

  StateDict take() { return std::move(tensors_); }

 private:
  // "unet.mid_block.….weight" without its ending, in the layout's spelling.
  std::string stem_of(const LoraReport::Match& match) const {
    const std::string slot = match.slot.substr(0, match.slot.size() - kWeight.size());
    if (layout_ == LoraLayout::Peft) return slot;
    const std::size_t dot = slot.find('.');
    const std::string module = slot.substr(dot + 1);
    for (const AdapterTarget& target : targets_) {
      if (target.name != slot.substr(0, dot)) continue;
      const bool ldm = layout_ == LoraLayout::KohyaLdm && target.name == "unet";
      return kohya_module(target.kohya_prefixes.front(),
                          ldm ? ldm_name(*target.parameters, module) : module);
    }
    fail(Cause::Internal, match.slot, ": belongs to no target");
  }

  std::string ldm_name(const Parameters& unet, const std::string& module) const {
    if (const auto name = ldm_module_of(unet, module)) return *name;
    fail(Cause::BadInput, file_.name, ": \"", module,
         "\": the original code has no such module; take the layout kohya");
  }

  void add_peft(const LoraLayer& layer, const std::string& stem) {
    const WeightChange& change = layer.change;
    const auto* factors = std::get_if<LowRank>(&change.factors);
    if (factors == nullptr || (change.dora.magnitude.defined() && change.dora.by_input)) {
      fail(Cause::BadInput, file_.name, ": \"", layer.stem, "\" is ",
           factors == nullptr ? change.method() : "DoRA with magnitudes by input",
           ", which PEFT's layout cannot hold; take the layout kohya");
    }
    int exponent = 0;
    const bool exact = std::frexp(std::abs(change.scale), &exponent) == 0.5;
    const at::ScalarType type = exact ? factors->up.scalar_type() : at::kFloat;
    at::Tensor down = factors->down;
    if (factors->mid.defined()) {
      std::vector<std::int64_t> shape = factors->shape();
      shape[0] = factors->rank();
      down = factors->matrices(at::kCPU).down.reshape(shape);
    }
    tensors_[stem + ".lora_A.weight"] = down;
    tensors_[stem + ".lora_B.weight"] = (factors->up.to(at::kDouble) * change.scale).to(type);
    if (change.dora.magnitude.defined()) {
      at::Tensor magnitude = change.dora.magnitude;
      if (down.dim() == 4) magnitude = magnitude.view({1, -1, 1, 1});
      tensors_[stem + ".lora_magnitude_vector"] = magnitude;
    }
  }

  void add_kohya(const LoraLayer& layer, const std::string& stem) {
    const WeightChange& change = layer.change;
    std::visit([&](const auto& factors) { add_factors(factors, stem); }, change.factors);
    if (change.rank() > 0) {
      tensors_[stem + ".alpha"] = at::scalar_tensor(
          change.scale * static_cast<double>(change.rank()), at::TensorOptions().dtype(at::kFloat));
    }
    if (!change.dora.magnitude.defined()) return;
    std::vector<std::int64_t> shape(change.shape().size(), 1);
    shape[change.dora.by_input ? 1 : 0] = change.dora.magnitude.numel();
    tensors_[stem + ".dora_scale"] = change.dora.magnitude.view(shape);
  }

  void put(const std::string& name, const at::Tensor& tensor) {
    if (tensor.defined()) tensors_[name] = tensor;
  }
  void add_factors(const LowRank& factors, const std::string& stem) {
    put(stem + ".lora_down.weight", factors.down);
    put(stem + ".lora_up.weight", factors.up);
    put(stem + ".lora_mid.weight", factors.mid);
  }
  void add_factors(const LoHa& factors, const std::string& stem) {
    const std::pair<const char*, const LoHa::Half*> halves[] = {{"1", &factors.first},
                                                                {"2", &factors.second}};
    for (const auto& [number, half] : halves) {
      put(concat(stem, ".hada_w", number, "_a"), half->a);
      put(concat(stem, ".hada_w", number, "_b"), half->b);
      put(concat(stem, ".hada_t", number), half->t);
    }
  }
  void add_factors(const LoKr& factors, const std::string& stem) {
    const std::pair<const char*, const LoKr::Factor*> pair[] = {{"1", &factors.first},
                                                                {"2", &factors.second}};
    for (const auto& [number, factor] : pair) {
      put(concat(stem, ".lokr_w", number), factor->whole);
      put(concat(stem, ".lokr_w", number, "_a"), factor->a);
      put(concat(stem, ".lokr_w", number, "_b"), factor->b);
      put(concat(stem, ".lokr_t", number), factor->t);
    }
  }

  const LoraFile& file_;
  const std::vector<AdapterTarget>& targets_;
  LoraLayout layout_;
  StateDict tensors_;
};

}  // namespace

StateDict rename_lora(const LoraFile& file, const LoraReport& report,
                      const std::vector<AdapterTarget>& targets, LoraLayout layout) {
  Writer writer(file, targets, layout);
  for (const LoraReport::Match& match : report.matched) writer.add(match);
  return writer.take();
}

}  // namespace affiche::diffusion

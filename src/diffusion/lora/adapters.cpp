// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/adapters.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kWeight = ".weight";

struct Change {
  const LoraLayer* layer;
  double factor;  // weight * scale
};

// The shape of up * down seen as a change of a weight.
std::vector<std::int64_t> change_shape(const LoraLayer& layer) {
  std::vector<std::int64_t> shape = layer.down.sizes().vec();
  shape[0] = layer.up.size(0);
  return shape;
}

// Linear layers and 1x1 convolutions hold the same numbers.
bool fits(const std::vector<std::int64_t>& change, const std::vector<std::int64_t>& slot) {
  const auto stripped = [](std::vector<std::int64_t> shape) {
    while (shape.size() > 2 && shape.back() == 1) shape.pop_back();
    return shape;
  };
  return slot.size() >= 2 && stripped(change) == stripped(slot);
}

at::Tensor changed(const at::Tensor& pristine, const std::vector<Change>& changes) {
  const auto options = pristine.options().dtype(at::kFloat);
  at::Tensor sum = pristine.to(options).flatten(1);
  for (const Change& change : changes) {
    const at::Tensor up = change.layer->up.to(options).flatten(1);
    const at::Tensor down = change.layer->down.to(options).flatten(1);
    sum = at::addmm(sum, up, down, 1, change.factor);
  }
  return sum.reshape(pristine.sizes())
      .to(pristine.options())
      .contiguous(pristine.suggest_memory_format());
}

[[noreturn]] void refuse_unmatched(const LoraReport& report) {
  const std::string found =
      report.mismatched.empty()
          ? concat("the first unknown one is \"", report.unmatched.front(), "\"")
          : concat("\"", report.mismatched.front().module, "\" is ",
                   at::IntArrayRef(report.mismatched.front().found), ", the weight ",
                   at::IntArrayRef(report.mismatched.front().expected));
  fail(Cause::BadInput, report.file, ": none of its ",
       report.unmatched.size() + report.mismatched.size(), " layers fits this model; ", found,
       "; it was made for another architecture");
}

}  // namespace

AdapterStack::AdapterStack(std::vector<AdapterTarget> targets) : targets_(std::move(targets)) {
  for (const AdapterTarget& target : targets_) {
    for (const Slot& slot : target.parameters->slots()) {
      if (!slot.name.ends_with(kWeight)) continue;
      const std::string module = slot.name.substr(0, slot.name.size() - kWeight.size());
      const Found found = {slot.tensor, target.name + "." + slot.name, slot.shape};
      for (const std::string& prefix : target.kohya_prefixes) {
        kohya_.emplace(kohya_module(prefix, module), found);
      }
    }
  }
}

AdapterStack::Found AdapterStack::find(const std::string& module) const {
  if (const auto kohya = kohya_.find(module); kohya != kohya_.end()) return kohya->second;
  static const std::string kPeftRoot = "base_model.model.";
  for (const AdapterTarget& target : targets_) {
    const std::string prefix = module.starts_with(kPeftRoot) ? kPeftRoot : target.name + ".";
    if (!module.starts_with(prefix)) continue;
    const Slot* slot = target.parameters->find(concat(module.substr(prefix.size()), kWeight));
    if (slot != nullptr) return {slot->tensor, target.name + "." + slot->name, slot->shape};
  }
  return {};
}

std::vector<LoraReport> AdapterStack::apply(const std::vector<LoraUse>& uses) {
  std::vector<LoraReport> reports;
  std::map<at::Tensor*, std::vector<Change>> changes;
  for (const LoraUse& use : uses) {
    if (!std::isfinite(use.weight)) {
      fail(Cause::Usage, use.file->name, ": expected a finite weight, found ", use.weight);
    }
    LoraReport& report = reports.emplace_back();
    report.file = use.file->name;
    for (const LoraLayer& layer : use.file->layers) {
      const Found found = find(layer.module);
      if (found.slot == nullptr) {
        report.unmatched.push_back(layer.module);
        continue;
      }
      const std::vector<std::int64_t> shape = change_shape(layer);
      if (!fits(shape, found.shape)) {
        report.mismatched.push_back({layer.module, found.name, found.shape, shape});
        continue;
      }
      report.matched.push_back(found.name);
      if (use.weight != 0) changes[found.slot].push_back({&layer, use.weight * layer.scale});
    }
    if (report.matched.empty()) refuse_unmatched(report);
  }

  // Everything that can fail happens before the first slot is assigned.
  std::map<at::Tensor*, at::Tensor> pristine;
  std::vector<std::pair<at::Tensor*, at::Tensor>> assignments;
  for (const auto& [slot, list] : changes) {
    const auto kept = pristine_.find(slot);
    const at::Tensor& original = kept == pristine_.end() ? *slot : kept->second;
    pristine.emplace(slot, original);
    assignments.emplace_back(slot, changed(original, list));
  }
  remove();
  for (auto& [slot, tensor] : assignments) *slot = std::move(tensor);
  pristine_ = std::move(pristine);
  return reports;
}

void AdapterStack::remove() {
  for (auto& [slot, tensor] : pristine_) *slot = tensor;
  pristine_.clear();
}

}  // namespace affiche::diffusion

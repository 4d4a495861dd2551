// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/adapters.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "diffusion/kernels/low_rank_merge.h"
#include "diffusion/lora/ldm_names.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kWeight = ".weight";

[[noreturn]] void refuse_useless(const LoraReport& report) {
  if (!report.matched.empty()) {
    fail(Cause::BadInput, report.file, ": changes nothing: all of its ", report.matched.size(),
         " layers that fit this model are zero; it was not trained");
  }
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

// A weight as the matrix that lies in memory: rows x everything else.
at::Tensor as_matrix(const at::Tensor& weight) {
  if (weight.is_contiguous()) return weight.view({weight.size(0), -1});
  return weight.permute({0, 2, 3, 1}).view({weight.size(0), -1});  // convolutions, channels last
}

// One product of matrices for all changes, in as_matrix()'s order of columns; undefined when one of
// them is not of that kind.
LowRank::Matrices one_product(const at::Tensor& pristine,
                              const std::vector<WeightedChange>& changes) {
  std::vector<at::Tensor> up, down;
  for (const auto& [change, weight] : changes) {
    const auto* factors = std::get_if<LowRank>(&change.factors);
    if (factors == nullptr || change.dora.magnitude.defined()) return {};
    LowRank::Matrices part = factors->matrices(pristine.device());
    up.push_back(part.up * (weight * change.scale));
    if (!pristine.is_contiguous()) {
      part.down = part.down.view({part.down.size(0), pristine.size(1), -1}).transpose(1, 2);
    }
    down.push_back(part.down.reshape({part.down.size(0), -1}));
  }
  return {at::cat(up, 1).contiguous(), at::cat(down, 0).contiguous()};
}

// Writes pristine + changes into `result`, of the same shape, dtype and memory format.
void merge(at::Tensor& result, const at::Tensor& pristine,
           const std::vector<WeightedChange>& changes) {
  const bool in_place = pristine.scalar_type() == at::kFloat && result.is_contiguous();
  at::Tensor sum =
      in_place ? result : at::empty(pristine.sizes(), pristine.options().dtype(at::kFloat));
  sum.copy_(pristine);
  at::Tensor matrix = sum.view({sum.size(0), -1});
  for (const auto& [change, weight] : changes) change.add_to(matrix, pristine, weight);
  if (!in_place) result.copy_(sum);
}

// The same as work for merge_low_rank(); none when it is not of that kind.
std::optional<LowRankMerge> low_rank_merge(const at::Tensor& result, const at::Tensor& pristine,
                                           const std::vector<WeightedChange>& changes) {
  const bool dense =
      pristine.is_contiguous() || pristine.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!dense || !can_merge_low_rank(pristine.scalar_type(), pristine.device())) return {};
  LowRank::Matrices product = one_product(pristine, changes);
  if (!product.up.defined()) return {};
  return LowRankMerge{as_matrix(result), as_matrix(pristine), std::move(product.up),
                      std::move(product.down)};
}

// The memory of an earlier result serves again unless somebody else looks at it.
bool reusable(const at::Tensor& memory, const at::Tensor& pristine) {
  return memory.defined() && memory.use_count() == 1 && memory.storage().use_count() == 1 &&
         !memory.is_inference() && memory.sizes() == pristine.sizes() &&
         memory.strides() == pristine.strides() && memory.scalar_type() == pristine.scalar_type() &&
         memory.device() == pristine.device();
}

}  // namespace

AdapterStack::AdapterStack(std::vector<AdapterTarget> targets) : targets_(std::move(targets)) {
  for (const AdapterTarget& target : targets_) add_kohya_names(target);
}

// The network's own names in kohya's spelling, for a UNet also in the LDM layout.
void AdapterStack::add_kohya_names(const AdapterTarget& target) {
  for (const Slot& slot : target.parameters->slots()) {
    if (!slot.name.ends_with(kWeight)) continue;
    const std::string module = slot.name.substr(0, slot.name.size() - kWeight.size());
    const Found found = {slot.tensor, target.name + "." + slot.name, slot.shape};
    const std::optional<std::string> ldm = ldm_module_of(*target.parameters, module);
    for (const std::string& prefix : target.kohya_prefixes) {
      kohya_.emplace(kohya_module(prefix, module), found);
      if (ldm) kohya_.emplace(kohya_module(prefix, *ldm), found);
    }
  }
}

AdapterStack::Found AdapterStack::find(const std::string& module) const {
  if (const auto kohya = kohya_.find(module); kohya != kohya_.end()) return kohya->second;
  const auto in = [](const AdapterTarget& target, std::string_view name) -> Found {
    const Slot* slot = target.parameters->find(concat(name, kWeight));
    if (slot == nullptr) return {};
    return {slot->tensor, target.name + "." + slot->name, slot->shape};
  };
  for (const AdapterTarget& target : targets_) {
    if (module.starts_with(target.name + ".")) {
      return in(target, std::string_view(module).substr(target.name.size() + 1));
    }
  }
  // PEFT's own files and diffusers' save_attn_procs() do not name the network. Nothing is guessed
  // when two networks have the module.
  constexpr std::string_view kPeftRoot = "base_model.model.";
  const std::string_view bare =
      std::string_view(module).substr(module.starts_with(kPeftRoot) ? kPeftRoot.size() : 0);
  Found found;
  for (const AdapterTarget& target : targets_) {
    const Found candidate = in(target, bare);
    if (candidate.slot != nullptr && found.slot != nullptr) return {};
    if (candidate.slot != nullptr) found = candidate;
  }
  return found;
}

LoraReport AdapterStack::match(const LoraFile& file, bool dora_scale,
                               std::vector<Fit>& fits) const {
  LoraReport report;
  report.file = file.name;
  std::map<const at::Tensor*, std::string> seen;
  bool zero = true;
  for (const LoraLayer& layer : file.layers) {
    const Found found = find(layer.module);
    if (found.slot == nullptr) {
      report.unmatched.push_back(layer.stem);
      continue;
    }
    if (const auto [other, fresh] = seen.emplace(found.slot, layer.stem); !fresh) {
      fail(Cause::BadInput, file.name, ": tensors \"", other->second, "\" and \"", layer.stem,
           "\" both change the weight ", found.name, "; expected one of them");
    }
    WeightChange change = layer.change;
    if (change.dora.lycoris && !dora_scale) {
      change.dora = {};
      report.ignored.push_back(layer.stem + ".dora_scale");
    }
    if (!change.fits(found.shape)) {
      report.mismatched.push_back({layer.stem, found.name, found.shape, change.shape()});
      continue;
    }
    report.matched.push_back({layer.stem, found.name, change.method(), change.rank()});
    zero = zero && change.zero();
    fits.push_back({found.slot, std::move(change)});
  }
  report.changes_nothing = zero;
  return report;
}

LoraReport AdapterStack::inspect(const LoraFile& file, bool dora_scale) const {
  std::vector<Fit> fits;
  return match(file, dora_scale, fits);
}

std::vector<LoraReport> AdapterStack::apply(const std::vector<LoraUse>& uses) {
  std::vector<LoraReport> reports;
  std::map<at::Tensor*, std::vector<WeightedChange>> changes;
  if (!uses.empty() && targets_.empty()) {
    fail(Cause::Usage, uses.front().file->name,
         ": LoRA is for models of Stable Diffusion 1.x, 2.x and XL; leave it out");
  }
  for (const LoraUse& use : uses) {
    if (!std::isfinite(use.weight)) {
      fail(Cause::Usage, use.file->name, ": expected a finite weight, found ", use.weight);
    }
    std::vector<Fit> fits;
    reports.push_back(match(*use.file, use.dora_scale, fits));
    if (reports.back().changes_nothing) refuse_useless(reports.back());
    if (use.weight == 0) continue;
    for (const Fit& fit : fits) changes[fit.slot].emplace_back(fit.change, use.weight);
  }

  const c10::NoGradGuard no_grad;
  take_off([&](at::Tensor* slot) { return !changes.contains(slot); });
  try {
    wear(changes);
  } catch (...) {
    remove();
    throw;
  }
  return reports;
}

void AdapterStack::wear(const std::map<at::Tensor*, std::vector<WeightedChange>>& changes) {
  struct Work {
    at::Tensor* slot;
    at::Tensor result;
    const std::vector<WeightedChange>* changes;
    std::optional<LowRankMerge> merge;
  };
  std::vector<Work> all;
  for (const auto& [slot, list] : changes) all.push_back({slot, memory_for(slot), &list, {}});
  const bool inference = c10::InferenceMode::is_enabled();  // a thread's own
  // Many small tensors: each alone would keep the threads waiting for each other.
  at::parallel_for(
      0, static_cast<std::int64_t>(all.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        const c10::InferenceMode same(inference);
        const c10::NoGradGuard no_grad;
        for (std::int64_t i = begin; i < end; ++i) {
          Work& work = all[static_cast<std::size_t>(i)];
          work.merge = low_rank_merge(work.result, pristine_.at(work.slot), *work.changes);
        }
      });
  std::vector<LowRankMerge> merges;
  for (Work& work : all) {
    if (work.merge) {
      merges.push_back(std::move(*work.merge));
    } else {
      merge(work.result, pristine_.at(work.slot), *work.changes);
    }
  }
  merge_low_rank(merges);
  for (Work& work : all) *work.slot = std::move(work.result);
}

// Room for a slot's result: that of its last one, if nobody looks at it any more, or new. The slot
// is left with the weights as loaded.
at::Tensor AdapterStack::memory_for(at::Tensor* slot) {
  const auto [kept, fresh] = pristine_.try_emplace(slot, *slot);
  at::Tensor memory = std::exchange(*slot, kept->second);
  if (fresh) {
    const auto spare = spare_.extract(slot);
    memory = spare.empty() ? at::Tensor() : spare.mapped();
  }
  return reusable(memory, kept->second) ? memory : at::empty_like(kept->second);
}

void AdapterStack::take_off(const std::function<bool(at::Tensor*)>& which) {
  std::erase_if(pristine_, [&](const auto& kept) {
    if (!which(kept.first)) return false;
    spare_[kept.first] = std::exchange(*kept.first, kept.second);
    return true;
  });
}

void AdapterStack::remove() {
  take_off([](at::Tensor*) { return true; });
}

}  // namespace affiche::diffusion

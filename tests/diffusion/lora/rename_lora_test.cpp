// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/rename_lora.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/pipelines/lora_networks.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

struct Worn {
  explicit Worn(const std::string& model)
      : checkpoint(open_checkpoint(golden("models/" + model))), networks(checkpoint, model) {
    networks.load(checkpoint);
  }
  // The model's weights with the LoRA.
  StateDict with(const LoraFile& file) {
    AdapterStack stack(networks.targets());
    stack.apply({{std::make_shared<LoraFile>(file), 0.7, true}});
    StateDict all;
    for (const AdapterTarget& target : networks.targets()) {
      for (const auto& [name, tensor] : target.parameters->state_dict()) {
        all[target.name + "." + name] = tensor.clone();
      }
    }
    stack.remove();
    return all;
  }
  LoraFile renamed(const LoraFile& file, LoraLayout layout) {
    const std::vector<AdapterTarget> targets = networks.targets();
    const LoraReport report = AdapterStack(targets).inspect(file, true);
    return parse_lora(rename_lora(file, report, targets, layout), {}, "renamed");
  }
  Checkpoint checkpoint;
  LoraNetworks networks;
};

double largest_distance(const StateDict& a, const StateDict& b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (const auto& [name, tensor] : a) {
    largest = std::max(largest, distance(tensor, b.at(name)));
  }
  return largest;
}

}  // namespace

TEST_CASE("a LoRA under another format's names changes a model as before") {
  for (const std::string model : {"sd15", "sdxl"}) {
    Worn worn(model);
    for (const char* name : {"peft", "kohya", "attn_processor", "locon_kohya", "dora_kohya"}) {
      const LoraFile file = load_lora(golden(concat("lora/", model, "_", name, ".safetensors")));
      const StateDict before = worn.with(file);
      for (const LoraLayout layout : {LoraLayout::Peft, LoraLayout::Kohya, LoraLayout::KohyaLdm}) {
        INFO(model << " " << name << " " << static_cast<int>(layout));
        const LoraFile renamed = worn.renamed(file, layout);
        CHECK(renamed.layers.size() == file.layers.size());
        CHECK(largest_distance(worn.with(renamed), before) < 1e-6);
      }
    }
  }
}

TEST_CASE("LoHa and LoKr keep their factors in kohya's layout and are refused in PEFT's") {
  Worn worn("sd15");
  for (const char* name : {"loha", "lokr"}) {
    INFO(name);
    const LoraFile file = load_lora(golden(concat("lora/sd15_", name, ".safetensors")));
    const LoraFile renamed = worn.renamed(file, LoraLayout::KohyaLdm);
    CHECK(largest_distance(worn.with(renamed), worn.with(file)) < 1e-6);
    CHECK(renamed.layers.front().change.method() == file.layers.front().change.method());
    CHECK_THROWS_AS(worn.renamed(file, LoraLayout::Peft), Error);
  }
}

TEST_CASE("a scale that is no power of two is exact in PEFT's layout") {
  Worn worn("sd15");
  const std::string module = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
  const auto options = at::TensorOptions().dtype(at::kHalf);
  const LoraFile file = parse_lora({{module + ".lora_A.weight", at::ones({3, 32}, options)},
                                    {module + ".lora_B.weight", at::ones({32, 3}, options)},
                                    {module + ".alpha", at::scalar_tensor(1.0)}},
                                   {}, "third");
  const LoraFile renamed = worn.renamed(file, LoraLayout::Peft);
  CHECK(renamed.layers.front().change.scale == 1.0);
  CHECK(largest_distance(worn.with(renamed), worn.with(file)) < 1e-6);
}

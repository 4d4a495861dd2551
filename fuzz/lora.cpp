// SPDX-License-Identifier: Apache-2.0
// The names, shapes and numbers of LoRA files, put on a small UNet. An input is lines of a tensor's
// name and its extents, "lora_unet_….lora_down.weight 4 8"; a line that begins with "=" is
// metadata: "=key value".
#include <ATen/ATen.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "diffusion/lora/adapters.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "fuzz/target.h"

namespace {

using namespace affiche;
using namespace affiche::diffusion;

UNet2DConditionModel& network() {
  static const nlohmann::ordered_json kConfig = {
      {"_class_name", "UNet2DConditionModel"},
      {"block_out_channels", {8, 8}},
      {"down_block_types", {"CrossAttnDownBlock2D", "DownBlock2D"}},
      {"up_block_types", {"UpBlock2D", "CrossAttnUpBlock2D"}},
      {"in_channels", 4},
      {"out_channels", 4},
      {"layers_per_block", 1},
      {"norm_num_groups", 4},
      {"attention_head_dim", 2},
      {"cross_attention_dim", 8},
      {"sample_size", 8}};
  static UNet2DConditionModel model(UNet2DConditionConfig::from_json(kConfig));
  static const bool kFilled = [] {
    for (const Slot& slot : model.parameters().slots()) *slot.tensor = at::ones(slot.shape);
    return true;
  }();
  static_cast<void>(kFilled);
  return model;
}

// No input may ask for more than this.
constexpr std::int64_t kMostElements = 1 << 16;

at::Tensor tensor_of(std::istringstream& words) {
  std::vector<std::int64_t> shape;
  std::int64_t elements = 1;
  for (std::int64_t extent = 0; shape.size() < 6 && words >> extent;) {
    if (extent < 0 || extent > kMostElements) break;
    elements *= extent;
    if (elements > kMostElements) break;
    shape.push_back(extent);
  }
  return at::full(shape, 0.5, shape.size() % 2 == 0 ? at::kHalf : at::kFloat);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  StateDict tensors;
  std::map<std::string, std::string> metadata;
  std::istringstream lines{std::string(fuzz::text_of(data, size))};
  for (std::string line; std::getline(lines, line) && tensors.size() < 200;) {
    const std::size_t end =
        line.rfind('.') == std::string::npos ? line.find(' ') : line.find(' ', line.rfind('.'));
    const std::string rest = end == std::string::npos ? "" : line.substr(end + 1);
    if (line.starts_with('=')) {
      metadata[line.substr(1, line.find(' ') - 1)] = line.substr(line.find(' ') + 1);
      continue;
    }
    std::istringstream words(rest);
    tensors[line.substr(0, end)] = tensor_of(words);
  }
  AdapterStack stack({{"unet", {"lora_unet"}, &network().parameters()}});
  return fuzz::expect_error_or_nothing([&] {
    const auto file = std::make_shared<LoraFile>(parse_lora(tensors, metadata, "input"));
    stack.apply({{file, 0.5, true}});
    stack.remove();
  });
}

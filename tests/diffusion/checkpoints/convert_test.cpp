// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/convert.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/checkpoints/inspect.h"
#include "diffusion/goldens.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::diffusion;
using test::contains;
using test::thrown;
namespace fs = std::filesystem;

namespace {

// What a model is apart from how it lies on disk: names may lack "text_model.", linear layers may
// be convolutions of size 1.
StateDict plain(const CheckpointPart& part) {
  StateDict out;
  for (const auto& [name, tensor] : part.weights) {
    const bool bare = part.class_name.starts_with("CLIPText") && !name.starts_with("text_");
    out[bare ? "text_model." + name : name] = tensor.flatten();
  }
  return out;
}

void check_same(const Checkpoint& a, const Checkpoint& b) {
  CHECK(a.pipeline_class == b.pipeline_class);
  REQUIRE(a.parts.size() == b.parts.size());
  for (const auto& [name, part] : a.parts) {
    INFO(name);
    const CheckpointPart& other = b.parts.at(name);
    CHECK(part.class_name == other.class_name);
    const StateDict mine = plain(part), theirs = plain(other);
    REQUIRE(mine.size() == theirs.size());
    for (const auto& [tensor_name, tensor] : mine) {
      INFO(tensor_name);
      REQUIRE(theirs.contains(tensor_name));
      CHECK(at::equal(tensor, theirs.at(tensor_name)));
    }
    for (const char* key : {"attention_head_dim", "norm_num_groups", "cross_attention_dim",
                            "block_out_channels", "scaling_factor", "hidden_act", "sample_size",
                            "num_attention_heads", "down_block_types", "eos_token_id"}) {
      INFO(key);
      if (part.config.contains(key)) CHECK(part.config[key] == other.config[key]);
    }
  }
  for (const auto& [name, scheduler] : a.schedulers) {
    CHECK(scheduler.class_name == b.schedulers.at(name).class_name);
  }
}

std::size_t leftovers(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    count += entry.path().filename().string().starts_with(kTemporaryPrefix) ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("a model as a single file and back is the same model") {
  for (const char* model : {"sd15", "sd21", "sdxl", "sd15-inpaint", "lcm", "x4-upscaler"}) {
    INFO(model);
    test::TemporaryFolder folder;
    const fs::path source = golden("models") / model;
    const std::vector<std::string> warnings =
        convert_model(source, folder / "one.safetensors", {.layout = ModelLayout::SingleFile});
    // These models have few groups and a small tokenizer, which such files do not state.
    CHECK(!warnings.empty());
    check_same(open_checkpoint(source), open_checkpoint(folder / "one.safetensors"));
    convert_model(folder / "one.safetensors", folder / "back", {});
    check_same(open_checkpoint(source), open_checkpoint(folder / "back"));
    CHECK(leftovers(folder.path()) == 0);
  }
}

TEST_CASE("a folder made of a single file has everything that diffusers looks for") {
  test::TemporaryFolder folder;
  convert_model(unpacked("sdxl.safetensors"), folder / "model", {.floats = at::kFloat});
  for (const char* file :
       {"model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json", "vae/diffusion_pytorch_model.safetensors", "text_encoder/config.json",
        "text_encoder/model.safetensors", "text_encoder_2/model.safetensors",
        "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json",
        "tokenizer_2/special_tokens_map.json", "scheduler/scheduler_config.json"}) {
    INFO(file);
    CHECK(fs::exists(folder / "model" / file));
  }
  const Checkpoint made = open_checkpoint(folder / "model");
  // The original has a convolution here.
  CHECK(made.parts.at("vae").weights.at("decoder.mid_block.attentions.0.to_q.weight").dim() == 2);
  const Checkpoint source = open_checkpoint(unpacked("sdxl.safetensors"));
  CHECK(made.tokenizers.at("tokenizer").pad() == 49407);
  CHECK(made.tokenizers.at("tokenizer_2").pad() == 0);
  for (const auto& [name, part] : made.parts) {
    for (const auto& [tensor_name, tensor] : part.weights) {
      CHECK(tensor.scalar_type() == at::kFloat);
      const at::Tensor original = source.parts.at(name).weights.at(tensor_name);
      CHECK(at::equal(tensor, original.to(at::kFloat)));
    }
  }
}

TEST_CASE("what lies at the target of a conversion stays unless it may be replaced") {
  test::TemporaryFolder folder;
  const fs::path source = golden("models/lcm/vae");
  write_atomically(folder / "note.txt", "mine");
  const auto error = [&](const fs::path& to, ModelLayout layout, bool replace) {
    return thrown([&] { convert_model(source, to, {.layout = layout, .replace = replace}); });
  };
  CHECK(contains(error(folder / "note.txt", ModelLayout::SingleFile, false), "--force"));
  CHECK(contains(error(folder.path(), ModelLayout::Folder, true), "without a model"));
  CHECK(contains(error(folder / "note.txt", ModelLayout::Folder, true), "is a file"));
  CHECK(read_text(folder / "note.txt") == "mine");
  CHECK(error(folder / "vae", ModelLayout::Folder, false) == "nothing was thrown");
  CHECK(contains(error(folder / "vae", ModelLayout::Folder, false), "exists already"));
  CHECK(error(folder / "vae", ModelLayout::Folder, true) == "nothing was thrown");
  CHECK(fs::exists(folder / "vae/config.json"));
  CHECK(leftovers(folder.path()) == 0);
}

TEST_CASE("numbers that fp16 cannot hold are refused instead of becoming infinite") {
  test::TemporaryFolder folder;
  const StateDict tensors = {{"a.weight", at::full({2}, 1e6, at::kFloat)}};
  const std::string error =
      thrown([&] { save_safetensors(folder / "a.safetensors", tensors, {}, at::kHalf); });
  CHECK(contains(error, "a.weight"));
  CHECK(contains(error, "BF16"));
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("an inspection says what a model is and that it is whole") {
  const ModelReport report = inspect_model(golden("models/sdxl"), {});
  CHECK(report.family == "Stable Diffusion XL");
  CHECK(report.layout == "diffusers folder");
  CHECK(report.complete());
  CHECK(report.schedulers.at("scheduler") == "EulerDiscreteScheduler");
  CHECK(report.tokenizers.size() == 2);
  REQUIRE(report.parts.size() == 4);
  for (const PartReport& part : report.parts) {
    CHECK(part.parameters > 0);
    CHECK(part.dtypes == std::map<std::string, std::int64_t>{
                             {"F16", static_cast<std::int64_t>(part.tensors.size())}});
  }
  CHECK(inspect_model(golden("models/sd21"), {}).family == "Stable Diffusion 2.x");
  CHECK(inspect_model(golden("models/sd15-inpaint"), {}).family ==
        "Stable Diffusion 1.x, inpainting");
  const ModelReport pickled = inspect_model(unpacked("sd15.ckpt"), {.allow_pickle = true});
  CHECK(pickled.layout == "torch.save() file");
  CHECK(pickled.family == "Stable Diffusion 1.x");
  CHECK(pickled.complete());
}

TEST_CASE("an inspection lists what is missing, too much and misshapen") {
  test::TemporaryFolder folder;
  fs::copy(golden("models/lcm/vae"), folder / "vae", fs::copy_options::recursive);
  StateDict tensors =
      load_safetensors(golden("models/lcm/vae/diffusion_pytorch_model.safetensors"));
  tensors.erase("decoder.conv_in.bias");
  tensors["decoder.more.weight"] = at::zeros({1});
  tensors["encoder.conv_in.bias"] = at::zeros({3});
  save_safetensors(folder / "vae/diffusion_pytorch_model.safetensors", tensors);
  const ModelReport report = inspect_model(folder / "vae", {});
  CHECK_FALSE(report.complete());
  REQUIRE(report.parts.size() == 1);
  CHECK(report.parts[0].missing == std::vector<std::string>{"decoder.conv_in.bias"});
  CHECK(report.parts[0].extra == std::vector<std::string>{"decoder.more.weight"});
  CHECK(report.parts[0].mismatched ==
        std::vector<std::string>{"encoder.conv_in.bias: expected 8, found 3"});
}

TEST_CASE("an inspection knows lone networks, GGUF and LoRA files") {
  const ModelReport gguf = inspect_model(golden("formats/sd21-unet-Q4.gguf"), {});
  CHECK(gguf.family == "UNet2DConditionModel");
  CHECK(gguf.layout == "GGUF file");
  CHECK(gguf.parts[0].dtypes.at("Q4_K") == 3);
  CHECK(gguf.parts[0].dtypes.at("Q4_0") == 49);
  CHECK(contains(gguf.parts[0].problem, "multiples of"));  // its widths are no published model's
  const ModelReport lora = inspect_model(golden("lora/sd15_kohya.safetensors"), {});
  CHECK(lora.family == "a LoRA file");
  const ModelReport net = inspect_model(golden("models/sd15-controlnet"), {});
  CHECK(net.family == "ControlNetModel");
  CHECK(net.complete());
  CHECK(inspect_model(golden("models/taesd"), {}).complete());
  CHECK(thrown([] { inspect_model(golden("nowhere"), {}); }).starts_with("not_found"));
}

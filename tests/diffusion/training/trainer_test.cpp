// SPDX-License-Identifier: Apache-2.0
#include <torch/csrc/autograd/function.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/file_lock.h"
#include "base/random.h"
#include "catch.h"
#include "diffusion/lora/adapters.h"
#include "diffusion/nn/checkpointing.h"
#include "diffusion/nn/init.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/training/block_quantization.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/lora_factors.h"
#include "diffusion/training/objective.h"
#include "diffusion/training/orthogonalize.h"
#include "diffusion/weights/safetensors.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

// A UNet of about 40,000 weights that learns one fixed picture.
class Tiny {
 public:
  explicit Tiny(std::uint64_t seed = 1) : unet_(UNet2DConditionConfig::from_json(config())) {
    initialize(unet_.parameters(), step_generator(seed, -1));
  }
  static Json config() {
    return {{"_class_name", "UNet2DConditionModel"},
            {"attention_head_dim", 2},
            {"block_out_channels", {8, 16}},
            {"cross_attention_dim", 8},
            {"down_block_types", {"DownBlock2D", "CrossAttnDownBlock2D"}},
            {"layers_per_block", 1},
            {"norm_num_groups", 4},
            {"sample_size", 8},
            {"up_block_types", {"CrossAttnUpBlock2D", "UpBlock2D"}}};
  }
  UNet2DConditionModel& unet() { return unet_; }
  at::Tensor loss(at::Generator generator) const {
    const at::Tensor picture =
        at::linspace(-1, 1, 8 * 8).view({1, 1, 8, 8}).expand({4, 4, 8, 8}).contiguous();
    const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
      return unet_.forward(x, t, at::ones({4, 3, 8}));
    };
    return velocity_loss(NoiseSchedule::zero_terminal(), predict, picture, std::move(generator));
  }

 private:
  UNet2DConditionModel unet_;
};

// Operations that wait for their gradients.
std::size_t nodes_behind(const at::Tensor& result) {
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> open = {result.grad_fn().get()};
  while (!open.empty()) {
    torch::autograd::Node* node = open.back();
    open.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    for (const torch::autograd::Edge& edge : node->next_edges())
      open.push_back(edge.function.get());
  }
  return seen.size();
}

std::filesystem::path fresh_folder() {
  return std::filesystem::temp_directory_path() / ("affiche-train-" + random_hex(6));
}

// Trains to `steps` in the folder and returns the losses of the steps run now.
std::vector<double> train(const std::filesystem::path& folder, std::int64_t steps,
                          OptimizerState state = OptimizerState::Full, int accumulate = 1) {
  Tiny tiny;
  AdamOptions adam;
  adam.state = state;
  adam.least_quantized = 1;
  Trainable trainable(adam);
  trainable.adopt(tiny.unet().parameters(), "unet.");
  LoopOptions options;
  options.folder = folder;
  options.steps = steps;
  options.save_every = 4;
  options.learning_rate = 3e-3;
  options.warm_up = 1;
  options.accumulate = accumulate;
  std::vector<double> losses;
  LoopHooks hooks;
  hooks.loss = [&](std::int64_t, at::Generator generator) {
    trainable.show_masters(at::kFloat);
    const at::Tensor loss = tiny.loss(std::move(generator));
    losses.push_back(loss.item<double>());
    return loss;
  };
  run_loop(options, trainable, hooks);
  return losses;
}

}  // namespace

TEST_CASE("the gradient of the objective is the slope of the loss", "[training]") {
  Tiny tiny;
  Trainable trainable;
  trainable.adopt(tiny.unet().parameters(), "");
  const auto loss = [&] {
    trainable.show_masters(at::kDouble);  // a slope from float32 losses would be mostly rounding
    return tiny.loss(step_generator(3, 3));
  };
  loss().backward();
  for (const std::string name : {"conv_out.bias", "conv_norm_out.weight"}) {
    std::size_t i = 0;
    while (trainable.names()[i] != name) ++i;
    const at::Tensor master = trainable.master(i).detach();
    const double gradient = trainable.master(i).grad()[0].item<double>();
    const float middle = master[0].item<float>(), step = 1e-2F;
    master[0].fill_(middle + step);
    const double above = loss().item<double>();
    master[0].fill_(middle - step);
    const double slope = (above - loss().item<double>()) / (2 * static_cast<double>(step));
    master[0].fill_(middle);
    REQUIRE(std::fabs(slope - gradient) < 1e-3 * std::max(1.0, std::fabs(gradient)));
  }
}

TEST_CASE("training lowers the loss, whatever state the optimiser keeps", "[training]") {
  const auto state = GENERATE(OptimizerState::Full, OptimizerState::Factored,
                              OptimizerState::EightBit, OptimizerState::Muon);
  const auto folder = fresh_folder();
  const std::vector<double> losses = train(folder, 40, state);
  std::filesystem::remove_all(folder);
  double first = 0, last = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    first += losses[i];
    last += losses[losses.size() - 1 - i];
  }
  REQUIRE(last < 0.8 * first);
}

TEST_CASE("batches that accumulate make one step", "[training]") {
  const auto folder = fresh_folder();
  const std::vector<double> losses = train(folder, 8, OptimizerState::Full, 3);
  std::filesystem::remove_all(folder);
  REQUIRE(losses.size() == 24);
  // Weights stay as they are within a step; only the batches differ.
  REQUIRE(losses[0] != losses[1]);
}

TEST_CASE("a run that was cut off and resumed has the losses of one that was not", "[training]") {
  const auto state = GENERATE(OptimizerState::Full, OptimizerState::Factored,
                              OptimizerState::EightBit, OptimizerState::Muon);
  const auto whole_folder = fresh_folder(), cut_folder = fresh_folder();
  const std::vector<double> whole = train(whole_folder, 12, state);
  train(cut_folder, 8, state);
  const std::vector<double> rest = train(cut_folder, 12, state);
  std::filesystem::remove_all(whole_folder);
  std::filesystem::remove_all(cut_folder);
  REQUIRE(rest.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) REQUIRE(rest[i] == whole[8 + i]);
}

TEST_CASE("eight bits of state train as 32 do", "[training]") {
  const auto one = fresh_folder(), other = fresh_folder();
  const std::vector<double> full = train(one, 60),
                            eight = train(other, 60, OptimizerState::EightBit);
  const auto size = [](const std::filesystem::path& folder, const std::string& prefix) {
    std::size_t bytes = 0;
    for (const auto& [name, tensor] : load_safetensors(folder / "checkpoint.safetensors"))
      if (name.starts_with(prefix)) bytes += tensor.nbytes();
    return bytes;
  };
  // Codes of a byte, and scales of four for 256 values; more for tensors below 256 values.
  CHECK(size(other, "first") < size(one, "first") / 3);
  CHECK(size(other, "second") < size(one, "second") / 3);
  std::filesystem::remove_all(one);
  std::filesystem::remove_all(other);
  const auto mean = [](const std::vector<double>& losses, std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < from + 20; ++i) sum += losses[i] / 20;
    return sum;
  };
  CHECK(eight[0] == full[0]);
  CHECK(eight != full);
  CHECK(mean(eight, 40) == Approx(mean(full, 40)).epsilon(0.03));
  CHECK(mean(full, 40) < 0.8 * mean(full, 0));
}

TEST_CASE("values survive eight bits within their share of the block's largest", "[training]") {
  const auto generator = step_generator(5, 0);
  const at::Tensor values = at::randn({3, 211}, generator) * at::logspace(-6, 3, 3).unsqueeze(1);
  const at::Tensor back =
      dequantize(quantize(values, QuantizationMap::Signed), QuantizationMap::Signed, {3, 211});
  const at::Tensor off = (back - values).abs();
  // Within a decade entries lie 1.4 % to 14 % apart; smallest values lose more.
  CHECK(off.max().item<double>() < 0.008 * values.abs().max().item<double>());
  for (const auto map : {QuantizationMap::Signed, QuantizationMap::Unsigned}) {
    const at::Tensor& entries = quantization_entries(map);
    REQUIRE(entries.numel() == 256);
    CHECK((entries.diff() > 0).all().item<bool>());
    CHECK(at::equal(dequantize(quantize(entries, map), map, {256}), entries));
    const at::Tensor zeros = at::zeros({300});
    CHECK(at::equal(dequantize(quantize(zeros, map), map, {300}), zeros));
  }
  const at::Tensor tiny = at::tensor({1.0F, 1e-30F});
  CHECK(dequantize(quantize(tiny, QuantizationMap::Unsigned), QuantizationMap::Unsigned, {2})[1]
            .item<float>() > 0);
}

TEST_CASE("Muon's step has singular values near 1 and the gradient's directions", "[training]") {
  const auto [rows, columns] = GENERATE(std::pair{24, 60}, std::pair{60, 24}, std::pair{32, 32});
  const double scale = GENERATE(1.0, 1e-12, 1e25);
  const at::Tensor matrix = at::randn({rows, columns}, step_generator(7, rows)) * scale;
  const at::Tensor found = orthogonalize(matrix);
  REQUIRE(found.sizes() == matrix.sizes());
  REQUIRE(found.scalar_type() == at::kFloat);
  const auto [u, values, v] = at::linalg_svd(matrix, false);
  // In the gradient's own directions: a diagonal of 0.7 to 1.2, for all but the smallest of a
  // square matrix.
  const at::Tensor seen = at::mm(at::mm(u.t(), found), v.t());
  const at::Tensor diagonal = seen.diagonal();
  CHECK(diagonal.max().item<double>() < 1.3);
  CHECK(diagonal.min().item<double>() > (rows == columns ? 0.05 : 0.6));
  CHECK(diagonal.median().item<double>() > 0.7);
  CHECK((seen - at::diag(diagonal)).abs().max().item<double>() < 0.06);
}

TEST_CASE("Muon's step of no gradient is none", "[training]") {
  CHECK(orthogonalize(at::zeros({4, 9})).abs().max().item<double>() == 0);
}

TEST_CASE("Muon keeps one momentum of a hidden layer's matrix, both moments of the rest",
          "[training]") {
  Tiny tiny;
  AdamOptions options;
  options.state = OptimizerState::Muon;
  Trainable trainable(options);
  trainable.adopt(tiny.unet().parameters(), "unet.");
  const StateDict state = trainable.state();
  const auto second = [&](const char* name) {
    return state.at(concat("second.unet.", name)).numel() > 0;
  };
  CHECK_FALSE(second("down_blocks.0.resnets.0.conv1.weight"));
  CHECK_FALSE(second("mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight"));
  CHECK(second("down_blocks.0.resnets.0.conv1.bias"));
  CHECK(second("conv_in.weight"));
  CHECK(second("conv_out.weight"));
  CHECK(second("time_embedding.linear_1.weight"));
}

TEST_CASE("checkpointed blocks give the same gradients and keep less", "[training]") {
  const auto gradients = [](bool on, std::size_t& kept) {
    Tiny tiny;
    Trainable trainable;
    LoraShape shape;
    shape.rank = 2;
    shape.convolutions = true;
    const std::vector<AdapterTarget> networks = {
        {"unet", {"lora_unet"}, &tiny.unet().parameters()}};
    const LoraFactors factors(networks, trainable, shape, step_generator(9, 0));
    StateDict state = trainable.state();
    for (const std::string& name : trainable.names())
      state["master." + name] =
          at::randn(state["master." + name].sizes(), step_generator(9, 1)) * 0.1;
    trainable.restore(state);
    at::Tensor loss;
    {
      const ShownBranches shown(factors.masters(at::kFloat));
      const Checkpointing checkpointing(on);
      loss = tiny.loss(step_generator(3, 3));
    }
    kept = nodes_behind(loss);
    loss.backward();
    std::vector<at::Tensor> result;
    for (std::size_t i = 0; i < trainable.size(); ++i) result.push_back(trainable.master(i).grad());
    return result;
  };
  std::size_t nodes = 0, fewer = 0;
  const auto plain = gradients(false, nodes), checkpointed = gradients(true, fewer);
  double largest = 0;
  for (const at::Tensor& gradient : plain)
    largest = std::max(largest, gradient.abs().max().item<double>());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    REQUIRE(plain[i].abs().max().item<double>() > 0);
    // Sums of three, as where a skip begins, round in another order.
    REQUIRE((plain[i] - checkpointed[i]).abs().max().item<double>() < 1e-6 * largest);
  }
  CHECK(2 * fewer < nodes);
}

TEST_CASE("a checkpoint of another seed is refused", "[training]") {
  const auto folder = fresh_folder();
  train(folder, 4);
  Tiny tiny;
  Trainable trainable;
  trainable.adopt(tiny.unet().parameters(), "unet.");
  LoopOptions options;
  options.folder = folder;
  options.seed = 2;
  REQUIRE_THROWS(run_loop(options, trainable, {}));
  std::filesystem::remove_all(folder);
}

TEST_CASE("two runs do not share a folder", "[training]") {
  const auto folder = fresh_folder();
  std::filesystem::create_directories(folder);
  {
    const auto held = FileLock::attempt(folder / "in-use.lock", FileLock::Kind::Exclusive);
    REQUIRE(held);
    REQUIRE(test::thrown([&] { train(folder, 2); }).starts_with("unavailable: "));
  }
  REQUIRE(train(folder, 2).size() == 2);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a trained adaptation gives the same picture from its file", "[training][lora]") {
  const bool convolutions = GENERATE(false, true);
  Tiny tiny;
  // A fresh UNet's branches end in zeros, through which no adaptation could be seen.
  for (const Slot& slot : tiny.unet().parameters().slots())
    if (slot.shape.size() > 1 && slot.tensor->abs().max().item<float>() == 0)
      *slot.tensor = at::randn(slot.shape, step_generator(9, -1)) * 0.1;
  Trainable trainable;
  LoraShape shape;
  shape.rank = 2;
  shape.alpha = 3;
  shape.convolutions = convolutions;
  const std::vector<AdapterTarget> networks = {{"unet", {"lora_unet"}, &tiny.unet().parameters()}};
  const LoraFactors factors(networks, trainable, shape, step_generator(9, 0));
  REQUIRE(factors.layers() > 0);
  for (int step = 0; step < 12; ++step) {
    const ShownBranches shown(factors.masters(at::kFloat));
    tiny.loss(step_generator(9, step)).backward();
    trainable.update(1e-2);
  }
  const c10::InferenceMode no_graph;
  const at::Tensor noise = at::ones({1, 4, 8, 8}), context = at::ones({1, 3, 8});
  const auto predict = [&] { return tiny.unet().forward(noise, at::full({1}, 500), context); };
  const at::Tensor trained = [&] {
    const ShownBranches shown(factors.averages(at::kFloat));
    return predict();
  }();

  const auto folder = fresh_folder();
  save_safetensors(folder / "tiny.safetensors", factors.file_tensors(), factors.file_metadata());
  const at::Tensor plain = predict();
  AdapterStack stack({{"unet", {"lora_unet"}, &tiny.unet().parameters()}});
  stack.apply({{std::make_shared<LoraFile>(load_lora(folder / "tiny.safetensors")), 1.0}});
  std::filesystem::remove_all(folder);
  const double change = (trained - plain).abs().max().item<double>();
  REQUIRE(change > 1e-4);
  REQUIRE((predict() - trained).abs().max().item<double>() < 0.02 * change + 1e-5);  // fp16 factors
}

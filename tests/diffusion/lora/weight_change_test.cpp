// SPDX-License-Identifier: Apache-2.0
// The formats' formulas, each against another way to compute it.
#include "diffusion/lora/weight_change.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/lora/lora_file.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

at::Tensor noise(std::vector<std::int64_t> shape) {
  static at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  return at::randn(shape, generator, at::kFloat);
}

WeightChange change(const StateDict& parts) {
  StateDict tensors;
  for (const auto& [part, tensor] : parts) tensors.emplace("lora_unet_x." + part, tensor);
  return parse_lora(tensors, {}, "test").layers.at(0).change;
}

const StateDict& plain() {
  static const StateDict parts = {{"lora_down.weight", noise({2, 6})},
                                  {"lora_up.weight", noise({4, 2})},
                                  {"alpha", at::scalar_tensor(1.0)}};
  return parts;
}

std::string refusal(const StateDict& parts) {
  try {
    change(parts);
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("LoCon changes a convolution as the two convolutions behind each other do") {
  const at::Tensor down = noise({2, 3, 3, 3}), up = noise({5, 2, 1, 1}), x = noise({1, 3, 7, 7});
  const WeightChange locon = change(
      {{"lora_down.weight", down}, {"lora_up.weight", up}, {"alpha", at::scalar_tensor(4.0)}});
  CHECK(locon.method() == "LoRA");
  CHECK(locon.shape() == std::vector<std::int64_t>{5, 3, 3, 3});
  CHECK(locon.fits({5, 3, 3, 3}));
  CHECK_FALSE(locon.fits({5, 3, 1, 1}));
  CHECK_FALSE(locon.fits({5, 27, 1}));
  const at::Tensor delta = locon.delta(at::zeros({5, 3, 3, 3}, at::kHalf), 0.5);
  CHECK(delta.scalar_type() == at::kFloat);
  CHECK(distance(at::conv2d(x, delta), at::conv2d(at::conv2d(x, down), up)) < 1e-4);
}

TEST_CASE("LoCon in Tucker form changes a convolution as its three convolutions do") {
  const at::Tensor down = noise({3, 4, 1, 1}), mid = noise({2, 3, 3, 3}), up = noise({5, 2, 1, 1});
  const at::Tensor x = noise({1, 4, 7, 7});
  const WeightChange tucker =
      change({{"lora_down.weight", down}, {"lora_mid.weight", mid}, {"lora_up.weight", up}});
  CHECK(tucker.method() == "LoRA Tucker");
  CHECK(tucker.fits({5, 4, 3, 3}));
  CHECK(distance(at::conv2d(x, tucker.delta(at::zeros({5, 4, 3, 3}), 1)),
                 at::conv2d(at::conv2d(at::conv2d(x, down), mid), up)) < 1e-4);
  CHECK(refusal({{"lora_down.weight", down},
                 {"lora_mid.weight", noise({2, 2, 3, 3})},
                 {"lora_up.weight", up}})
            .find("mid of rank x rank") != std::string::npos);
}

TEST_CASE("a 1x1 convolution and a linear layer take each other's changes") {
  const WeightChange linear = change(plain());
  CHECK(linear.fits({4, 6}));
  CHECK(linear.fits({4, 6, 1, 1}));
  CHECK_FALSE(linear.fits({6, 4}));
  CHECK_FALSE(linear.fits({4}));
  const at::Tensor delta = linear.delta(at::zeros({4, 6, 1, 1}), 2);
  CHECK(distance(delta.squeeze(),
                 plain().at("lora_up.weight").matmul(plain().at("lora_down.weight"))) < 1e-5);
}

TEST_CASE("LoHa is the product, number by number, of two low-rank matrices") {
  StateDict parts = {{"hada_w1_a", noise({4, 2})},
                     {"hada_w1_b", noise({2, 12})},
                     {"hada_w2_a", noise({4, 2})},
                     {"hada_w2_b", noise({2, 12})},
                     {"alpha", at::scalar_tensor(1.0)}};
  const WeightChange loha = change(parts);
  CHECK(loha.method() == "LoHa");
  CHECK(loha.rank() == 2);
  CHECK(loha.fits({4, 12}));
  CHECK(loha.fits({4, 3, 2, 2}));
  const at::Tensor wanted = 0.5 * parts.at("hada_w1_a").matmul(parts.at("hada_w1_b")) *
                            parts.at("hada_w2_a").matmul(parts.at("hada_w2_b"));
  CHECK(distance(loha.delta(at::zeros({4, 3, 2, 2}), 1), wanted.view({4, 3, 2, 2})) < 1e-5);
  parts["hada_w2_b"] = noise({3, 12});
  CHECK(refusal(parts).find("ranks of its factors hada_w2") != std::string::npos);
  parts["hada_w2_b"] = noise({2, 11});
  CHECK(refusal(parts).find("differ in shape") != std::string::npos);
}

TEST_CASE("LoHa in Tucker form has its kernel in two cores") {
  StateDict parts;
  at::Tensor wanted = at::ones({5, 4, 3, 3});
  for (const std::string number : {"1", "2"}) {
    const at::Tensor core = noise({2, 3, 3, 3}), a = noise({2, 5}), b = noise({3, 4});
    parts["hada_t" + number] = core;
    parts["hada_w" + number + "_a"] = a;
    parts["hada_w" + number + "_b"] = b;
    // A core is a convolution between two that mix channels.
    at::Tensor half = at::zeros({5, 4, 3, 3});
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 3; ++j) {
        half += a[i].view({5, 1, 1, 1}) * b[j].view({1, 4, 1, 1}) * core[i][j];
      }
    }
    wanted *= half;
  }
  const WeightChange loha = change(parts);
  CHECK(loha.method() == "LoHa Tucker");
  CHECK(loha.fits({5, 4, 3, 3}));
  CHECK_FALSE(loha.fits({5, 36}));
  CHECK(distance(loha.delta(at::zeros({5, 4, 3, 3}), 1), wanted) < 1e-4);
  parts.erase("hada_t2");
  CHECK(refusal(parts).find("hada_t2 is missing") != std::string::npos);
}

TEST_CASE("LoKr is a Kronecker product of whole or low-rank factors") {
  const at::Tensor left = noise({2, 3}), a = noise({2, 2}), b = noise({2, 3});
  const at::Tensor kernel = noise({4, 5, 3, 3});
  const at::Tensor alpha = at::scalar_tensor(1.0);
  // Nothing is decomposed: alpha has no meaning.
  const WeightChange whole = change({{"lokr_w1", left}, {"lokr_w2", kernel}, {"alpha", alpha}});
  CHECK(whole.method() == "LoKr");
  CHECK(whole.scale == 1);
  CHECK(whole.fits({8, 15, 3, 3}));
  CHECK_FALSE(whole.fits({8, 15}));
  CHECK(distance(whole.delta(at::zeros({8, 15, 3, 3}), 1),
                 at::kron(left.view({2, 3, 1, 1}), kernel)) < 1e-5);
  // The flattened kernel of a decomposed second factor.
  const at::Tensor rows = noise({4, 2}), columns = noise({2, 45});
  const WeightChange second =
      change({{"lokr_w1", left}, {"lokr_w2_a", rows}, {"lokr_w2_b", columns}, {"alpha", alpha}});
  CHECK(second.scale == 0.5);
  CHECK(distance(second.delta(at::zeros({8, 15, 3, 3}), 1),
                 0.5 * at::kron(left.view({2, 3, 1, 1}), rows.matmul(columns).view({4, 5, 3, 3}))) <
        1e-5);
  const WeightChange first =
      change({{"lokr_w1_a", a}, {"lokr_w1_b", b}, {"lokr_w2", kernel}, {"alpha", alpha}});
  CHECK(first.scale == 0.5);
  CHECK(distance(first.delta(at::zeros({8, 15, 3, 3}), 1),
                 0.5 * at::kron(a.matmul(b).view({2, 3, 1, 1}), kernel)) < 1e-5);
  CHECK(refusal({{"lokr_w1", left}}).find("lokr_w2 is missing") != std::string::npos);
  CHECK(refusal({{"lokr_w1", left}, {"lokr_w2_a", rows}}).find("lokr_w2_b is missing") !=
        std::string::npos);
  CHECK(refusal({{"lokr_w1", left}, {"lokr_w2", kernel}, {"lokr_w2_a", rows}})
            .find("\"lora_unet_x.lokr_w2_a\"") != std::string::npos);
}

TEST_CASE("LoKr in Tucker form has the kernel of its second factor in a core") {
  const at::Tensor left = noise({2, 3}), core = noise({2, 2, 3, 3});
  const at::Tensor a = noise({2, 4}), b = noise({2, 5});
  const WeightChange tucker =
      change({{"lokr_w1", left}, {"lokr_w2_a", a}, {"lokr_w2_b", b}, {"lokr_t2", core}});
  CHECK(tucker.method() == "LoKr Tucker");
  CHECK(tucker.rank() == 2);
  CHECK(tucker.fits({8, 15, 3, 3}));
  at::Tensor right = at::zeros({4, 5, 3, 3});
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      right += a[i].view({4, 1, 1, 1}) * b[j].view({1, 5, 1, 1}) * core[i][j];
    }
  }
  CHECK(distance(tucker.delta(at::zeros({8, 15, 3, 3}), 1),
                 at::kron(left.view({2, 3, 1, 1}), right)) < 1e-4);
}

TEST_CASE("DoRA gives the changed rows the magnitudes of the file") {
  StateDict parts = plain();
  const at::Tensor weight = noise({4, 6});
  const at::Tensor moved = weight + change(parts).delta(weight, 0.7);
  const at::Tensor magnitude = noise({4}).abs();
  for (const at::Tensor& scale : {magnitude.view({4, 1}), magnitude}) {
    parts["dora_scale"] = scale;
    const WeightChange dora = change(parts);
    CHECK(dora.method() == "LoRA DoRA");
    const at::Tensor result = weight + dora.delta(weight, 0.7);
    CHECK(distance(result.norm(2, {1}), magnitude) < 1e-5);
    CHECK(distance(result / result.norm(2, {1}, true), moved / moved.norm(2, {1}, true)) < 1e-5);
  }
  parts.erase("dora_scale");
  parts["lora_magnitude_vector"] = magnitude;
  CHECK(distance((weight + change(parts).delta(weight, 0.7)).norm(2, {1}), magnitude) < 1e-5);
  parts["dora_scale"] = magnitude;
  CHECK(refusal(parts).find("dora_scale") != std::string::npos);
}

TEST_CASE("DoRA by input channel keeps the magnitudes of the columns") {
  StateDict parts = plain();
  const at::Tensor weight = noise({4, 6});
  const at::Tensor magnitude = noise({1, 6}).abs();
  parts["dora_scale"] = magnitude;
  const WeightChange dora = change(parts);
  CHECK(dora.fits({4, 6}));
  CHECK(distance((weight + dora.delta(weight, 1)).norm(2, {0}), magnitude.flatten()) < 1e-5);
  parts["dora_scale"] = noise({1, 5});
  CHECK_FALSE(change(parts).fits({4, 6}));
  parts["dora_scale"] = noise({3, 1});
  CHECK(refusal(parts).find("expected dora_scale of 4 x 1") != std::string::npos);
}

TEST_CASE("DoRA leaves a row of zeros at zero") {
  StateDict parts = plain();
  parts["lora_up.weight"] = at::cat({at::zeros({1, 2}), at::ones({3, 2})});
  parts["dora_scale"] = at::ones({4, 1});
  const at::Tensor delta = change(parts).delta(at::zeros({4, 6}), 1);
  CHECK(at::isfinite(delta).all().item<bool>());
  CHECK(at::equal(delta[0], at::zeros({6})));
}

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/family_classifier.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/error.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/pictures.h"
#include "diffusion/training/trainable.h"

namespace affiche::diffusion {
namespace {

constexpr int kWidth = 128, kHeight = 64, kBatch = 32;
constexpr std::array<std::int64_t, 5> kChannels = {3, 16, 32, 64, 96};

at::Tensor input_of(const Image& image) {
  return tensor_of(cover(image, kWidth, kHeight));
}

}  // namespace

struct FamilyClassifier::Net {
  std::vector<Family> families;
  Trainable trainable;
  std::vector<std::size_t> kernels, scales, shifts;
  std::size_t last = 0, bias = 0;
  bool averages = false;

  explicit Net(const std::vector<Family>& among, std::uint64_t seed)
      : families(among), trainable(options()) {
    at::Generator generator = step_generator(seed, -1);
    for (std::size_t i = 0; i + 1 < kChannels.size(); ++i) {
      const double deviation = std::sqrt(2.0 / (9.0 * static_cast<double>(kChannels[i])));
      kernels.push_back(
          trainable.add(concat("kernel", i),
                        at::randn({kChannels[i + 1], kChannels[i], 3, 3}, generator) * deviation));
      scales.push_back(trainable.add(concat("scale", i), at::ones({kChannels[i + 1]})));
      shifts.push_back(trainable.add(concat("shift", i), at::zeros({kChannels[i + 1]})));
    }
    const auto classes = std::ssize(families);
    last = trainable.add("last", at::randn({classes, 2 * kChannels.back()}, generator) * 0.05);
    bias = trainable.add("bias", at::zeros({classes}));
  }
  static AdamOptions options() {
    AdamOptions adam;
    adam.average_decay = 0.98;
    return adam;
  }
  const at::Tensor& weight(std::size_t i) const {
    return averages ? trainable.average(i) : trainable.master(i);
  }
  // B×3×H×W -> B×192: means and maxima of the last maps.
  at::Tensor seen(at::Tensor x) const {
    for (std::size_t i = 0; i < kernels.size(); ++i) {
      x = at::conv2d(x, weight(kernels[i]), {}, 2, 1);
      x = at::relu(at::group_norm(x, 8, weight(scales[i]), weight(shifts[i])));
    }
    return at::cat({x.mean({2, 3}), x.amax({2, 3})}, 1);
  }
  at::Tensor scores(const at::Tensor& x) const {
    return at::linear(seen(x), weight(last), weight(bias));
  }
};

FamilyClassifier::FamilyClassifier(const std::vector<Family>& families, int steps,
                                   std::uint64_t seed,
                                   const std::function<void(const std::string&)>& report)
    : net_(std::make_unique<Net>(families, seed)) {
  for (int step = 0; step < steps; ++step) {
    std::vector<at::Tensor> pictures;
    const at::Tensor labels = at::empty({kBatch}, at::kLong);
    Random random(Random::mix(seed) + static_cast<std::uint64_t>(step));
    for (int i = 0; i < kBatch; ++i) {
      const int family = random.below(static_cast<int>(families.size()));
      const std::uint64_t scene = (std::uint64_t{random.bits()} << 32) | random.bits();
      pictures.push_back(tensor_of(
          draw(random_scene(scene, families[static_cast<std::size_t>(family)]), kWidth, kHeight)));
      labels.data_ptr<std::int64_t>()[i] = family;
    }
    const at::Tensor loss = at::cross_entropy_loss(net_->scores(at::stack(pictures)), labels);
    loss.backward();
    net_->trainable.update(2e-3 * std::min(1.0, 3.0 * (steps - step) / steps));
    if (report && (step + 1) % 100 == 0)
      report(concat("classifier: step ", step + 1, " of ", steps, ", loss ", loss.item<double>()));
  }
  net_->averages = true;
}

FamilyClassifier::~FamilyClassifier() = default;

Family FamilyClassifier::recognise(const Image& image) const {
  const c10::NoGradGuard no_grad;
  const at::Tensor scores = net_->scores(input_of(image).unsqueeze(0));
  return net_->families[static_cast<std::size_t>(scores.argmax().item<std::int64_t>())];
}

std::vector<float> FamilyClassifier::features(const Image& image) const {
  const c10::NoGradGuard no_grad;
  at::Tensor seen = net_->seen(input_of(image).unsqueeze(0))[0];
  seen = (seen / seen.norm().clamp_min(1e-6)).contiguous();
  return {seen.data_ptr<float>(), seen.data_ptr<float>() + seen.numel()};
}

}  // namespace affiche::diffusion

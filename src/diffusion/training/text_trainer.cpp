// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/text_trainer.h"

#include <ATen/ATen.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/init.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/trainable.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

constexpr const char* kWeights = "text_encoder/model.safetensors";
constexpr std::int64_t kColours = 3;
// Lightness and chroma of OKLab spread over some 0.2; scaled so that colours weigh as classes do.
constexpr float kColourScale = 5;

// One batch of captions, and what they tell.
struct Captions {
  at::Tensor ids;                     // B×T
  at::Tensor ends;                    // B×T, 1 from the end of the text on
  at::Tensor colours, named;          // B×3×3 and B×3×1
  std::array<at::Tensor, 4> classes;  // of family, light, mood, space: B; -100 where untold
};

std::array<std::int64_t, 4> class_counts() {
  return {std::ssize(family_names()), std::ssize(light_names()), std::ssize(mood_names()),
          std::ssize(space_names())};
}

// The first colour, and with several the last, keep their places; a third stands between them.
void tell_colours(const Told& told, float* colours, float* named) {
  if (!told.colours) return;
  for (int i = 0; i < told.scene.colour_count; ++i) {
    const auto index = static_cast<std::size_t>(told.scene.colours[static_cast<std::size_t>(i)]);
    const Lab lab = lab_of_srgb(palette()[index].rrggbb);
    colours[3 * i] = kColourScale * lab.lightness;
    colours[3 * i + 1] = kColourScale * lab.a;
    colours[3 * i + 2] = kColourScale * lab.b;
    named[i] = 1;
  }
}

Captions random_captions(const CLIPTokenizer& tokenizer, int batch, std::uint64_t seed) {
  const auto length = static_cast<std::int64_t>(tokenizer.model_max_length());
  Captions captions;
  captions.ids = at::empty({batch, length}, at::kLong);
  captions.ends = at::zeros({batch, length});
  captions.colours = at::zeros({batch, kColours, 3});
  captions.named = at::zeros({batch, kColours, 1});
  for (at::Tensor& classes : captions.classes) classes = at::full({batch}, -100, at::kLong);
  Random random(seed);
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::uint64_t scene = (std::uint64_t{random.bits()} << 32) | random.bits();
    const Told told = told_of(random_scene(scene), random.bits());
    const std::vector<std::int64_t> row = tokenizer.encode(caption(told));
    const auto last =
        std::find(row.begin(), row.end(), static_cast<std::int64_t>(row.back())) - row.begin();
    std::copy(row.begin(), row.end(), captions.ids.data_ptr<std::int64_t>() + length * b);
    captions.ends[b].slice(0, last).fill_(1);
    tell_colours(told, captions.colours.data_ptr<float>() + 3 * kColours * b,
                 captions.named.data_ptr<float>() + kColours * b);
    const std::array<int, 4> classes = {told.family ? static_cast<int>(told.scene.family) : -100,
                                        static_cast<int>(told.scene.light),
                                        static_cast<int>(told.scene.mood),
                                        static_cast<int>(told.scene.space)};
    for (std::size_t i = 0; i < classes.size(); ++i)
      captions.classes[i].data_ptr<std::int64_t>()[b] = classes[i];
  }
  return captions;
}

// Mean over the places at which the whole text has been read.
at::Tensor told_loss(const at::Tensor& read, const Captions& captions) {
  const std::int64_t batch = read.size(0), length = read.size(1);
  const at::Tensor weight = captions.ends / captions.ends.sum();
  const at::Tensor colours = read.slice(2, 0, 3 * kColours).view({batch, length, kColours, 3});
  const at::Tensor off = (colours - captions.colours.unsqueeze(1)).square().sum(3) *
                         captions.named.squeeze(2).unsqueeze(1);
  at::Tensor loss = (off.sum(2) * weight).sum();
  std::int64_t place = 3 * kColours;
  const auto counts = class_counts();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const at::Tensor scores = read.slice(2, place, place + counts[i]).flatten(0, 1);
    const at::Tensor wanted =
        captions.classes[i].unsqueeze(1).expand({batch, length}).contiguous().view({-1});
    const at::Tensor each = at::cross_entropy_loss(scores, wanted, {}, at::Reduction::None);
    loss = loss + (each.view({batch, length}) * weight).sum();
    place += counts[i];
  }
  return loss;
}

}  // namespace

void train_text(const TextTraining& training, const LoopHooks& hooks) {
  const std::filesystem::path config = training.model / "text_encoder/config.json";
  const CLIPTokenizer tokenizer = CLIPTokenizer::from_folder(training.model / "tokenizer");
  CLIPTextModel text(CLIPTextConfig::from_json(parse_json(read_text(config), config.string())));
  const std::filesystem::path weights = training.model / kWeights;
  if (std::filesystem::exists(weights))
    text.parameters().load(load_safetensors(weights), at::kFloat, at::kCPU, "", weights.string());
  else
    initialize(text.parameters(), step_generator(training.loop.seed, -1));

  const auto counts = class_counts();
  const std::int64_t outputs =
      std::accumulate(counts.begin(), counts.end(), std::int64_t{3 * kColours});
  AdamOptions adam;
  adam.average_decay = 0.99;
  Trainable trainable(adam);
  trainable.adopt(text.parameters(), "text.");
  const at::Tensor start =
      at::randn({outputs, text.config().hidden_size}, step_generator(training.loop.seed, -2));
  const std::size_t reader = trainable.add("reader.weight", start * 0.02);
  const std::size_t bias = trainable.add("reader.bias", at::zeros({outputs}));

  LoopHooks own = hooks;
  own.loss = [&](std::int64_t step, const at::Generator&) {
    trainable.show_masters(at::kFloat);
    const std::uint64_t seed = Random::mix(training.loop.seed) + static_cast<std::uint64_t>(step);
    const Captions captions = random_captions(tokenizer, training.batch, seed);
    const at::Tensor states = text.forward(captions.ids).last_hidden_state;
    return told_loss(at::linear(states, trainable.master(reader), trainable.master(bias)),
                     captions);
  };
  run_loop(training.loop, trainable, own);
  save_safetensors(weights, trainable.averages(at::kHalf, "text."), {{"format", "pt"}});
}

}  // namespace affiche::diffusion

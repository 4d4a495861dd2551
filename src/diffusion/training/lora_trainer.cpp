// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/lora_trainer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/checkpointing.h"
#include "diffusion/nn/low_rank_branch.h"
#include "diffusion/pipelines/adapter_targets.h"
#include "diffusion/pipelines/micro_conditions.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/stable_diffusion.h"
#include "diffusion/training/drawing/random.h"
#include "diffusion/training/objective.h"
#include "diffusion/training/picture_features.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kMostSamples = 8, kSheetColumns = 4;
constexpr std::int64_t kSmallModel = 100'000'000;

std::unique_ptr<StableDiffusionPipeline> open_model(LoraTraining& training) {
  ModelFiles files;
  files.model = training.model;
  auto pipeline = StableDiffusionPipeline::load(files, training.type, training.device);
  const Components& parts = pipeline->components();
  if (parts.is_lcm() || parts.is_upscaler() || parts.unet->config().in_channels != 4)
    fail(Cause::Usage, training.model.string(),
         ": expected a text-to-image model, found one for in-painting, for few steps or an "
         "upscaler; train on the model that it was made from");
  lay_channels_last(parts.unet->parameters());
  if (training.convolutions_of_small && parts.unet->parameters().element_count() < kSmallModel)
    training.shape.convolutions = true;
  return pipeline;
}

// What one run holds beside its loop.
class Run {
 public:
  Run(const LoraTraining& training, const PictureFiles& files, const LoopHooks& hooks)
      : training_(training),
        files_(files),
        hooks_(hooks),
        pipeline_(open_model(training_)),
        parts_(pipeline_->components()),
        loss_options_{prediction_of(parts_.scheduler.config), training.min_snr},
        schedule_(NoiseSchedule::of_scheduler(parts_.scheduler.config)),
        texts_(parts_, training.device),
        trainable_(adam(training)),
        factors_(adapter_targets(parts_), trainable_, training_.shape,
                 step_generator(training.loop.seed, -1)) {
    read_pictures();
  }
  LoraResult operator()();

 private:
  static AdamOptions adam(const LoraTraining& training) {
    AdamOptions options;
    options.average_decay = 0.98;
    options.state = training.optimizer;
    return options;
  }
  void read_pictures();
  std::vector<const EncodedPicture*> batch_of(Random& random) const;
  at::Tensor loss(std::int64_t batch, at::Generator generator);
  at::Tensor loss_of(const std::vector<const EncodedPicture*>& pictures,
                     const std::vector<at::Tensor>& latents,
                     const std::vector<std::string>& captions, const at::Tensor& noise,
                     const at::Tensor& timesteps);
  double validation();
  std::vector<Image> samples();
  void save(const std::filesystem::path& file, std::int64_t steps) const;
  std::string settings() const;
  void say(const std::string& line) const {
    if (hooks_.report) hooks_.report(line);
  }

  LoraTraining training_;
  const PictureFiles& files_;
  const LoopHooks& hooks_;
  std::unique_ptr<StableDiffusionPipeline> pipeline_;
  Components& parts_;
  LossOptions loss_options_;
  NoiseSchedule schedule_;
  TextStates texts_;
  Trainable trainable_;
  LoraFactors factors_;
  std::vector<EncodedPicture> learned_, held_out_;
  std::vector<Image> originals_;  // of what is learned, cut to its size
  std::vector<std::string> prompts_;
  std::size_t given_ = 0;  // pictures of the folder that are used
};

void Run::read_pictures() {
  const auto pictures = read_lora_pictures(training_.data, training_.caption, files_.read,
                                           [this](const std::string& line) { say(line); });
  given_ = pictures.size();
  std::vector<EncodedPicture> encoded =
      encode_lora_pictures(parts_, pictures, training_.pictures, training_.device);
  // Every n-th picture is held out, never so many that fewer than 5 are left.
  const auto count = static_cast<double>(encoded.size());
  const double most = std::min(std::round(training_.held_out * count), count - 5);
  const auto every = most >= 1 ? static_cast<std::size_t>(std::floor(count / most)) : 0;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const bool held = every > 0 && i % every == every - 1;
    if (!held)
      originals_.push_back(cover(pictures[i].image, encoded[i].size.width, encoded[i].size.height));
    (held ? held_out_ : learned_).push_back(std::move(encoded[i]));
  }
  if (training_.held_out > 0 && held_out_.empty())
    say("no picture is held out for validation: there are too few");
  prompts_ = training_.prompts;
  for (const EncodedPicture& picture : learned_) {
    if (!training_.prompts.empty() || prompts_.size() >= kMostSamples) break;
    prompts_.push_back(picture.caption);
  }
  say(concat(learned_.size(), " pictures to learn from, ", held_out_.size(), " held out, ",
             factors_.layers(), " layers adapted"));
}

// One picture by chance, and others of its size.
std::vector<const EncodedPicture*> Run::batch_of(Random& random) const {
  const auto any = [&](const std::vector<const EncodedPicture*>& from) {
    return from[static_cast<std::size_t>(random.below(static_cast<int>(from.size())))];
  };
  std::vector<const EncodedPicture*> all, alike, batch;
  for (const EncodedPicture& picture : learned_) all.push_back(&picture);
  batch.push_back(any(all));
  for (const EncodedPicture& picture : learned_)
    if (picture.size == batch.front()->size) alike.push_back(&picture);
  while (std::ssize(batch) < training_.batch) batch.push_back(any(alike));
  return batch;
}

at::Tensor Run::loss_of(const std::vector<const EncodedPicture*>& pictures,
                        const std::vector<at::Tensor>& latents,
                        const std::vector<std::string>& captions, const at::Tensor& noise,
                        const at::Tensor& timesteps) {
  std::vector<at::Tensor> hidden, pooled, ids;
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const TextStates::State state =
        training_.shape.text_encoders ? texts_.made(captions[i]) : texts_.kept(captions[i]);
    hidden.push_back(state.hidden);
    if (!parts_.is_xl()) continue;
    pooled.push_back(state.pooled);
    MicroConditions micro;
    micro.original_size = Size{pictures[i]->source_height, pictures[i]->source_width};
    const Size made = {pictures[i]->size.height, pictures[i]->size.width};
    ids.push_back(add_time_ids(parts_, micro, made, false, false, 1));
  }
  UNetConditions conditions;
  if (parts_.is_xl()) {
    conditions.text_embeds = at::cat(pooled);
    conditions.time_ids = at::cat(ids).to(training_.device);
  }
  const at::Tensor context = at::cat(hidden).to(training_.type);
  const Velocity predict = [&](const at::Tensor& x, const at::Tensor& t) {
    return parts_.unet->forward(x.to(training_.type).contiguous(at::MemoryFormat::ChannelsLast), t,
                                context, conditions);
  };
  return denoising_loss(schedule_, predict, at::stack(latents), noise, timesteps, loss_options_);
}

at::Tensor Run::loss(std::int64_t batch, at::Generator generator) {
  const ShownBranches shown(factors_.masters(training_.type));
  const Checkpointing checkpointing(training_.checkpointing);
  Random random(Random::mix(training_.loop.seed + 99) + static_cast<std::uint64_t>(batch));
  const auto pictures = batch_of(random);
  std::vector<at::Tensor> latents;
  std::vector<std::string> captions;
  for (const EncodedPicture* picture : pictures) {
    const bool flip = picture->flipped.defined() && random.chance(0.5F);
    latents.push_back(flip ? picture->flipped : picture->latents);
    const bool dropped = random.chance(static_cast<float>(training_.drop_captions));
    captions.push_back(dropped ? "" : picture->caption);
  }
  const at::Tensor like = at::stack(latents);
  const auto count = like.size(0);
  // Drawn on the CPU, so that every device sees the same numbers.
  at::Tensor noise = at::randn(like.sizes(), generator, at::kFloat);
  if (training_.noise_offset > 0)
    noise = noise +
            training_.noise_offset * at::randn({count, like.size(1), 1, 1}, generator, at::kFloat);
  // Spread evenly over the batch: single draws would make the loss jump.
  const auto levels = static_cast<double>(schedule_.signal.numel());
  const at::Tensor place = (at::arange(count, at::kFloat) + at::rand({1}, generator, at::kFloat)) *
                           (levels / static_cast<double>(count));
  const at::Tensor timesteps = place.floor().clamp(0, levels - 1).to(at::kLong);
  return loss_of(pictures, latents, captions, noise.to(like.device()), timesteps.to(like.device()));
}

// The mean loss of what is held out, always with the same noise.
double Run::validation() {
  const c10::NoGradGuard no_grad;
  const ShownBranches shown(factors_.averages(training_.type));
  constexpr int kLevels = 4;
  double sum = 0;
  for (std::size_t i = 0; i < held_out_.size(); ++i)
    for (int level = 0; level < kLevels; ++level) {
      const EncodedPicture& picture = held_out_[i];
      const at::Tensor noise = at::randn(
          {1, picture.latents.size(0), picture.latents.size(1), picture.latents.size(2)},
          step_generator(training_.loop.seed + 7, static_cast<std::int64_t>(i) * kLevels + level),
          at::kFloat);
      const std::int64_t step = (2 * level + 1) * schedule_.signal.numel() / (2 * kLevels);
      sum += loss_of({&picture}, {picture.latents}, {picture.caption},
                     noise.to(picture.latents.device()),
                     at::full({1}, step, at::kLong).to(picture.latents.device()))
                 .item<double>();
    }
  return sum / static_cast<double>(held_out_.size() * kLevels);
}

// Pictures of the prompts by the weights that are shown, in the size of the first picture.
std::vector<Image> Run::samples() {
  std::vector<Image> images;
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    GenerateRequest request;
    request.prompts = {prompts_[i]};
    request.seeds = {static_cast<std::int64_t>(1000 + i)};
    request.num_inference_steps = training_.sample_steps;
    request.guidance_scale = training_.sample_guidance;
    request.width = learned_.front().size.width;
    request.height = learned_.front().size.height;
    images.push_back(image_at(pipeline_->generate(request).images, 0));
  }
  return images;
}

// Rows of pictures, each brought to one size.
Image sheet_of(const std::vector<std::vector<Image>>& rows) {
  std::vector<at::Tensor> tensors;
  const Image& first = rows.front().front();
  std::size_t columns = kSheetColumns;
  for (const auto& row : rows) columns = std::min(columns, row.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < columns; ++i)
      tensors.push_back(tensor_of(cover(row[i], first.width, first.height)));
  return contact_sheet(at::stack(tensors), static_cast<int>(columns));
}

std::vector<std::vector<float>> features_of(const std::vector<Image>& images) {
  std::vector<std::vector<float>> features;
  for (const Image& image : images) features.push_back(picture_features(image));
  return features;
}

void Run::save(const std::filesystem::path& file, std::int64_t steps) const {
  std::map<std::string, std::string> metadata = factors_.file_metadata(training_.layout);
  const Json told = {{"by", "affiche train lora"},
                     {"model", training_.model.filename().string()},
                     {"pictures", given_},
                     {"steps", steps},
                     {"batch", training_.batch * training_.loop.accumulate},
                     {"rate", training_.loop.learning_rate},
                     {"width", training_.pictures.width},
                     {"height", training_.pictures.height},
                     {"buckets", training_.pictures.buckets},
                     {"flips", training_.pictures.flips},
                     {"min_snr", training_.min_snr},
                     {"noise_offset", training_.noise_offset},
                     {"seed", training_.loop.seed}};
  metadata["affiche.training"] = told.dump();
  save_safetensors(file, factors_.file_tensors(training_.layout), metadata);
}

// What the numbers of a checkpoint mean; the rest may change when a run goes on.
std::string Run::settings() const {
  const LoraShape& shape = training_.shape;
  return concat("a LoRA of ", training_.model.filename().string(), ", rank ", shape.rank,
                ", alpha ", shape.alpha, ", ", factors_.layers(), " layers, optimizer ",
                name(training_.optimizer));
}

LoraResult Run::operator()() {
  const std::filesystem::path best = training_.loop.folder / "best.safetensors";
  LoopHooks own = hooks_;
  own.loss = [this](std::int64_t batch, at::Generator generator) {
    return loss(batch, std::move(generator));
  };
  if (!held_out_.empty()) {
    own.validate = [this](std::int64_t) { return validation(); };
    own.best = [&](std::int64_t step) { save(best, step); };
  }
  own.sheet = [this](std::int64_t step) {
    const ShownBranches shown(factors_.averages(training_.type));
    files_.write(training_.loop.folder / concat("sheet-", step, files_.extension),
                 sheet_of({samples()}));
  };
  LoraResult result;
  LoopOptions loop = training_.loop;
  loop.settings = settings();
  result.steps = run_loop(loop, trainable_, own);
  save(training_.out, result.steps);
  if (training_.loop.patience > 0 && std::filesystem::exists(best)) {
    std::filesystem::copy_file(best, training_.out,
                               std::filesystem::copy_options::overwrite_existing);
    say("the adaptation of the best validation is kept");
  }
  // Both at the end: a run that is killed has not drawn them in vain.
  say(concat(2 * prompts_.size(), " pictures for the sheet before / after"));
  const std::vector<Image> before = samples();
  const std::vector<Image> after = [&] {
    const ShownBranches shown(factors_.averages(training_.type));
    return samples();
  }();
  const auto goal = features_of(originals_);
  result.distance_before = feature_distance(goal, features_of(before));
  result.distance_after = feature_distance(goal, features_of(after));
  result.sheet = training_.out;
  result.sheet.replace_extension("");
  result.sheet += concat("-before-after", files_.extension);
  files_.write(result.sheet, sheet_of({originals_, before, after}));
  return result;
}

}  // namespace

LoraResult train_lora(const LoraTraining& training, const PictureFiles& files,
                      const LoopHooks& hooks) {
  if (training.pictures.width % 8 != 0 || training.pictures.height % 8 != 0 ||
      training.pictures.width < 64 || training.pictures.height < 64)
    fail(Cause::Usage, "train lora: expected a size in multiples of 8 from 64 on, found ",
         training.pictures.width, " x ", training.pictures.height);
  if (training.shape.rank < 1 || training.batch < 1)
    fail(Cause::Usage, "train lora: expected a rank and a batch of 1 or more, found ",
         training.shape.rank, " and ", training.batch);
  return Run(training, files, hooks)();
}

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/lora_data.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "diffusion/pipelines/prompt_encoding.h"

namespace affiche::diffusion {
namespace {

constexpr int kFewest = 5, kLeastSide = 64;

bool is_picture(const std::filesystem::path& path) {
  static const std::set<std::string> kinds = {".ppm", ".png", ".jpg", ".jpeg", ".webp"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return kinds.contains(extension);
}

std::string caption_of(const std::filesystem::path& picture, const std::string& otherwise) {
  std::filesystem::path text = picture;
  text.replace_extension(".txt");
  std::string caption = otherwise;
  if (std::filesystem::exists(text)) caption = read_text(text, 16384);
  while (!caption.empty() &&
         (caption.back() == '\n' || caption.back() == '\r' || caption.back() == ' '))
    caption.pop_back();
  if (caption.empty())
    fail(Cause::BadInput, "no caption; write ", text.filename().string(),
         " beside it or give one for all");
  return caption;
}

LoraPicture read_one(const std::filesystem::path& file, const std::string& caption,
                     const PictureReader& read) {
  LoraPicture picture{file, caption_of(file, caption), read(file)};
  if (std::min(picture.image.width, picture.image.height) < kLeastSide)
    fail(Cause::BadInput, picture.image.width, " x ", picture.image.height, " pixels; at least ",
         kLeastSide, " a side are needed");
  return picture;
}

}  // namespace

std::vector<LoraPicture> read_lora_pictures(
    const std::filesystem::path& folder, const std::string& caption, const PictureReader& read,
    const std::function<void(const std::string&)>& skipped) {
  if (!std::filesystem::is_directory(folder))
    fail(Cause::NotFound, folder.string(), ": expected a folder of pictures, found none");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file() && is_picture(entry.path())) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<LoraPicture> pictures;
  for (const std::filesystem::path& file : files) {
    try {
      pictures.push_back(read_one(file, caption, read));
    } catch (const Error& error) {
      if (skipped) skipped(concat("skipped ", file.filename().string(), ": ", error.what()));
    }
  }
  if (std::ssize(pictures) < kFewest)
    fail(Cause::BadInput, folder.string(), ": expected at least ", kFewest,
         " pictures that can be used, found ", pictures.size(), " of ", files.size(),
         "; from fewer a LoRA learns the pictures themselves instead of what they have in common");
  return pictures;
}

BucketSize nearest_bucket(int width, int height, std::int64_t pixels) {
  static constexpr double kRatios[] = {1, 5 / 4.0, 4 / 3.0, 3 / 2.0, 16 / 9.0, 1.91, 2};
  const double own = static_cast<double>(width) / height;
  double best = 1;
  for (const double wide : kRatios)
    for (const double ratio : {wide, 1 / wide})
      if (std::fabs(std::log(ratio / own)) < std::fabs(std::log(best / own))) best = ratio;
  const int grid = pixels >= 512 * 512 ? 64 : 8;
  const auto side = [&](double length) {
    return std::max(grid, static_cast<int>(std::lround(length / grid)) * grid);
  };
  const auto area = static_cast<double>(pixels);
  return {side(std::sqrt(area * best)), side(std::sqrt(area / best))};
}

std::vector<EncodedPicture> encode_lora_pictures(const Components& parts,
                                                 const std::vector<LoraPicture>& pictures,
                                                 const LoraDataOptions& options,
                                                 at::Device device) {
  const c10::NoGradGuard no_grad;
  std::vector<EncodedPicture> encoded;
  for (const LoraPicture& picture : pictures) {
    EncodedPicture one;
    one.caption = picture.caption;
    one.source_width = picture.image.width;
    one.source_height = picture.image.height;
    one.size = {options.width, options.height};
    if (options.buckets)
      one.size = nearest_bucket(picture.image.width, picture.image.height,
                                std::int64_t{options.width} * options.height);
    const at::Tensor pixels = tensor_of(cover(picture.image, one.size.width, one.size.height));
    const auto latents = [&](const at::Tensor& input) {
      const at::Tensor mean =
          parts.vae->encode_float32(input.unsqueeze(0).to(device)).mean.to(at::kFloat);
      return (mean * parts.vae->scaling_factor())[0].contiguous();
    };
    one.latents = latents(pixels);
    if (options.flips) one.flipped = latents(pixels.flip({2}));
    if (!at::isfinite(one.latents).all().item<bool>())
      fail(Cause::Internal, picture.file.string(),
           ": the autoencoder gives values that are not finite");
    encoded.push_back(std::move(one));
  }
  return encoded;
}

TextStates::State TextStates::made(const std::string& caption) const {
  GenerateRequest request;
  request.prompts = {caption};
  std::vector<std::string> warnings;
  const PromptEmbeds embeds = encode_prompts(parts_, request, false, device_, warnings);
  return {embeds.prompt_embeds, embeds.pooled_prompt_embeds};
}

const TextStates::State& TextStates::kept(const std::string& caption) {
  const auto found = states_.find(caption);
  if (found != states_.end()) return found->second;
  const c10::NoGradGuard no_grad;
  return states_[caption] = made(caption);
}

}  // namespace affiche::diffusion

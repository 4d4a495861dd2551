// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/latent_batches.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "diffusion/training/drawing/random.h"

namespace affiche::diffusion {

LatentBatches::LatentBatches(Options options) : options_(std::move(options)) {
  for (const auto& file : options_.files) {
    sets_.push_back(load_latents(file).of(options_.families));
    if (sets_.back().size() == 0)
      fail(Cause::BadInput, file.string(),
           ": expected pictures of the chosen families, found none; give other --families or "
           "encode some");
    sets_.back().latents = sets_.back().latents.to(options_.device);
    total_ += sets_.back().size();
  }
  if (sets_.empty()) fail(Cause::Usage, "expected at least one --latents file, found none");
}

LatentBatches::Batch LatentBatches::draw(std::int64_t step) const {
  Random random(Random::mix(options_.seed + 77) + static_cast<std::uint64_t>(step));
  std::int64_t place = random.below(static_cast<int>(total_));
  std::size_t chosen = 0;
  while (place >= sets_[chosen].size()) place -= sets_[chosen++].size();
  const LatentSet& set = sets_[chosen];
  Batch batch;
  const at::Tensor pictures = at::empty({options_.batch}, at::kLong);
  for (int i = 0; i < options_.batch; ++i) {
    const std::int64_t picture = random.below(static_cast<int>(set.size()));
    pictures.data_ptr<std::int64_t>()[i] = picture;
    const bool dropped = random.chance(static_cast<float>(options_.drop_captions));
    batch.captions.push_back(dropped ? "" : set.caption_of(picture, random.bits()));
  }
  batch.latents = set.latents.index_select(0, pictures.to(options_.device)).to(at::kFloat);
  return batch;
}

}  // namespace affiche::diffusion

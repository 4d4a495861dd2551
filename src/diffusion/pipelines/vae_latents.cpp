// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/vae_latents.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

// Where the model says so, half precision would overflow.
bool upcasts(const Autoencoder& vae, const at::Tensor& input) {
  return vae.force_upcast() && input.scalar_type() == at::kHalf;
}

bool all_finite(const at::Tensor& tensor) {
  return at::isfinite(tensor).all().item<bool>();
}

// Numbers per channel, to be broadcast over a batch of latents.
at::Tensor per_channel(const std::vector<double>& values, const at::Tensor& latents) {
  return at::tensor(values, at::kFloat).view({1, -1, 1, 1}).to(latents);
}

bool is_standardized(const Autoencoder& vae) {
  return !vae.latents_mean().empty() && !vae.latents_std().empty();
}

}  // namespace

at::Tensor encode_picture(const Autoencoder& vae, const at::Tensor& picture,
                          std::span<const at::Generator> generators, std::int64_t pictures,
                          const TilingOptions& tiling) {
  // diffusers' pipelines make pictures of rows of pixels, so that channels lie last.
  const at::Tensor pixels = picture.contiguous(at::MemoryFormat::ChannelsLast);
  const Autoencoder::Moments moments =
      upcasts(vae, pixels) ? vae.encode_float32(pixels, tiling) : vae.encode(pixels, tiling);
  at::Tensor latents = moments.mean;
  if (generators.size() > 1 && latents.size(0) == 1) latents = latents.repeat({pictures, 1, 1, 1});
  if (moments.logvar.defined()) {
    const at::Tensor deviation = at::exp(0.5 * moments.logvar);
    latents = latents + deviation * randn(latents.sizes(), generators, latents.scalar_type(),
                                          latents.device());
  }
  if (is_standardized(vae)) {
    latents = (latents - per_channel(vae.latents_mean(), latents)) * vae.scaling_factor() /
              per_channel(vae.latents_std(), latents);
  } else {
    latents = vae.scaling_factor() * latents;
  }
  if (latents.size(0) < pictures) latents = latents.repeat({pictures / latents.size(0), 1, 1, 1});
  return latents;
}

at::Tensor unscaled_latents(const Autoencoder& vae, const at::Tensor& latents, bool shifted) {
  if (shifted) return latents / vae.scaling_factor() + vae.shift_factor();
  if (!is_standardized(vae)) return latents / vae.scaling_factor();
  return latents * per_channel(vae.latents_std(), latents) / vae.scaling_factor() +
         per_channel(vae.latents_mean(), latents);
}

at::Tensor preview_pictures(const LatentPreview& preview, const Autoencoder& vae,
                            const at::Tensor& latents, bool shifted) {
  const at::Tensor wide = latents.to(at::kFloat);
  const at::Tensor loudness = wide.std(at::IntArrayRef{1, 2, 3}, true, true).clamp_min(1);
  const at::Tensor small = preview(unscaled_latents(vae, wide / loudness, shifted));
  const at::Tensor large = at::upsample_bilinear2d(
      small.permute({0, 3, 1, 2}).to(at::kFloat),
      {small.size(1) * vae.scale(), small.size(2) * vae.scale()}, /*align_corners=*/false);
  return large.round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

Decoded decode_latents(const Autoencoder& vae, const at::Tensor& latents,
                       const TilingOptions& tiling, bool shifted) {
  const at::Tensor unscaled = unscaled_latents(vae, latents, shifted);
  const bool upcast = upcasts(vae, latents), wide = latents.scalar_type() == at::kFloat;
  at::Tensor picture = upcast ? vae.decode_float32(unscaled, tiling) : vae.decode(unscaled, tiling);
  Decoded result;
  if (!wide && !all_finite(picture)) {
    // Large values in between are the usual reason; the float32 variant returns float16 as well
    // unless it is given float32.
    picture = vae.decode_float32(unscaled.to(at::kFloat), tiling);
    result.in_float32 = true;
  }
  if (!all_finite(picture)) {
    fail(Cause::Internal, "the autoencoder's output holds values that are not finite, in float32 ",
         "too; its weights are damaged or do not fit this model");
  }
  result.pictures = (picture.to(at::kFloat) / 2 + 0.5).clamp(0, 1).to(at::kCPU);
  return result;
}

}  // namespace affiche::diffusion

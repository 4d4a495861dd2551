// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/vae_latents.h"

#include <ATen/ATen.h>

#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

// Where the model says so, half precision would overflow.
bool upcasts(const Autoencoder& vae, const at::Tensor& input) {
  return vae.force_upcast() && input.scalar_type() == at::kHalf;
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
  const Autoencoder::Moments moments =
      upcasts(vae, picture) ? vae.encode_float32(picture, tiling) : vae.encode(picture, tiling);
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

at::Tensor decode_latents(const Autoencoder& vae, const at::Tensor& latents,
                          const TilingOptions& tiling) {
  at::Tensor unscaled = latents;
  if (is_standardized(vae)) {
    unscaled = latents * per_channel(vae.latents_std(), latents) / vae.scaling_factor() +
               per_channel(vae.latents_mean(), latents);
  } else {
    unscaled = latents / vae.scaling_factor();
  }
  const at::Tensor picture =
      (upcasts(vae, latents) ? vae.decode_float32(unscaled, tiling) : vae.decode(unscaled, tiling))
          .to(at::kFloat);
  return (picture / 2 + 0.5).clamp(0, 1).to(at::kCPU);
}

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/autoencoder.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/nn/autoencoder_tiny.h"

namespace affiche::diffusion {

at::Tensor Autoencoder::transform(Direction direction, const at::Tensor& x, at::ScalarType dtype,
                                  const TilingOptions& tiling) const {
  const bool encoding = direction == Direction::Encode;
  const std::int64_t channels = encoding ? in_channels() : latent_channels();
  if (x.dim() != 4 || x.size(1) != channels || x.numel() == 0) {
    fail(Cause::BadInput, name_, ": expected ", encoding ? "pictures" : "latents", " of B x ",
         channels, " x H x W, found ", x.sizes());
  }
  // Convolutions run a quarter faster on the CPU when channels lie last. An encoder keeps the order
  // of its pictures: its norms sum as the reference's do, and that depends on the order.
  const auto prepared = [&](const at::Tensor& part) {
    return part.to(dtype).contiguous(encoding ? part.suggest_memory_format()
                                              : at::MemoryFormat::ChannelsLast);
  };
  const auto one = [&](const at::Tensor& part) {
    if (!tiling.tiling) return run(direction, prepared(part));
    const std::int64_t pixels = tiling.tile_size > 0 ? tiling.tile_size : default_tile_size();
    check_tile_size(pixels);
    if (encoding && (part.size(2) % scale() != 0 || part.size(3) % scale() != 0)) {
      fail(Cause::BadInput, name_, ": expected pictures whose height and width ", scale(),
           " divides to encode in tiles, found ", part.sizes());
    }
    const std::int64_t small = pixels / scale();
    return run_tiled(direction, prepared(part), encoding ? pixels : small,
                     encoding ? small : pixels);
  };
  if (!tiling.slicing || x.size(0) == 1) return one(x);
  std::vector<at::Tensor> slices;
  for (const at::Tensor& slice : x.split(1)) slices.push_back(one(slice));
  return at::cat(slices);
}

Autoencoder::Moments Autoencoder::encode_as(at::ScalarType dtype, const at::Tensor& image,
                                            const TilingOptions& tiling) const {
  const at::Tensor encoded = transform(Direction::Encode, image, dtype, tiling);
  return moments_of(encoded.to(image.scalar_type()));
}

at::Tensor Autoencoder::decode_as(at::ScalarType dtype, const at::Tensor& latents,
                                  const TilingOptions& tiling) const {
  const at::Tensor decoded = transform(Direction::Decode, latents, dtype, tiling);
  return decoded.to(latents.scalar_type()).contiguous();
}

Autoencoder::Moments Autoencoder::encode(const at::Tensor& image,
                                         const TilingOptions& tiling) const {
  return encode_as(dtype(), image, tiling);
}

Autoencoder::Moments Autoencoder::encode_float32(const at::Tensor& image,
                                                 const TilingOptions& tiling) const {
  return encode_as(at::kFloat, image, tiling);
}

at::Tensor Autoencoder::decode(const at::Tensor& latents, const TilingOptions& tiling) const {
  return decode_as(dtype(), latents, tiling);
}

at::Tensor Autoencoder::decode_float32(const at::Tensor& latents,
                                       const TilingOptions& tiling) const {
  return decode_as(at::kFloat, latents, tiling);
}

std::unique_ptr<Autoencoder> make_autoencoder(const std::string& class_name, const Json& config) {
  if (class_name == "AutoencoderKL") {
    return std::make_unique<AutoencoderKL>(AutoencoderKLConfig::from_json(config));
  }
  if (class_name == "AutoencoderTiny") {
    return std::make_unique<AutoencoderTiny>(AutoencoderTinyConfig::from_json(config));
  }
  fail(Cause::BadInput, "autoencoder: expected AutoencoderKL or AutoencoderTiny, found ",
       class_name);
}

}  // namespace affiche::diffusion

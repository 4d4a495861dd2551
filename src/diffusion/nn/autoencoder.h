// SPDX-License-Identifier: Apache-2.0
// Pictures to latents and back: what pipelines need of an autoencoder, whichever it is.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

// How a call saves memory; the arithmetic is that of diffusers' enable_slicing() and
// enable_tiling().
struct TilingOptions {
  bool slicing = false;  // one picture of the batch after the other; the same result
  // Overlapping squares, blended where they overlap: each is normalised alone, so the result
  // differs from that of the whole picture.
  bool tiling = false;
  // Pixels; 0: the model's own (sample_size of an AutoencoderKL, 512 of an AutoencoderTiny). A
  // multiple of 4 * scale() (KL) or of 8 * scale(), at least 16 * scale() (Tiny): other sizes do
  // not join up.
  std::int64_t tile_size = 0;
};

// Calls are re-entrant and differentiable. encode() and decode() compute in the dtype of the
// weights, the float32 variants widen each layer's weights while the layer runs, so that no second
// copy stays in memory; all return the dtype of their input. BadInput when shapes do not fit.
class Autoencoder {
 public:
  struct Moments {
    at::Tensor mean;    // B x latent_channels x H/scale x W/scale
    at::Tensor logvar;  // the same shape, clamped to [-30, 20]; undefined: the mean is the latent
  };

  virtual ~Autoencoder() = default;
  Autoencoder(const Autoencoder&) = delete;
  Autoencoder& operator=(const Autoencoder&) = delete;

  // image: B x in_channels x H x W in [-1, 1]; with tiling, H and W are multiples of scale().
  Moments encode(const at::Tensor& image, const TilingOptions& tiling = {}) const;
  Moments encode_float32(const at::Tensor& image, const TilingOptions& tiling = {}) const;
  // latents: B x latent_channels x h x w, already divided by scaling_factor(). Result in about
  // [-1, 1], not clamped, B x out_channels x h*scale x w*scale.
  at::Tensor decode(const at::Tensor& latents, const TilingOptions& tiling = {}) const;
  at::Tensor decode_float32(const at::Tensor& latents, const TilingOptions& tiling = {}) const;

  // The denoiser's latents are (mean - shift) * scaling_factor. Only the pipelines of SD3 and Flux
  // use the shift; those of SD 1.x, 2.x and XL pass it over.
  virtual double scaling_factor() const = 0;
  virtual double shift_factor() const = 0;
  // One per latent channel, or empty. SDXL's pipelines decode
  // latents * std / scaling_factor + mean where both are given.
  virtual std::vector<double> latents_mean() const { return {}; }
  virtual std::vector<double> latents_std() const { return {}; }
  virtual std::int64_t scale() const = 0;  // pixels per latent, in each direction
  virtual std::int64_t in_channels() const = 0;
  virtual std::int64_t latent_channels() const = 0;
  // Half precision overflows in this model: use the float32 variants.
  virtual bool force_upcast() const = 0;
  virtual std::int64_t default_tile_size() const = 0;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

 protected:
  enum class Direction { Encode, Decode };

  // `name` is the class in errors.
  explicit Autoencoder(std::string name) : name_(std::move(name)) {}
  // x lies channels last in the dtype to compute in.
  virtual at::Tensor run_encoder(const at::Tensor& x) const = 0;
  virtual at::Tensor run_decoder(const at::Tensor& x) const = 0;
  virtual Moments moments_of(const at::Tensor& encoded) const = 0;
  // x in squares of tile_in, which the network makes into squares of tile_out.
  virtual at::Tensor run_tiled(Direction direction, const at::Tensor& x, std::int64_t tile_in,
                               std::int64_t tile_out) const = 0;
  // BadInput unless tiles of so many pixels join up.
  virtual void check_tile_size(std::int64_t pixels) const = 0;
  at::Tensor run(Direction direction, const at::Tensor& x) const {
    return direction == Direction::Encode ? run_encoder(x) : run_decoder(x);
  }
  const std::string& name() const { return name_; }

 private:
  at::ScalarType dtype() const { return parameters_.slots().front().tensor->scalar_type(); }
  at::Tensor transform(Direction direction, const at::Tensor& x, at::ScalarType dtype,
                       const TilingOptions& tiling) const;
  Moments encode_as(at::ScalarType dtype, const at::Tensor& image,
                    const TilingOptions& tiling) const;
  at::Tensor decode_as(at::ScalarType dtype, const at::Tensor& latents,
                       const TilingOptions& tiling) const;

  std::string name_;
  Parameters parameters_;
};

// class_name: "AutoencoderKL" or "AutoencoderTiny"; BadInput for any other and for a config that is
// not built.
std::unique_ptr<Autoencoder> make_autoencoder(const std::string& class_name,
                                              const nlohmann::ordered_json& config);

}  // namespace affiche::diffusion

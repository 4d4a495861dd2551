// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/autoencoder_tiny.h"

#include <ATen/ATen.h>

#include <deque>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/layers.h"
#include "diffusion/nn/tiling.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kMostLevels = 8;

at::Tensor activate(const at::Tensor& x, const std::string& act_fn) {
  if (act_fn == "relu") return at::relu(x);
  if (act_fn == "gelu") return at::gelu(x);
  if (act_fn == "mish") return at::mish(x);
  return at::silu(x);
}

// relu(x + three convolutions of x).
class Block {
 public:
  Block(Parameters& parameters, const std::string& name, const AutoencoderTinyConfig& config)
      : conv0_(parameters, name + ".conv.0", config.width, config.width, 3, 1, 1),
        conv2_(parameters, name + ".conv.2", config.width, config.width, 3, 1, 1),
        conv4_(parameters, name + ".conv.4", config.width, config.width, 3, 1, 1),
        act_fn_(config.act_fn) {}
  at::Tensor operator()(const at::Tensor& x) const {
    const at::Tensor hidden = activate(conv2_(activate(conv0_(x), act_fn_)), act_fn_);
    return at::relu(conv4_(hidden) + x);
  }

 private:
  Conv2d conv0_, conv2_, conv4_;
  std::string act_fn_;
};

struct Level {
  std::unique_ptr<Conv2d> resample;  // the encoder's before the blocks, the decoder's behind them
  std::deque<Block> blocks;
};

// "encoder_block_out_channels" or the decoder's: the width that all levels have.
std::int64_t read_width(ConfigReader& reader, const std::string& key, std::size_t levels) {
  const std::vector<std::int64_t> widths =
      reader.integers(key, std::vector<std::int64_t>(levels, 64));
  if (widths != std::vector<std::int64_t>(levels, widths.front())) {
    reader.refuse(key, concat("expected the same number for each of the ", levels, " levels"));
  }
  return widths.front();
}

}  // namespace

AutoencoderTinyConfig AutoencoderTinyConfig::from_json(const Json& json) {
  ConfigReader reader(json, "AutoencoderTiny config");
  AutoencoderTinyConfig config;
  config.in_channels = reader.integer("in_channels", 3);
  config.out_channels = reader.integer("out_channels", 3);
  config.latent_channels = reader.integer("latent_channels", 4);
  config.num_encoder_blocks =
      reader.integers("num_encoder_blocks", config.num_encoder_blocks, ConfigReader::kMostLayers);
  config.num_decoder_blocks =
      reader.integers("num_decoder_blocks", config.num_decoder_blocks, ConfigReader::kMostLayers);
  const std::size_t levels = config.num_encoder_blocks.size();
  if (config.num_decoder_blocks.size() != levels || levels > kMostLevels) {
    reader.refuse("num_decoder_blocks", concat("expected as many levels as num_encoder_blocks, ",
                                               levels, ", and at most ", kMostLevels));
  }
  config.width = read_width(reader, "encoder_block_out_channels", levels);
  if (read_width(reader, "decoder_block_out_channels", levels) != config.width) {
    reader.refuse("decoder_block_out_channels", "expected the encoder's");
  }
  config.act_fn = reader.text("act_fn", "relu");
  if (config.act_fn == "swish") config.act_fn = "silu";
  if (config.act_fn != "relu" && config.act_fn != "silu" && config.act_fn != "gelu" &&
      config.act_fn != "mish") {
    reader.refuse("act_fn", "only relu, silu, gelu and mish are supported");
  }
  config.scaling_factor = reader.number("scaling_factor", 1.0);
  if (config.scaling_factor <= 0) reader.refuse("scaling_factor", "expected a positive number");
  config.shift_factor = reader.number("shift_factor", 0.0);
  reader.only("upsample_fn", "\"nearest\"");
  reader.only("upsampling_scaling_factor", "2");
  // The range of latents kept as bytes, which we do not do; a copy of another key; and what
  // diffusers sets to false itself.
  reader.ignore({"latent_magnitude", "latent_shift", "block_out_channels", "force_upcast"});
  reader.finish();
  return config;
}

// The checkpoint numbers convolutions, activations and upsamplings of each half in one row.
struct AutoencoderTiny::Net {
  Net(Parameters& parameters, const AutoencoderTinyConfig& config) {
    std::int64_t index = 0;
    const auto next = [&](const char* half) { return concat(half, ".layers.", index++); };
    const std::int64_t width = config.width;
    for (std::size_t i = 0; i < config.num_encoder_blocks.size(); ++i) {
      Level& level = down.emplace_back();
      level.resample = i == 0 ? std::make_unique<Conv2d>(parameters, next("encoder"),
                                                         config.in_channels, width, 3, 1, 1)
                              : std::make_unique<Conv2d>(parameters, next("encoder"), width, width,
                                                         3, 2, 1, false);
      add_blocks(parameters, level, config.num_encoder_blocks[i], "encoder", index, config);
    }
    encoder_out = std::make_unique<Conv2d>(parameters, next("encoder"), width,
                                           config.latent_channels, 3, 1, 1);
    index = 0;
    decoder_in = std::make_unique<Conv2d>(parameters, next("decoder"), config.latent_channels,
                                          width, 3, 1, 1);
    ++index;  // the activation
    for (std::size_t i = 0; i < config.num_decoder_blocks.size(); ++i) {
      const bool last = i + 1 == config.num_decoder_blocks.size();
      Level& level = up.emplace_back();
      add_blocks(parameters, level, config.num_decoder_blocks[i], "decoder", index, config);
      if (!last) ++index;  // the upsampling
      level.resample = std::make_unique<Conv2d>(parameters, next("decoder"), width,
                                                last ? config.out_channels : width, 3, 1, 1, last);
    }
  }
  static void add_blocks(Parameters& parameters, Level& level, std::int64_t count, const char* half,
                         std::int64_t& index, const AutoencoderTinyConfig& config) {
    for (std::int64_t i = 0; i < count; ++i) {
      level.blocks.emplace_back(parameters, concat(half, ".layers.", index++), config);
    }
  }

  std::deque<Level> down, up;
  std::unique_ptr<Conv2d> encoder_out, decoder_in;
};

AutoencoderTiny::AutoencoderTiny(const AutoencoderTinyConfig& config)
    : Autoencoder("AutoencoderTiny"),
      config_(config),
      net_(std::make_unique<Net>(parameters(), config_)) {}

AutoencoderTiny::~AutoencoderTiny() = default;

at::Tensor AutoencoderTiny::run_encoder(const at::Tensor& x) const {
  at::Tensor hidden = (x + 1) / 2;
  for (const Level& level : net_->down) {
    hidden = (*level.resample)(hidden);
    for (const Block& block : level.blocks) hidden = block(hidden);
  }
  return (*net_->encoder_out)(hidden);
}

at::Tensor AutoencoderTiny::run_decoder(const at::Tensor& x) const {
  at::Tensor hidden = activate((*net_->decoder_in)(at::tanh(x / 3) * 3), config_.act_fn);
  for (std::size_t i = 0; i < net_->up.size(); ++i) {
    for (const Block& block : net_->up[i].blocks) hidden = block(hidden);
    if (i + 1 < net_->up.size()) {
      hidden = at::upsample_nearest2d(hidden, {2 * hidden.size(2), 2 * hidden.size(3)});
    }
    hidden = (*net_->up[i].resample)(hidden);
  }
  return hidden * 2 - 1;
}

Autoencoder::Moments AutoencoderTiny::moments_of(const at::Tensor& encoded) const {
  return {encoded.contiguous(), {}};
}

at::Tensor AutoencoderTiny::run_tiled(Direction direction, const at::Tensor& x,
                                      std::int64_t tile_in, std::int64_t tile_out) const {
  return fade_tiles(
      x, [&](const at::Tensor& tile) { return run(direction, tile); }, tile_in, tile_out);
}

void AutoencoderTiny::check_tile_size(std::int64_t pixels) const {
  if (pixels % (8 * scale()) != 0 || pixels < 16 * scale()) {
    fail(Cause::BadInput, name(), ": expected a tile size that ", 8 * scale(),
         " divides, of at least ", 16 * scale(), " pixels, found ", pixels);
  }
}

}  // namespace affiche::diffusion

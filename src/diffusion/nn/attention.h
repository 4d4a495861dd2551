// SPDX-License-Identifier: Apache-2.0
// Scaled dot-product attention and the transformer blocks of the UNet.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "diffusion/nn/layers.h"

namespace affiche::diffusion {

// softmax(q k^T / sqrt(width per head)) v. q: B x T x C, k and v: B x S x C, C = heads * width per
// head; result B x T x C. `causal`: position i sees positions up to i (T = S).
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  bool causal = false);

struct AttentionOptions {
  std::int64_t heads = 8;
  std::int64_t context_width = 0;  // 0: the layer attends to its own input
  bool projection_bias = false;    // of to_q, to_k, to_v
  bool upcast = false;             // half precision attends in fp32
};

// Layers to_q, to_k, to_v, to_out.0, as the checkpoints name them.
class Attention {
 public:
  Attention(Parameters& parameters, const std::string& name, std::int64_t width,
            const AttentionOptions& options);
  // x: B x T x width; context: B x S x context_width, or undefined for self-attention.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context = {}) const;

 private:
  Linear to_q_, to_k_, to_v_, to_out_;
  std::int64_t heads_;
  bool upcast_;
};

// Self-attention over the pixels of a feature map with a group norm and a residual, one head.
// Also takes the names of older checkpoints (query, key, value, proj_attn).
class SpatialAttention {
 public:
  SpatialAttention(Parameters& parameters, const std::string& name, std::int64_t channels,
                   std::int64_t groups, double eps);
  at::Tensor operator()(const at::Tensor& x) const;  // B x C x H x W

 private:
  GroupNorm group_norm_;
  Attention attention_;
};

// Gated feed-forward: net.0.proj widens to 2 x 4 x width, the first half times the exact GELU of
// the second, net.2 comes back.
class FeedForward {
 public:
  FeedForward(Parameters& parameters, const std::string& name, std::int64_t width);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Linear proj_, out_;
};

struct TransformerOptions {
  std::int64_t heads = 8;
  std::int64_t layers = 1;
  std::int64_t context_width = 768;
  std::int64_t groups = 32;
  bool linear_projection = false;
  bool upcast = false;
  bool only_cross_attention = false;  // attn1 takes its keys and values from the text too
};

// x + attn1(norm1(x)), + attn2(norm2(x), context), + ff(norm3(x)).
class BasicTransformerBlock {
 public:
  BasicTransformerBlock(Parameters& parameters, const std::string& name, std::int64_t width,
                        const TransformerOptions& options);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;

 private:
  LayerNorm norm1_;
  Attention attn1_;
  bool only_cross_attention_;
  LayerNorm norm2_;
  Attention attn2_;
  LayerNorm norm3_;
  FeedForward ff_;
};

// B x C x H x W -> the same: group norm (eps 1e-6), proj_in, the blocks over pixels, proj_out,
// residual.
class Transformer2DModel {
 public:
  Transformer2DModel(Parameters& parameters, const std::string& name, std::int64_t channels,
                     const TransformerOptions& options);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;

 private:
  GroupNorm norm_;
  std::optional<Linear> linear_in_, linear_out_;
  std::optional<Conv2d> conv_in_, conv_out_;
  std::vector<std::unique_ptr<BasicTransformerBlock>> blocks_;
};

}  // namespace affiche::diffusion

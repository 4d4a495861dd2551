// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/attention.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

// B x C x H x W -> B x (H W) x C; free of copies when x lies channels last.
at::Tensor to_sequence(const at::Tensor& x) {
  return x.permute({0, 2, 3, 1}).reshape({x.size(0), x.size(2) * x.size(3), x.size(1)});
}

at::Tensor to_map(const at::Tensor& x, std::int64_t height, std::int64_t width) {
  return x.view({x.size(0), height, width, x.size(2)}).permute({0, 3, 1, 2});
}

// The backward of the fused kernel calls one small product for each head of each picture, and on a
// CPU sets each up anew. In bf16 whole products are 1.1 to 5 times faster up to this many pairs;
// beyond, their table of weights costs too much memory.
constexpr std::int64_t kMostPairs = 1024 * 1024;

bool learns_short_sequences(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return c10::GradMode::is_enabled() &&
         (q.requires_grad() || k.requires_grad() || v.requires_grad()) && q.is_cpu() &&
         q.scalar_type() == at::kBFloat16 && q.size(1) * k.size(1) <= kMostPairs;
}

at::Tensor whole_products(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  return at::matmul(at::matmul(q * scale, k.transpose(2, 3)).softmax(-1), v);
}

}  // namespace

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads,
                  bool causal) {
  const at::Tensor query = split_heads(q, heads), key = split_heads(k, heads),
                   value = split_heads(v, heads);
  const at::Tensor out =
      !causal && learns_short_sequences(q, k, v)
          ? whole_products(query, key, value)
          : at::scaled_dot_product_attention(query, key, value, std::nullopt, 0.0, causal);
  return out.transpose(1, 2).reshape({q.size(0), q.size(1), v.size(2)});
}

Attention::Attention(Parameters& parameters, const std::string& name, std::int64_t width,
                     const AttentionOptions& options)
    : to_q_(parameters, name + ".to_q", width, width, options.projection_bias),
      to_k_(parameters, name + ".to_k", options.context_width > 0 ? options.context_width : width,
            width, options.projection_bias),
      to_v_(parameters, name + ".to_v", options.context_width > 0 ? options.context_width : width,
            width, options.projection_bias),
      to_out_(parameters, name + ".to_out.0", width, width),
      heads_(options.heads),
      upcast_(options.upcast) {
  if (width % heads_ != 0) {
    fail(Cause::BadInput, "\"attention_head_dim\": ", heads_, " heads do not divide the ", width,
         " channels of ", name);
  }
}

at::Tensor Attention::operator()(const at::Tensor& x, const at::Tensor& context) const {
  const at::Tensor& source = context.defined() ? context : x;
  const at::Tensor q = to_q_(x), k = to_k_(source), v = to_v_(source);
  if (upcast_ && x.scalar_type() == at::kHalf) {
    const auto wide = [](const at::Tensor& t) { return t.to(at::kFloat); };
    return to_out_(attend(wide(q), wide(k), wide(v), heads_).to(at::kHalf));
  }
  return to_out_(attend(q, k, v, heads_));
}

SpatialAttention::SpatialAttention(Parameters& parameters, const std::string& name,
                                   std::int64_t channels, std::int64_t groups, double eps)
    : group_norm_(parameters, name + ".group_norm", groups, channels, eps),
      attention_(parameters, name, channels, {.heads = 1, .projection_bias = true}) {
  const std::pair<const char*, const char*> names[] = {
      {".query", ".to_q"}, {".key", ".to_k"}, {".value", ".to_v"}, {".proj_attn", ".to_out.0"}};
  for (const auto& [old, current] : names) {
    for (const char* tensor : {".weight", ".bias"}) {
      parameters.alias(name + old + tensor, name + current + tensor);
    }
  }
}

at::Tensor SpatialAttention::operator()(const at::Tensor& x) const {
  // The reference's own order of operations and strides, so that what follows rounds alike.
  const at::Tensor sequence = group_norm_(x.flatten(2)).transpose(1, 2);
  return attention_(sequence).transpose(1, 2).reshape(x.sizes()) + x;
}

FeedForward::FeedForward(Parameters& parameters, const std::string& name, std::int64_t width)
    : proj_(parameters, name + ".net.0.proj", width, 8 * width),
      out_(parameters, name + ".net.2", 4 * width, width) {}

at::Tensor FeedForward::operator()(const at::Tensor& x) const {
  const std::vector<at::Tensor> halves = proj_(x).chunk(2, -1);
  return out_(halves[0] * at::gelu(halves[1]));
}

BasicTransformerBlock::BasicTransformerBlock(Parameters& parameters, const std::string& name,
                                             std::int64_t width, const TransformerOptions& options)
    : norm1_(parameters, name + ".norm1", width),
      attn1_(parameters, name + ".attn1", width,
             {.heads = options.heads,
              .context_width = options.only_cross_attention ? options.context_width : 0,
              .upcast = options.upcast}),
      only_cross_attention_(options.only_cross_attention),
      norm2_(parameters, name + ".norm2", width),
      attn2_(parameters, name + ".attn2", width,
             {.heads = options.heads,
              .context_width = options.context_width,
              .upcast = options.upcast}),
      norm3_(parameters, name + ".norm3", width),
      ff_(parameters, name + ".ff", width) {}

at::Tensor BasicTransformerBlock::operator()(const at::Tensor& x, const at::Tensor& context) const {
  at::Tensor hidden = x + attn1_(norm1_(x), only_cross_attention_ ? context : at::Tensor());
  hidden = hidden + attn2_(norm2_(hidden), context);
  return hidden + ff_(norm3_(hidden));
}

Transformer2DModel::Transformer2DModel(Parameters& parameters, const std::string& name,
                                       std::int64_t channels, const TransformerOptions& options)
    : norm_(parameters, name + ".norm", options.groups, channels, 1e-6) {
  if (options.linear_projection) {
    linear_in_.emplace(parameters, name + ".proj_in", channels, channels);
  } else {
    conv_in_.emplace(parameters, name + ".proj_in", channels, channels, 1);
  }
  for (std::int64_t i = 0; i < options.layers; ++i) {
    blocks_.push_back(std::make_unique<BasicTransformerBlock>(
        parameters, concat(name, ".transformer_blocks.", i), channels, options));
  }
  if (options.linear_projection) {
    linear_out_.emplace(parameters, name + ".proj_out", channels, channels);
  } else {
    conv_out_.emplace(parameters, name + ".proj_out", channels, channels, 1);
  }
}

at::Tensor Transformer2DModel::operator()(const at::Tensor& x, const at::Tensor& context) const {
  const std::int64_t height = x.size(2), width = x.size(3);
  at::Tensor hidden = norm_(x);
  hidden = linear_in_ ? (*linear_in_)(to_sequence(hidden)) : to_sequence((*conv_in_)(hidden));
  for (const auto& block : blocks_) hidden = (*block)(hidden, context);
  hidden = linear_out_ ? to_map((*linear_out_)(hidden), height, width)
                       : (*conv_out_)(to_map(hidden, height, width));
  return x + hidden;
}

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/joint_transformer.h"

#include <ATen/ATen.h>

namespace affiche::diffusion {
namespace {

constexpr double kEps = 1e-6;
constexpr std::int64_t kSinusoids = 256;

at::Tensor sinusoids(const at::Tensor& values, at::ScalarType dtype) {
  return timestep_embedding(values, kSinusoids, true, 0).to(dtype);
}

// Channels 2i and 2i + 1 are a complex number, which is turned. x: B x heads x T x width.
at::Tensor turned(const at::Tensor& x, const Rotary& rotary) {
  if (!rotary.cos.defined()) return x;
  const std::vector<at::Tensor> parts =
      x.reshape({x.size(0), x.size(1), x.size(2), -1, 2}).unbind(-1);
  const at::Tensor quarter = at::stack({-parts[1], parts[0]}, -1).flatten(3);
  return (x.to(at::kFloat) * rotary.cos + quarter.to(at::kFloat) * rotary.sin).to(x.scalar_type());
}

at::Tensor gated(const at::Tensor& gate, const at::Tensor& x) {
  return gate.unsqueeze(1) * x;
}

}  // namespace

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  const at::Tensor normed = at::layer_norm(x, {x.size(-1)}, {}, {}, kEps);
  return normed * (1 + scale.unsqueeze(1)) + shift.unsqueeze(1);
}

Modulation::Modulation(Parameters& parameters, const std::string& name, std::int64_t width,
                       std::int64_t count)
    : linear_(parameters, name + ".linear", width, count * width), count_(count) {}

std::vector<at::Tensor> Modulation::operator()(const at::Tensor& embedding) const {
  return linear_(at::silu(embedding)).chunk(count_, 1);
}

TimeTextEmbedding::TimeTextEmbedding(Parameters& parameters, const std::string& name,
                                     std::int64_t width, std::int64_t pooled_width,
                                     bool with_guidance)
    : timestep_embedder_(parameters, name + ".timestep_embedder", kSinusoids, width),
      text_1_(parameters, name + ".text_embedder.linear_1", pooled_width, width),
      text_2_(parameters, name + ".text_embedder.linear_2", width, width) {
  if (with_guidance) {
    guidance_embedder_.emplace(parameters, name + ".guidance_embedder", kSinusoids, width);
  }
}

at::Tensor TimeTextEmbedding::operator()(const at::Tensor& timestep, const at::Tensor& guidance,
                                         const at::Tensor& pooled) const {
  const at::ScalarType dtype = pooled.scalar_type();
  at::Tensor time = timestep_embedder_(sinusoids(timestep, dtype));
  if (guidance_embedder_) time = time + (*guidance_embedder_)(sinusoids(guidance, dtype));
  return time + text_2_(at::silu(text_1_(pooled)));
}

GeluFeedForward::GeluFeedForward(Parameters& parameters, const std::string& name,
                                 std::int64_t width)
    : proj_(parameters, name + ".net.0.proj", width, 4 * width),
      out_(parameters, name + ".net.2", 4 * width, width) {}

at::Tensor GeluFeedForward::operator()(const at::Tensor& x) const {
  return out_(at::gelu(proj_(x), "tanh"));
}

JointAttention::Stream::Stream(Parameters& parameters, const std::string& name, const char* prefix,
                               const char* suffix, std::int64_t width)
    : q(parameters, name + prefix + "q" + suffix, width, width),
      k(parameters, name + prefix + "k" + suffix, width, width),
      v(parameters, name + prefix + "v" + suffix, width, width) {}

JointAttention::Norms::Norms(Parameters& parameters, const std::string& name, const char* added,
                             std::int64_t width)
    : q(parameters, name + ".norm_" + added + "q", width, kEps),
      k(parameters, name + ".norm_" + added + "k", width, kEps) {}

JointAttention::JointAttention(Parameters& parameters, const std::string& name, std::int64_t width,
                               const JointAttentionOptions& options)
    : options_(options), own_(parameters, name, ".to_", "", width) {
  const std::int64_t head = width / options.heads;
  if (options.qk_norm) norms_.emplace(parameters, name, "", head);
  if (options.out) out_.emplace(parameters, name + ".to_out.0", width, width);
  if (!options.context) return;
  added_.emplace(parameters, name, ".add_", "_proj", width);
  if (options.qk_norm) added_norms_.emplace(parameters, name, "added_", head);
  if (options.context_out) added_out_.emplace(parameters, name + ".to_add_out", width, width);
}

at::Tensor JointAttention::heads_of(const at::Tensor& x) const {
  return x.view({x.size(0), x.size(1), options_.heads, x.size(2) / options_.heads}).transpose(1, 2);
}

std::pair<at::Tensor, at::Tensor> JointAttention::operator()(const at::Tensor& x,
                                                             const at::Tensor& context,
                                                             const Rotary& rotary) const {
  at::Tensor q = heads_of(own_.q(x)), k = heads_of(own_.k(x)), v = heads_of(own_.v(x));
  if (norms_) {
    q = norms_->q(q);
    k = norms_->k(k);
  }
  const auto joined = [&](const at::Tensor& own, const at::Tensor& added) {
    return options_.context_first ? at::cat({added, own}, 2) : at::cat({own, added}, 2);
  };
  if (added_) {
    at::Tensor added_q = heads_of(added_->q(context)), added_k = heads_of(added_->k(context));
    if (added_norms_) {
      added_q = added_norms_->q(added_q);
      added_k = added_norms_->k(added_k);
    }
    q = joined(q, added_q);
    k = joined(k, added_k);
    v = joined(v, heads_of(added_->v(context)));
  }
  at::Tensor out = at::scaled_dot_product_attention(turned(q, rotary), turned(k, rotary), v);
  out = out.transpose(1, 2).reshape({x.size(0), -1, x.size(2)});
  at::Tensor context_out;
  if (added_) {
    const std::int64_t length = context.size(1), place = options_.context_first ? length : 0;
    if (added_out_) {
      context_out = (*added_out_)(out.narrow(1, place == 0 ? x.size(1) : 0, length));
    }
    out = out.narrow(1, place, x.size(1));
  }
  return {out_ ? (*out_)(out) : out, context_out};
}

JointTransformerBlock::JointTransformerBlock(Parameters& parameters, const std::string& name,
                                             std::int64_t width, const JointBlockOptions& options)
    : norm1_(parameters, name + ".norm1", width, options.dual ? 9 : 6),
      norm1_context_(parameters, name + ".norm1_context", width, options.last ? 2 : 6),
      attn_(parameters, name + ".attn", width,
            {.heads = options.heads,
             .qk_norm = options.qk_norm,
             .context_out = !options.last,
             .context_first = options.context_first}),
      ff_(parameters, name + ".ff", width) {
  if (options.dual) {
    attn2_.emplace(parameters, name + ".attn2", width,
                   JointAttentionOptions{
                       .heads = options.heads, .qk_norm = options.qk_norm, .context = false});
  }
  if (!options.last) ff_context_.emplace(parameters, name + ".ff_context", width);
}

// Parts of a modulation: shift, scale and gate of the attention, then of the feed-forward, then of
// the second attention. The last block's context has scale and shift.
void JointTransformerBlock::operator()(at::Tensor& x, at::Tensor& context,
                                       const at::Tensor& embedding, const Rotary& rotary) const {
  const std::vector<at::Tensor> own = norm1_(embedding), other = norm1_context_(embedding);
  const bool last = !ff_context_;
  const auto [out, context_out] =
      attn_(modulated_norm(x, own[0], own[1]),
            modulated_norm(context, other[last ? 1 : 0], other[last ? 0 : 1]), rotary);
  at::Tensor hidden = x + gated(own[2], out);
  if (attn2_) {
    hidden = hidden + gated(own[8], (*attn2_)(modulated_norm(x, own[6], own[7])).first);
  }
  x = hidden + gated(own[5], ff_(modulated_norm(hidden, own[3], own[4])));
  if (last) return;
  const at::Tensor read = context + gated(other[2], context_out);
  context = read + gated(other[5], (*ff_context_)(modulated_norm(read, other[3], other[4])));
}

}  // namespace affiche::diffusion

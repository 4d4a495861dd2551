// SPDX-License-Identifier: Apache-2.0
// What the transformers of Stable Diffusion 3 (arXiv 2403.03206) and Flux have in common: text and
// picture are two streams with weights of their own that attend to each other, and every layer is
// scaled, shifted and gated by an embedding of time and text.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/nn/embeddings.h"
#include "diffusion/nn/layers.h"
#include "diffusion/nn/rms_norm.h"

namespace affiche::diffusion {

// A layer norm without weights (eps 1e-6), times (1 + scale), plus shift. x: B x T x C; shift and
// scale: B x C.
at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

// `name`.linear of silu(embedding), in `count` parts of B x width.
class Modulation {
 public:
  Modulation(Parameters& parameters, const std::string& name, std::int64_t width,
             std::int64_t count);
  std::vector<at::Tensor> operator()(const at::Tensor& embedding) const;

 private:
  Linear linear_;
  std::int64_t count_;
};

// `name`.timestep_embedder, text_embedder and, for models distilled with guidance,
// guidance_embedder; their sum.
class TimeTextEmbedding {
 public:
  TimeTextEmbedding(Parameters& parameters, const std::string& name, std::int64_t width,
                    std::int64_t pooled_width, bool with_guidance);
  // timestep and guidance (undefined without it): B; pooled: B x pooled_width -> B x width.
  at::Tensor operator()(const at::Tensor& timestep, const at::Tensor& guidance,
                        const at::Tensor& pooled) const;

 private:
  TimestepEmbedding timestep_embedder_;
  std::optional<TimestepEmbedding> guidance_embedder_;
  Linear text_1_, text_2_;
};

// net.0.proj to 4 x width, GELU with tanh, net.2 back.
class GeluFeedForward {
 public:
  GeluFeedForward(Parameters& parameters, const std::string& name, std::int64_t width);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Linear proj_, out_;
};

// Turns of the pairs of channels of queries and keys: T x width per head, float32, each value
// twice. Undefined: none.
struct Rotary {
  at::Tensor cos, sin;
};

struct JointAttentionOptions {
  std::int64_t heads = 1;
  bool qk_norm = false;       // queries and keys are RMS-normed by head
  bool context = true;        // has the second stream
  bool context_out = true;    // whose result is used
  bool out = true;            // has to_out.0
  bool context_first = true;  // the order in which the streams are joined
};

// Layers to_q, to_k, to_v, to_out.0; add_q_proj, add_k_proj, add_v_proj, to_add_out; norm_q,
// norm_k, norm_added_q, norm_added_k.
class JointAttention {
 public:
  JointAttention(Parameters& parameters, const std::string& name, std::int64_t width,
                 const JointAttentionOptions& options);
  // x: B x T x width, context: B x S x width, undefined without the second stream. The context's
  // result is undefined where it is not used.
  std::pair<at::Tensor, at::Tensor> operator()(const at::Tensor& x, const at::Tensor& context = {},
                                               const Rotary& rotary = {}) const;

 private:
  struct Stream {
    Stream(Parameters& parameters, const std::string& name, const char* prefix, const char* suffix,
           std::int64_t width);
    Linear q, k, v;
  };
  struct Norms {
    Norms(Parameters& parameters, const std::string& name, const char* added, std::int64_t width);
    RMSNorm q, k;
  };
  at::Tensor heads_of(const at::Tensor& x) const;

  JointAttentionOptions options_;
  Stream own_;
  std::optional<Norms> norms_;
  std::optional<Linear> out_;
  std::optional<Stream> added_;
  std::optional<Norms> added_norms_;
  std::optional<Linear> added_out_;
};

struct JointBlockOptions {
  std::int64_t heads = 1;
  bool qk_norm = false;
  bool dual = false;          // the picture's stream attends to itself once more (SD 3.5)
  bool last = false;          // the context is only read
  bool context_first = true;  // JointAttentionOptions::context_first
};

class JointTransformerBlock {
 public:
  JointTransformerBlock(Parameters& parameters, const std::string& name, std::int64_t width,
                        const JointBlockOptions& options);
  // Both streams, changed in place of the given ones; the last block leaves the context alone.
  void operator()(at::Tensor& x, at::Tensor& context, const at::Tensor& embedding,
                  const Rotary& rotary = {}) const;

 private:
  Modulation norm1_, norm1_context_;
  JointAttention attn_;
  std::optional<JointAttention> attn2_;
  GeluFeedForward ff_;
  std::optional<GeluFeedForward> ff_context_;
};

}  // namespace affiche::diffusion

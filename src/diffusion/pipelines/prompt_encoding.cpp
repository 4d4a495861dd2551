// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/prompt_encoding.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "diffusion/pipelines/prompt_lists.h"
#include "diffusion/text/prompt_chunks.h"

namespace affiche::diffusion {
namespace {

// Chunks of one side of the request, positive or negative, for one text encoder: by prompt.
using Chunks = std::vector<std::vector<PromptChunk>>;

struct Encoder {
  const CLIPTokenizer& tokenizer;
  const CLIPTextModel& model;
  bool is_xl;
};

// One tensor of T x D for each prompt, T = 77 x its chunks, and the projected state of the first
// chunk where the encoder has a projection.
struct Encoded {
  std::vector<at::Tensor> hidden;
  at::Tensor pooled;
};

void warn(const std::string& prompt, const PromptChunks& read, std::size_t length,
          Prompts& warnings) {
  Prompts said;
  if (read.cut) {
    said.push_back(concat(quoted(prompt), " has ", read.length,
                          " tokens; the model reads the first ", length,
                          "; long_prompts reads all of them"));
  }
  if (read.break_ignored) {
    said.push_back(concat(quoted(prompt), " says BREAK, which counts only with long_prompts"));
  }
  for (const std::string& word : read.cut_words) {
    said.push_back(
        concat(quoted(prompt), " gets only the first vector of \"", word,
               "\": diffusers replaces a word of textual inversion by all of its vectors "
               "only where it is in lower case and spelled so in the prompt; give the "
               "file a token in lower case"));
  }
  for (std::string& one : said) {
    if (std::find(warnings.begin(), warnings.end(), one) == warnings.end()) {
      warnings.push_back(std::move(one));
    }
  }
}

Chunks read(const CLIPTokenizer& tokenizer, const Prompts& prompts, const PromptReading& reading,
            Prompts& warnings) {
  Chunks chunks;
  for (const std::string& prompt : prompts) {
    PromptChunks one = read_prompt(tokenizer, prompt, reading);
    warn(prompt, one, tokenizer.model_max_length(), warnings);
    chunks.push_back(std::move(one.chunks));
  }
  return chunks;
}

// hidden_states[-(skip + 1)].
const at::Tensor& layer(const CLIPTextModel::Output& output, int skip) {
  const auto layers = static_cast<int>(output.hidden_states.size()) - 1;
  if (skip < 0 || skip > layers) {
    fail(Cause::Usage, "clip_skip: it leaves out ", skip, " of the text encoder's ", layers,
         " layers; expected at most ", layers);
  }
  return output.hidden_states[static_cast<std::size_t>(layers - skip)];
}

// Stable Diffusion XL reads the layer before the last one, without a final norm.
at::Tensor hidden_of(const Encoder& encoder, const CLIPTextModel::Output& output,
                     std::optional<int> clip_skip) {
  if (encoder.is_xl) return layer(output, clip_skip.value_or(0) + 1);
  if (!clip_skip) return output.last_hidden_state;
  return encoder.model.final_norm(layer(output, *clip_skip));
}

// What A1111 does: times the weights, then scaled so that the mean over the chunk stays what it
// was.
at::Tensor weighted(const at::Tensor& hidden, const std::vector<double>& weights) {
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 1; })) return hidden;
  const at::Tensor plain = hidden.to(at::kFloat);
  const at::Tensor factors = at::tensor(weights, at::kDouble).to(plain.options()).unsqueeze(-1);
  const at::Tensor changed = plain * factors;
  const at::Tensor scale = plain.mean() / changed.mean();
  if (!at::isfinite(scale).item<bool>()) return changed.to(hidden.scalar_type());
  return (changed * scale).to(hidden.scalar_type());
}

// Runs chunk after chunk, all prompts that have it at once.
Encoded encode(const Encoder& encoder, const Chunks& prompts, std::optional<int> clip_skip,
               at::Device device) {
  std::vector<std::vector<at::Tensor>> hidden(prompts.size());
  Encoded result;
  for (std::size_t chunk = 0;; ++chunk) {
    std::vector<std::int64_t> ids;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (chunk >= prompts[i].size()) continue;
      ids.insert(ids.end(), prompts[i][chunk].ids.begin(), prompts[i][chunk].ids.end());
      rows.push_back(i);
    }
    if (rows.empty()) break;
    const at::Tensor tokens =
        at::tensor(ids, at::kLong).view({static_cast<std::int64_t>(rows.size()), -1}).to(device);
    const CLIPTextModel::Output output = encoder.model.forward(tokens);
    if (chunk == 0) result.pooled = output.text_embeds;
    const at::Tensor states = hidden_of(encoder, output, clip_skip);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      hidden[rows[row]].push_back(
          weighted(states[static_cast<std::int64_t>(row)], prompts[rows[row]][chunk].weights));
    }
  }
  for (const std::vector<at::Tensor>& chunks : hidden) result.hidden.push_back(at::cat(chunks));
  return result;
}

// One side of the request, read by every text encoder.
struct Side {
  std::vector<Chunks> chunks;  // by encoder
  std::optional<int> clip_skip;
};

Side read_side(const std::vector<Encoder>& encoders, const Prompts& prompts,
               const Prompts& prompts_2, const PromptReading& reading, Prompts& warnings) {
  Side side;
  side.chunks.push_back(read(encoders[0].tokenizer, prompts, reading, warnings));
  if (encoders.size() == 2) {
    Prompts same;  // the second tokenizer has nothing new to say of the same prompts
    side.chunks.push_back(
        read(encoders[1].tokenizer, prompts_2, reading, prompts == prompts_2 ? same : warnings));
  }
  return side;
}

// Both sides of a prompt, in both encoders, get as many chunks as the longest of them.
void pad(const std::vector<Encoder>& encoders, std::vector<Side*> sides, std::size_t prompts) {
  for (std::size_t i = 0; i < prompts; ++i) {
    std::size_t most = 1;
    for (const Side* side : sides) {
      for (const Chunks& chunks : side->chunks) most = std::max(most, chunks[i].size());
    }
    for (Side* side : sides) {
      for (std::size_t e = 0; e < encoders.size(); ++e) {
        side->chunks[e][i].resize(most, empty_chunk(encoders[e].tokenizer));
      }
    }
  }
}

Encoded encode_side(const std::vector<Encoder>& encoders, const Side& side, at::Device device) {
  Encoded result = encode(encoders[0], side.chunks[0], side.clip_skip, device);
  if (encoders.size() == 1) return result;
  const Encoded second = encode(encoders[1], side.chunks[1], side.clip_skip, device);
  for (std::size_t i = 0; i < result.hidden.size(); ++i) {
    result.hidden[i] = at::cat({result.hidden[i], second.hidden[i]}, -1);
  }
  result.pooled = second.pooled;
  return result;
}

// N x T x D of prompts whose T differ. Each is repeated until all have the same: attention to a
// text that is repeated whole is attention to the text, so no picture depends on its neighbours.
at::Tensor stacked(std::vector<at::Tensor> hidden, std::int64_t chunk_length) {
  constexpr std::int64_t kMostChunks = 256;
  std::int64_t length = 1;
  for (const at::Tensor& one : hidden) length = std::lcm(length, one.size(0) / chunk_length);
  if (length > kMostChunks) {
    fail(Cause::Usage, "long_prompts: prompts of such different lengths in one request would need ",
         length, " chunks each; send them in several requests");
  }
  for (at::Tensor& one : hidden) {
    one = one.repeat({length * chunk_length / one.size(0), 1});
  }
  return at::stack(hidden);
}

// Which of the request's negative prompts are zeros instead of text.
std::vector<bool> zero_negatives(const Components& parts, const GenerateRequest& request) {
  const std::size_t count = request.prompts.size();
  std::vector<bool> zeros(count, false);
  if (!parts.is_xl() || request.empty_negative == EmptyNegative::Encoded) return zeros;
  if (request.empty_negative == EmptyNegative::Diffusers) {
    zeros.assign(count, request.negative_prompts.empty() && parts.force_zeros_for_empty_prompt);
    return zeros;
  }
  const Prompts first = for_each(request.negative_prompts, count);
  const Prompts second = for_each(request.negative_prompts_2, count);
  for (std::size_t i = 0; i < count; ++i) zeros[i] = first[i].empty() && second[i].empty();
  return zeros;
}

Encoded encode_negative(const std::vector<Encoder>& encoders, const Side& negative,
                        const std::vector<bool>& zeros, const Encoded& positive,
                        at::Device device) {
  Encoded result;
  if (std::all_of(zeros.begin(), zeros.end(), [](bool zero) { return zero; })) {
    // The usual case of Stable Diffusion XL: no need to run its large encoder.
    for (const at::Tensor& one : positive.hidden) result.hidden.push_back(at::zeros_like(one));
    result.pooled = at::zeros_like(positive.pooled);
    return result;
  }
  result = encode_side(encoders, negative, device);
  for (std::size_t i = 0; i < zeros.size(); ++i) {
    if (!zeros[i]) continue;
    result.hidden[i].zero_();
    result.pooled[static_cast<std::int64_t>(i)].zero_();
  }
  return result;
}

}  // namespace

PromptEmbeds encode_prompts(const Components& parts, const GenerateRequest& request, bool guided,
                            at::Device device, std::vector<std::string>& warnings) {
  const std::size_t count = request.prompts.size();
  std::vector<Encoder> encoders{{parts.tokenizer, *parts.text_encoder, parts.is_xl()}};
  if (parts.is_xl()) encoders.push_back({*parts.tokenizer_2, *parts.text_encoder_2, true});
  const PromptReading reading{request.prompt_weighting == PromptWeighting::A1111,
                              request.long_prompts};

  Side positive = read_side(encoders, request.prompts,
                            second_or(request.prompts_2, request.prompts), reading, warnings);
  positive.clip_skip = request.clip_skip;
  Side negative;  // without clip_skip, as in diffusers
  std::vector<Side*> sides{&positive};
  const std::vector<bool> zeros = zero_negatives(parts, request);
  if (guided) {
    Prompts prompts = for_each(request.negative_prompts, count);
    Prompts prompts_2 = second_or(request.negative_prompts_2, prompts);
    for (std::size_t i = 0; i < count; ++i) {
      if (zeros[i]) prompts[i] = prompts_2[i] = "";  // replaced below, and should not add chunks
    }
    negative = read_side(encoders, prompts, prompts_2, reading, warnings);
    sides.push_back(&negative);
  }
  pad(encoders, sides, count);

  PromptEmbeds embeds;
  const auto take = [&](const Encoded& encoded, at::Tensor& hidden, at::Tensor& pooled) {
    const auto length = static_cast<std::int64_t>(parts.tokenizer.model_max_length());
    hidden = stacked(encoded.hidden, length).repeat_interleave(request.num_images_per_prompt, 0);
    if (!encoded.pooled.defined()) return;
    pooled = encoded.pooled.repeat_interleave(request.num_images_per_prompt, 0);
  };
  const Encoded said = encode_side(encoders, positive, device);
  take(said, embeds.prompt_embeds, embeds.pooled_prompt_embeds);
  if (!guided) return embeds;
  const Encoded encoded = encode_negative(encoders, negative, zeros, said, device);
  take(encoded, embeds.negative_prompt_embeds, embeds.negative_pooled_prompt_embeds);
  return embeds;
}

}  // namespace affiche::diffusion

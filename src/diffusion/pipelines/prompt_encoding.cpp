// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/prompt_encoding.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

using Prompts = std::vector<std::string>;

CLIPTextModel::Output run(const CLIPTokenizer& tokenizer, const CLIPTextModel& encoder,
                          const Prompts& prompts, at::Device device, Prompts& warnings) {
  const std::size_t length = tokenizer.model_max_length();
  std::vector<std::int64_t> ids;
  for (const std::string& prompt : prompts) {
    const std::vector<std::int64_t> row = tokenizer.encode(prompt, length);
    ids.insert(ids.end(), row.begin(), row.end());
    const std::size_t whole = tokenizer.untruncated_length(prompt);
    if (whole > length) {
      warnings.push_back(concat("the prompt \"", prompt.substr(0, 60), "…\" has ", whole,
                                " tokens; the model reads the first ", length));
    }
  }
  const auto rows = static_cast<std::int64_t>(prompts.size());
  return encoder.forward(
      at::tensor(ids, at::kLong).view({rows, static_cast<std::int64_t>(length)}).to(device));
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

at::Tensor encode_one(const Components& parts, const Prompts& prompts, std::optional<int> clip_skip,
                      at::Device device, Prompts& warnings) {
  const CLIPTextModel& encoder = *parts.text_encoder;
  const CLIPTextModel::Output output = run(parts.tokenizer, encoder, prompts, device, warnings);
  if (!clip_skip) return output.last_hidden_state;
  return encoder.final_norm(layer(output, *clip_skip));
}

struct Both {
  at::Tensor embeds, pooled;
};

// Stable Diffusion XL reads the layer before the last one of both encoders, without a final norm.
Both encode_both(const Components& parts, const Prompts& prompts, const Prompts& prompts_2,
                 std::optional<int> clip_skip, at::Device device, Prompts& warnings) {
  const int skip = clip_skip.value_or(0) + 1;
  const CLIPTextModel::Output one =
      run(parts.tokenizer, *parts.text_encoder, prompts, device, warnings);
  Prompts said;  // the second tokenizer cuts the same prompt at the same place
  const CLIPTextModel::Output two =
      run(*parts.tokenizer_2, *parts.text_encoder_2, prompts_2, device, said);
  if (&prompts != &prompts_2) warnings.insert(warnings.end(), said.begin(), said.end());
  return {at::cat({layer(one, skip), layer(two, skip)}, -1), two.text_embeds};
}

// One for all becomes one for each.
Prompts for_each(Prompts prompts, std::size_t count) {
  if (prompts.empty()) prompts = {""};
  if (prompts.size() == 1) prompts.resize(count, prompts[0]);
  return prompts;
}

// As in Python, an empty second prompt is none.
bool is_given(const Prompts& prompts) {
  return !(prompts.empty() || prompts == Prompts{""});
}

bool negative_is_zeros(const Components& parts, const GenerateRequest& request) {
  const bool missing = request.negative_prompts.empty();
  if (request.empty_negative == EmptyNegative::Encoded) return false;
  if (request.empty_negative == EmptyNegative::Diffusers) {
    return missing && parts.force_zeros_for_empty_prompt;
  }
  const auto is_empty = [](const Prompts& prompts) {
    for (const std::string& prompt : prompts) {
      if (!prompt.empty()) return false;
    }
    return true;
  };
  return is_empty(request.negative_prompts) && is_empty(request.negative_prompts_2);
}

Both encode_negative(const Components& parts, const GenerateRequest& request, const Both& positive,
                     at::Device device, Prompts& warnings) {
  if (negative_is_zeros(parts, request)) {
    return {at::zeros_like(positive.embeds), at::zeros_like(positive.pooled)};
  }
  const std::size_t count = request.prompts.size();
  const Prompts negatives = for_each(request.negative_prompts, count);
  if (!is_given(request.negative_prompts_2)) {
    return encode_both(parts, negatives, negatives, std::nullopt, device, warnings);
  }
  return encode_both(parts, negatives, for_each(request.negative_prompts_2, count), std::nullopt,
                     device, warnings);
}

}  // namespace

PromptEmbeds encode_prompts(const Components& parts, const GenerateRequest& request, bool guided,
                            at::Device device, std::vector<std::string>& warnings) {
  const auto per_picture = [&](const at::Tensor& embeds) {
    return embeds.repeat_interleave(request.num_images_per_prompt, 0);
  };
  PromptEmbeds embeds;
  if (!parts.is_xl()) {
    embeds.prompt_embeds =
        per_picture(encode_one(parts, request.prompts, request.clip_skip, device, warnings));
    if (guided) {
      const Prompts negatives = for_each(request.negative_prompts, request.prompts.size());
      embeds.negative_prompt_embeds =
          per_picture(encode_one(parts, negatives, std::nullopt, device, warnings));
    }
    return embeds;
  }
  const Both positive =
      !is_given(request.prompts_2)
          ? encode_both(parts, request.prompts, request.prompts, request.clip_skip, device,
                        warnings)
          : encode_both(parts, request.prompts, for_each(request.prompts_2, request.prompts.size()),
                        request.clip_skip, device, warnings);
  embeds.prompt_embeds = per_picture(positive.embeds);
  embeds.pooled_prompt_embeds = per_picture(positive.pooled);
  if (guided) {
    const Both negative = encode_negative(parts, request, positive, device, warnings);
    embeds.negative_prompt_embeds = per_picture(negative.embeds);
    embeds.negative_pooled_prompt_embeds = per_picture(negative.pooled);
  }
  return embeds;
}

}  // namespace affiche::diffusion

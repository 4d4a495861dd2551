// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/transformer_parts.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "diffusion/pipelines/prompt_lists.h"

namespace affiche::diffusion {
namespace {

// int64 B x length.
template <typename Encode>
at::Tensor ids_of(const Prompts& prompts, at::Device device, Encode&& encode) {
  std::vector<at::Tensor> rows;
  for (const std::string& prompt : prompts) rows.push_back(at::tensor(encode(prompt), at::kLong));
  return at::stack(rows).to(device);
}

void warn_of_cut(const std::string& prompt, std::size_t length, std::size_t read,
                 const char* encoder, std::vector<std::string>& warnings) {
  if (length <= read) return;
  std::string said =
      concat(quoted(prompt), " has ", length, " tokens; ", encoder, " reads the first ", read);
  if (std::find(warnings.begin(), warnings.end(), said) == warnings.end()) {
    warnings.push_back(std::move(said));
  }
}

}  // namespace

std::unique_ptr<T5EncoderModel> load_t5(PartLoader& loader, const std::string& name) {
  CheckpointPart& source = loader.part(name, {"T5EncoderModel"});
  // One table under two names, in files that were saved without telling.
  if (source.weights.contains("shared.weight")) {
    source.weights.erase("encoder.embed_tokens.weight");
  }
  return loader.fill(std::make_unique<T5EncoderModel>(T5Config::from_json(source.config)), source);
}

std::unique_ptr<Autoencoder> load_vae(PartLoader& loader) {
  CheckpointPart& source = loader.part("vae", {"AutoencoderKL"});
  return loader.fill(make_autoencoder(source.class_name, source.config), source);
}

T5Tokenizer take_t5_tokenizer(PartLoader& loader, const std::string& name) {
  const auto found = loader.checkpoint.t5_tokenizers.find(name);
  if (found == loader.checkpoint.t5_tokenizers.end()) {
    fail(Cause::BadInput, loader.what, ": expected the part \"", name, "\" of the class ",
         "T5TokenizerFast or T5Tokenizer, found none");
  }
  return std::move(found->second);
}

void refuse_other_parts(const ModelFiles& files, const char* pipeline_class) {
  const std::pair<const char*, bool> parts[] = {{"unet", !files.unet.empty()},
                                                {"vae", !files.vae.empty()},
                                                {"controlnet", !files.controlnets.empty()}};
  for (const auto& [name, given] : parts) {
    if (!given) continue;
    fail(Cause::Usage, name, ": a ", pipeline_class,
         " runs with its own parts and does not take it; leave it out");
  }
}

void check_width(const PartLoader& loader, const char* part, std::int64_t found,
                 const char* expects, std::int64_t expected) {
  if (found == expected) return;
  fail(Cause::BadInput, loader.what, ": the transformer expects ", expects, " of ", expected, ", ",
       part, " gives ", found, "; they belong to different models");
}

at::Tensor clip_ids(const CLIPTokenizer& tokenizer, const Prompts& prompts, std::size_t length,
                    at::Device device, std::vector<std::string>& warnings) {
  return ids_of(prompts, device, [&](const std::string& prompt) {
    warn_of_cut(prompt, tokenizer.untruncated_length(prompt), length, "CLIP", warnings);
    return tokenizer.encode(prompt, length);
  });
}

at::Tensor t5_ids(const T5Tokenizer& tokenizer, const Prompts& prompts, std::int64_t length,
                  at::Device device, std::vector<std::string>& warnings) {
  const auto most = static_cast<std::size_t>(length);
  return ids_of(prompts, device, [&](const std::string& prompt) {
    warn_of_cut(prompt, tokenizer.untruncated_length(prompt), most, "T5", warnings);
    return tokenizer.encode(prompt, most);
  });
}

}  // namespace affiche::diffusion

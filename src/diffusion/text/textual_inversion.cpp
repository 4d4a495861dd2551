// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/textual_inversion.h"

#include <ATen/ATen.h>

#include <map>

#include "base/error.h"
#include "diffusion/weights/safetensors.h"
#include "diffusion/weights/torch_pickle.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostVectors = 1024;
constexpr std::size_t kMostTokens = 64;

// n x width, float32, of what a file holds under `name`.
at::Tensor vectors_of(const fs::path& file, const std::string& name, const at::Tensor& tensor) {
  const bool fits = at::isFloatingType(tensor.scalar_type()) && tensor.numel() > 0 &&
                    (tensor.dim() == 1 || (tensor.dim() == 2 && tensor.size(0) <= kMostVectors));
  if (!fits) {
    fail(Cause::BadInput, file.string(), ": \"", name,
         "\": expected a vector of numbers, or up to ", kMostVectors, " of them, found ",
         c10::toString(tensor.scalar_type()), " ", tensor.sizes());
  }
  // A copy: these few numbers outlive the file, which need not stay as it is.
  const at::Tensor numbers = tensor.to(at::kFloat, false, true);
  if (!at::isfinite(numbers).all().item<bool>()) {
    fail(Cause::BadInput, file.string(), ": \"", name, "\" holds values that are not finite");
  }
  return numbers.dim() == 1 ? numbers.unsqueeze(0) : numbers;
}

std::string name_or(const std::string& token, const std::string& other) {
  return token.empty() ? other : token;
}

// Tensors that are named for encoders, not for words.
bool names_encoders(const StateDict& tensors) {
  for (const auto& [name, unused] : tensors) {
    if (name != "clip_l" && name != "clip_g") return false;
  }
  return true;
}

TextualInversion from_encoders(const fs::path& file, const std::string& token,
                               const StateDict& tensors) {
  TextualInversion result{token, file, {}, {}};
  const auto first = tensors.find("clip_l");
  const auto second = tensors.find("clip_g");
  if (first == tensors.end()) {
    fail(Cause::BadInput, file.string(), ": expected \"clip_l\" beside \"clip_g\", found none");
  }
  result.vectors = vectors_of(file, "clip_l", first->second);
  if (second == tensors.end()) return result;
  result.vectors_2 = vectors_of(file, "clip_g", second->second);
  if (result.vectors.size(0) != result.vectors_2.size(0)) {
    fail(Cause::BadInput, file.string(),
         ": expected as many vectors in \"clip_g\" as in \"clip_l\", ", result.vectors.size(0),
         ", found ", result.vectors_2.size(0));
  }
  return result;
}

std::vector<TextualInversion> from_tensors(const fs::path& file, const std::string& token,
                                           const StateDict& tensors) {
  if (tensors.empty() || tensors.size() > kMostTokens) {
    fail(Cause::BadInput, file.string(), ": expected the vectors of 1 to ", kMostTokens,
         " words of textual inversion, found ", tensors.size(), " tensors");
  }
  if (names_encoders(tensors)) {
    return {from_encoders(file, name_or(token, file.stem().string()), tensors)};
  }
  std::vector<TextualInversion> all;
  for (const auto& [name, tensor] : tensors) {
    const std::string own = name == "emb_params" ? file.stem().string() : name;
    all.push_back({name_or(token, own), file, vectors_of(file, name, tensor), {}});
  }
  if (all.size() > 1 && !token.empty()) {
    fail(Cause::BadInput, file.string(), ": expected one word to be named \"", token, "\", found ",
         all.size(), ": \"", tensors.begin()->first, "\", …; leave the token out");
  }
  return all;
}

const at::Tensor* tensor_of(const PickleValue* value) {
  return value == nullptr ? nullptr : value->get<at::Tensor>();
}

// A1111's {"string_to_param": {"*": vectors}, "name": …}.
TextualInversion from_webui(const fs::path& file, const std::string& token,
                            const PickleValue& root) {
  const auto* params = root.find("string_to_param")->get<PickleValue::Dict>();
  if (params == nullptr || params->size() != 1 || tensor_of(params->front().second) == nullptr) {
    fail(Cause::BadInput, file.string(),
         ": \"string_to_param\": expected one tensor, as A1111 writes it");
  }
  const PickleValue* name = root.find("name");
  const auto* own = name == nullptr ? nullptr : name->get<std::string>();
  const std::string word = own == nullptr || own->empty() ? file.stem().string() : *own;
  return {name_or(token, word),
          file,
          vectors_of(file, "string_to_param", tensor_of(params->front().second)->contiguous()),
          {}};
}

std::vector<TextualInversion> from_pickle(const fs::path& file, const std::string& token) {
  const TorchPickle pickle = load_torch_pickle(file);
  const PickleValue& root = pickle.root();
  if (root.find("string_to_param") != nullptr) return {from_webui(file, token, root)};
  const auto* entries = root.get<PickleValue::Dict>();
  StateDict tensors;
  for (const auto& [key, value] : entries == nullptr ? PickleValue::Dict{} : *entries) {
    const auto* name = key->get<std::string>();
    if (name != nullptr && tensor_of(value) != nullptr) {
      tensors[*name] = tensor_of(value)->contiguous();
    }
  }
  return from_tensors(file, token, tensors);
}

}  // namespace

std::vector<TextualInversion> load_textual_inversion(const fs::path& file, const std::string& token,
                                                     const CheckpointOptions& options) {
  if (!is_torch_pickle(file)) return from_tensors(file, token, load_safetensors(file));
  if (!options.allow_pickle) {
    fail(Cause::Refused, file.string(),
         ": a pickle of torch.save(); such files are off by default. Nothing in them is run here: "
         "allow them with --allow-pickle, or take a .safetensors file");
  }
  return from_pickle(file, token);
}

std::string family_of_text_width(std::int64_t width) {
  switch (width) {
    case 768:
      return "Stable Diffusion 1.x, or the first text encoder of Stable Diffusion XL";
    case 1024:
      return "Stable Diffusion 2.x";
    case 1280:
      return "the second text encoder of Stable Diffusion XL";
    default:
      return "no family that is known";
  }
}

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/textual_inversions.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/text/textual_inversion.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kMostFiles = 64;

// What one text encoder and its tokenizer get.
struct Words {
  std::vector<CLIPTokenizer::Added> added;
  std::vector<at::Tensor> vectors;
};

void check_width(const TextualInversion& inversion, const at::Tensor& vectors,
                 const CLIPTextModel& encoder) {
  const std::int64_t expected = encoder.config().hidden_size;
  const std::int64_t found = vectors.size(1);
  if (found == expected) return;
  fail(Cause::BadInput, inversion.file.string(), ": the textual inversion \"", inversion.token,
       "\": expected vectors of width ", expected, " as the model's text encoder has (",
       family_of_text_width(expected), "), found ", found, " (", family_of_text_width(found),
       "); take a file that was made for this model");
}

void add(Words& words, const TextualInversion& inversion, const at::Tensor& vectors,
         const CLIPTextModel& encoder) {
  check_width(inversion, vectors, encoder);
  // The encoder's table may be longer than the tokenizer's vocabulary, never shorter.
  std::int64_t id = encoder.config().vocab_size;
  if (!words.added.empty()) id = words.added.back().id + words.added.back().count;
  words.added.push_back({inversion.token, id, vectors.size(0)});
  words.vectors.push_back(vectors);
}

TextualInversionChoice choice_of(const Json& item, const std::filesystem::path& folder,
                                 const std::string& what) {
  if (item.is_string() && !item.get<std::string>().empty()) {
    return {folder / item.get<std::string>(), ""};
  }
  TextualInversionChoice choice;
  bool fits = item.is_object() && item.contains("file");
  if (fits) {
    for (const auto& [key, value] : item.items()) {
      fits = fits && value.is_string() && (key == "file" || key == "token");
      if (fits && key == "file") choice.file = folder / value.get<std::string>();
      if (fits && key == "token") choice.token = value.get<std::string>();
    }
  }
  if (!fits) {
    fail(Cause::BadInput, what,
         ": \"textual_inversion\": expected a path or {\"file\": …, \"token\": …}, found ",
         item.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 200));
  }
  return choice;
}

struct Both {
  Words first, second;
  std::vector<std::string> warnings;
};

void add(Both& both, const TextualInversion& inversion, const Components& parts) {
  add(both.first, inversion, inversion.vectors, *parts.text_encoder);
  const bool two = inversion.vectors_2.defined();
  if (two && !parts.is_xl()) {
    fail(Cause::BadInput, inversion.file.string(), ": the textual inversion \"", inversion.token,
         "\" is for the two text encoders of Stable Diffusion XL; the model has one; take a file "
         "that was made for this model");
  }
  if (two) add(both.second, inversion, inversion.vectors_2, *parts.text_encoder_2);
  if (!two && parts.is_xl()) {
    both.warnings.push_back(concat("the textual inversion \"", inversion.token,
                                   "\" has vectors for the first text encoder only; the second "
                                   "one reads the word as text"));
  }
}

void set(CLIPTokenizer& tokenizer, CLIPTextModel& encoder, const Words& words) {
  tokenizer.set_added(words.added);
  encoder.set_added_embeddings(words.vectors.empty() ? at::Tensor() : at::cat(words.vectors));
}

void set(Components& parts, const Both& both) {
  set(parts.tokenizer, *parts.text_encoder, both.first);
  if (parts.is_xl()) set(*parts.tokenizer_2, *parts.text_encoder_2, both.second);
}

}  // namespace

std::vector<TextualInversionChoice> read_textual_inversions(const Json& value,
                                                            const std::filesystem::path& folder,
                                                            const std::string& what) {
  if ((!value.is_array() && !value.is_object()) || value.size() > kMostFiles) {
    fail(Cause::BadInput, what, ": \"textual_inversion\": expected a list of at most ", kMostFiles,
         " files, or an object of tokens and files");
  }
  std::vector<TextualInversionChoice> choices;
  for (const auto& [key, item] : value.items()) {
    if (value.is_object() && !item.is_string()) {
      fail(Cause::BadInput, what, ": \"textual_inversion\": expected a path for the token \"", key,
           "\"");
    }
    choices.push_back(choice_of(item, folder, what));
    if (value.is_object()) choices.back().token = key;
  }
  return choices;
}

std::vector<std::string> apply_textual_inversions(
    Components& parts, const std::vector<TextualInversionChoice>& choices,
    const CheckpointOptions& options) {
  try {
    Both both;
    for (const TextualInversionChoice& choice : choices) {
      for (const TextualInversion& inversion :
           load_textual_inversion(choice.file, choice.token, options)) {
        add(both, inversion, parts);
      }
    }
    set(parts, both);
    return both.warnings;
  } catch (...) {
    set(parts, {});
    throw;
  }
}

}  // namespace affiche::diffusion

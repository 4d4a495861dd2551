// SPDX-License-Identifier: Apache-2.0
// Reading a tokenizer folder as transformers reads it.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/text/clip_tokenizer.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

std::string read_optional(const fs::path& path) {
  return fs::exists(path) ? read_text(path) : std::string();
}

Json object_of(const std::string& text, const std::string& what) {
  if (text.empty()) return Json::object();
  Json json = parse_json(text, what);
  if (!json.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  return json;
}

// transformers writes 1e30 for "no limit"; CLIP's text encoders all have 77 positions.
std::int64_t length_of(const Json& config) {
  const auto found = config.find("model_max_length");
  if (found == config.end() || !found->is_number()) return 77;
  const double length = found->get<double>();
  return length > 4096 ? 77 : static_cast<std::int64_t>(std::max(length, 0.0));
}

bool flag_of(const Json& json, const char* key, bool fallback) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return fallback;
  if (!found->is_boolean()) {
    fail(Cause::BadInput, "special token: expected true or false for ", key, ", found ",
         found->dump());
  }
  return found->get<bool>();
}

// A token is its text, or an object with the text and how to look for it.
CLIPTokenizer::Special special_of(const Json& json, const std::string& what) {
  if (json.is_string()) return {json.get<std::string>(), false};
  if (!json.is_object() || !json.contains("content") || !json["content"].is_string()) {
    fail(Cause::BadInput, what, ": expected a token, found ", json.dump());
  }
  for (const char* key : {"lstrip", "rstrip", "single_word"}) {
    if (flag_of(json, key, false)) {
      fail(Cause::BadInput, what, ": the token ", json["content"].dump(), " asks for ", key,
           ", which CLIP tokenizers do not use");
    }
  }
  return {json["content"].get<std::string>(), flag_of(json, "normalized", false)};
}

// tokenizer_config.json, unless it is of the older kind without added_tokens_decoder: then
// special_tokens_map.json says it again and counts.
void read_specials(CLIPTokenizer::Options& options, const Json& config, const Json& map,
                   const std::string& what) {
  const bool map_counts = !config.contains("added_tokens_decoder");
  const auto read = [&](const char* key, CLIPTokenizer::Special& special) {
    const Json& first = map_counts ? map : config;
    const Json& second = map_counts ? config : map;
    const auto found = first.find(key);
    if (found != first.end() && !found->is_null()) {
      special = special_of(*found, what);
    } else if (second.contains(key) && !second[key].is_null()) {
      special = special_of(second[key], what);
    }
  };
  read("bos_token", options.bos);
  read("eos_token", options.eos);
  read("unk_token", options.unk);
  read("pad_token", options.pad);
}

// Ids that stand outside vocab.json; those inside it must agree with it.
void add_token(Json& vocabulary, CLIPTokenizer::Options& options,
               const CLIPTokenizer::Special& special, std::int64_t id, const std::string& what) {
  const auto found = vocabulary.find(special.content);
  if (found == vocabulary.end()) {
    vocabulary[special.content] = id;
  } else if (!found->is_number_integer() || found->get<std::int64_t>() != id) {
    fail(Cause::BadInput, what, ": the token \"", special.content, "\" has id ", id, " here and ",
         found->dump(), " in vocab.json");
  }
  options.others.push_back(special);
  // The same token as a plain string elsewhere takes its flags from here.
  for (auto* own : {&options.bos, &options.eos, &options.unk, &options.pad}) {
    if (own->content == special.content) own->normalized = special.normalized;
  }
}

void read_added_tokens(Json& vocabulary, CLIPTokenizer::Options& options, const Json& config,
                       const Json& added, const std::string& what) {
  if (const auto decoder = config.find("added_tokens_decoder"); decoder != config.end()) {
    if (!decoder->is_object()) fail(Cause::BadInput, what, ": added_tokens_decoder is no object");
    for (const auto& [key, value] : decoder->items()) {
      if (key.empty() || key.size() > 8 || key.find_first_not_of("0123456789") != key.npos) {
        fail(Cause::BadInput, what, ": added_tokens_decoder: expected an id, found \"", key, "\"");
      }
      add_token(vocabulary, options, special_of(value, what), std::stoll(key), what);
    }
  }
  for (const auto& [token, id] : added.items()) {
    if (!id.is_number_integer()) {
      fail(Cause::BadInput, what, ": added_tokens.json: \"", token, "\" has no id");
    }
    const bool known = std::any_of(options.others.begin(), options.others.end(),
                                   [&](const auto& other) { return other.content == token; });
    if (!known) add_token(vocabulary, options, {token, true}, id.get<std::int64_t>(), what);
  }
}

}  // namespace

CLIPTokenizer CLIPTokenizer::from_folder(const fs::path& folder) {
  Texts texts;
  texts.vocab = read_text(folder / "vocab.json");
  texts.merges = read_text(folder / "merges.txt");
  texts.tokenizer_config = read_optional(folder / "tokenizer_config.json");
  texts.special_tokens_map = read_optional(folder / "special_tokens_map.json");
  texts.added_tokens = read_optional(folder / "added_tokens.json");
  return from_texts(texts, folder.string());
}

CLIPTokenizer CLIPTokenizer::from_texts(const Texts& texts, const std::string& what) {
  Json vocabulary = parse_json(texts.vocab, what + "/vocab.json");
  if (!vocabulary.is_object()) fail(Cause::BadInput, what, "/vocab.json: expected an object");
  const Json config = object_of(texts.tokenizer_config, what + "/tokenizer_config.json");
  const Json map = object_of(texts.special_tokens_map, what + "/special_tokens_map.json");
  const Json added = object_of(texts.added_tokens, what + "/added_tokens.json");

  Options options;
  read_specials(options, config, map, what);
  read_added_tokens(vocabulary, options, config, added, what);
  if (config.contains("tokenizer_class") && config["tokenizer_class"].is_string() &&
      !config["tokenizer_class"].get<std::string>().starts_with("CLIPTokenizer")) {
    fail(Cause::BadInput, what, ": expected the tokenizer class CLIPTokenizer, found ",
         config["tokenizer_class"].dump());
  }
  options.model_max_length = length_of(config);
  return CLIPTokenizer(vocabulary, texts.merges, options, what);
}

}  // namespace affiche::diffusion

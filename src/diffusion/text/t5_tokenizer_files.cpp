// SPDX-License-Identifier: Apache-2.0
// Reading tokenizer.json as transformers' T5Tokenizer does: it takes the vocabulary, the
// character map and the added tokens, and splits words its own way whatever the file says.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/text/t5_tokenizer.h"
#include "diffusion/text/unicode.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPieces = 1 << 20;
// How much less likely than the least likely piece an unknown character is.
constexpr double kUnknownPenalty = 10;

const Json& member(const Json& object, const char* key) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

std::string type_of(const Json& object) {
  const Json& type = member(object, "type");
  return type.is_string() ? type.get<std::string>() : "";
}

std::string from_base64(const std::string& text, const std::string& what) {
  std::array<int, 256> values;
  values.fill(-1);
  const std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<int>(i);
  }
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find_last_not_of('=') + 1)) {
    const int value = values[static_cast<unsigned char>(c)];
    if (value < 0) fail(Cause::BadInput, what, ": precompiled_charsmap: expected base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 0xFF));
  }
  return bytes;
}

// "eos_token" and the like of tokenizer_config.json: a string, or an object with "content".
std::string token_name(const Json& config, const char* key, const char* fallback) {
  const Json& value = member(config, key);
  if (value.is_string()) return value.get<std::string>();
  const Json& content = member(value, "content");
  return content.is_string() ? content.get<std::string>() : fallback;
}

}  // namespace

T5Tokenizer T5Tokenizer::from_folder(const fs::path& folder) {
  const fs::path file = folder / "tokenizer.json", config = folder / "tokenizer_config.json";
  if (!fs::exists(file)) {
    fail(Cause::BadInput, folder.string(), ": expected tokenizer.json, found none",
         fs::exists(folder / "spiece.model") ? "; save spiece.model as tokenizer.json with "
                                               "T5TokenizerFast.save_pretrained() of transformers"
                                             : "");
  }
  return from_texts(read_text(file), fs::exists(config) ? read_text(config) : "", folder.string());
}

T5Tokenizer T5Tokenizer::from_texts(std::string_view tokenizer_json,
                                    std::string_view tokenizer_config, const std::string& what) {
  const Json json = parse_json(tokenizer_json, what + "/tokenizer.json");
  Json config;
  if (!tokenizer_config.empty()) {
    config = parse_json(tokenizer_config, what + "/tokenizer_config.json");
  }
  T5Tokenizer tokenizer(what + "/tokenizer.json");
  tokenizer.read_model(member(json, "model"));
  tokenizer.read_normalizer(member(json, "normalizer"));
  tokenizer.read_added(member(json, "added_tokens"));
  tokenizer.check_splitting(member(json, "pre_tokenizer"));
  tokenizer.end_ = tokenizer.id_of(token_name(config, "eos_token", "</s>"));
  tokenizer.pad_ = tokenizer.id_of(token_name(config, "pad_token", "<pad>"));
  return tokenizer;
}

void T5Tokenizer::read_model(const Json& model) {
  const Json& vocabulary = member(model, "vocab");
  if (type_of(model) != "Unigram" || !vocabulary.is_array() || vocabulary.empty() ||
      vocabulary.size() > kMostPieces) {
    fail(Cause::BadInput, what_, ": \"model\": expected the type Unigram with a \"vocab\" of 1 to ",
         kMostPieces, " pieces, found the type \"", type_of(model),
         "\"; it is not a tokenizer of T5");
  }
  if (member(model, "byte_fallback") == Json(true)) {
    fail(Cause::BadInput, what_, ": \"byte_fallback\": only false, as in T5, is supported");
  }
  double least = std::numeric_limits<double>::infinity();
  for (const Json& item : vocabulary) {
    const std::size_t id = scores_.size();
    if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number() ||
        !std::isfinite(item[1].get<double>()) || item[0].get_ref<const std::string&>().empty()) {
      fail(Cause::BadInput, what_, ": \"vocab\", entry ", id,
           ": expected [piece, finite number], found ", item.dump().substr(0, 80));
    }
    const std::u32string piece = unicode::from_utf8(item[0].get_ref<const std::string&>(), what_);
    if (pieces_.longest(piece).length == piece.size()) {
      fail(Cause::BadInput, what_, ": \"vocab\", entry ", id, ": ", item[0].dump(),
           " is there already");
    }
    pieces_.add(piece, static_cast<std::int64_t>(id));
    scores_.push_back(item[1].get<double>());
    least = std::min(least, scores_.back());
  }
  const Json& unknown = member(model, "unk_id");
  if (!unknown.is_number_integer() || unknown.get<std::int64_t>() < 0 ||
      unknown.get<std::int64_t>() >= static_cast<std::int64_t>(scores_.size())) {
    fail(Cause::BadInput, what_, ": \"unk_id\": expected an entry of the vocabulary, found ",
         unknown.dump());
  }
  unknown_ = unknown.get<std::int64_t>();
  unknown_score_ = least - kUnknownPenalty;
  vocabulary_size_ = static_cast<std::int64_t>(scores_.size());
}

void T5Tokenizer::read_added(const Json& tokens) {
  if (tokens.is_null()) return;
  if (!tokens.is_array()) fail(Cause::BadInput, what_, ": \"added_tokens\": expected a list");
  for (const Json& token : tokens) {
    const Json &content = member(token, "content"), &id = member(token, "id");
    if (!content.is_string() || content.get_ref<const std::string&>().empty() ||
        !id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() >= static_cast<std::int64_t>(kMostPieces)) {
      fail(Cause::BadInput, what_, ": \"added_tokens\": expected {\"id\", \"content\"}, found ",
           token.dump().substr(0, 80));
    }
    if (member(token, "single_word") == Json(true)) {
      fail(Cause::BadInput, what_, ": \"added_tokens\": ", content.dump(),
           ": \"single_word\": only false is supported");
    }
    // "lstrip" and "rstrip" take white space away, which separates words and is no token here.
    const bool normalized = member(token, "normalized") == Json(true);
    std::u32string text = unicode::from_utf8(content.get_ref<const std::string&>(), what_);
    if (normalized && charsmap_) text = charsmap_->normalize(text);
    if (text.empty()) continue;  // nothing to be found
    (normalized ? normalized_ : raw_).add(text, id.get<std::int64_t>());
    vocabulary_size_ = std::max(vocabulary_size_, id.get<std::int64_t>() + 1);
  }
}

void T5Tokenizer::read_normalizer(const Json& normalizer) {
  Json steps = Json::array();
  if (type_of(normalizer) == "Sequence") {
    steps = member(normalizer, "normalizers");
  } else if (!normalizer.is_null()) {
    steps.push_back(normalizer);
  }
  for (const Json& step : steps) {
    const std::string type = type_of(step);
    if (type == "Precompiled" && !charsmap_) {
      const Json& map = member(step, "precompiled_charsmap");
      if (!map.is_string()) fail(Cause::BadInput, what_, ": precompiled_charsmap: expected text");
      charsmap_.emplace(from_base64(map.get<std::string>(), what_), what_);
    } else if (type != "Strip" && type != "Replace") {
      // These two tidy white space up, which splits words in any case.
      fail(Cause::BadInput, what_, ": \"normalizer\": expected Precompiled, as in T5, found \"",
           type, "\"");
    }
  }
}

void T5Tokenizer::check_splitting(const Json& pre_tokenizer) const {
  Json steps = Json::array();
  if (type_of(pre_tokenizer) == "Sequence") {
    steps = member(pre_tokenizer, "pretokenizers");
  } else if (!pre_tokenizer.is_null()) {
    steps.push_back(pre_tokenizer);
  }
  for (const Json& step : steps) {
    if (type_of(step) == "WhitespaceSplit" || type_of(step) == "Metaspace") continue;
    fail(Cause::BadInput, what_,
         ": \"pre_tokenizer\": expected WhitespaceSplit and Metaspace, as in T5, found \"",
         type_of(step), "\"");
  }
}

std::int64_t T5Tokenizer::id_of(const std::string& token) const {
  const std::u32string text = unicode::from_utf8(token, what_);
  for (const TokenTrie* trie : {&raw_, &normalized_, &pieces_}) {
    const TokenTrie::Match match = trie->longest(text);
    if (!text.empty() && match.length == text.size()) return match.id;
  }
  fail(Cause::BadInput, what_, ": expected the token \"", token, "\", found none");
}

}  // namespace affiche::diffusion

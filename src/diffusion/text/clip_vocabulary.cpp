// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/clip_vocabulary.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "diffusion/text/unicode.h"

// The assembler lays the file into the program, so that it is there in whatever folder it runs.
__asm__(
    ".section .rodata\n"
    ".global affiche_clip_merges\n"
    ".global affiche_clip_merges_end\n"
    "affiche_clip_merges:\n"
    ".incbin \"" AFFICHE_CLIP_MERGES
    "\"\n"
    "affiche_clip_merges_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" {
extern const char affiche_clip_merges[];
extern const char affiche_clip_merges_end[];
}

namespace affiche::diffusion {
namespace {

constexpr const char* kStart = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

// Printable Latin-1 characters in order, then the stand-ins of all other bytes.
std::vector<std::string> letters() {
  const auto printable = [](char32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
  };
  std::vector<std::string> result;
  for (char32_t byte = 0; byte < 256; ++byte) {
    if (printable(byte)) unicode::append_utf8(result.emplace_back(), byte);
  }
  for (char32_t letter = 0x100; result.size() < 256; ++letter) {
    unicode::append_utf8(result.emplace_back(), letter);
  }
  return result;
}

}  // namespace

std::string_view clip_merges() {
  return {affiche_clip_merges,
          static_cast<std::size_t>(affiche_clip_merges_end - affiche_clip_merges)};
}

Json clip_vocabulary() {
  Json::object_t tokens;
  tokens.reserve(49408);
  // Appended, since no token occurs twice: the container's own insertion looks through all before.
  const auto add = [&](const std::string& token) {
    tokens.emplace_back(token, static_cast<std::int64_t>(tokens.size()));
  };
  for (const std::string& letter : letters()) add(letter);
  for (const std::string& letter : letters()) add(letter + "</w>");
  std::string_view rest = clip_merges();
  rest.remove_prefix(rest.find('\n') + 1);  // "#version: 0.2"
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string token(rest.substr(0, end));
    token.erase(token.find(' '), 1);
    add(token);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  add(kStart);
  add(kEnd);
  return tokens;
}

CLIPTokenizer clip_tokenizer(ClipPadding padding) {
  CLIPTokenizer::Options options;
  if (padding == ClipPadding::Exclamation) options.pad = {"!", false};
  return CLIPTokenizer(clip_vocabulary(), clip_merges(), options, "the CLIP tokenizer");
}

Json clip_special_tokens(ClipPadding padding) {
  const auto token = [](const char* content) -> Json {
    return {{"content", content},
            {"lstrip", false},
            {"normalized", true},
            {"rstrip", false},
            {"single_word", false}};
  };
  return {{"bos_token", token(kStart)},
          {"eos_token", token(kEnd)},
          {"pad_token", padding == ClipPadding::Exclamation ? "!" : kEnd},
          {"unk_token", token(kEnd)}};
}

}  // namespace affiche::diffusion

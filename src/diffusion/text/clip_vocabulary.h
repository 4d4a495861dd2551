// SPDX-License-Identifier: Apache-2.0
// CLIP's own vocabulary, which single-file checkpoints expect the program to have.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "diffusion/text/clip_tokenizer.h"

namespace affiche::diffusion {

// The text of merges.txt, part of the program. Thread-safe.
std::string_view clip_merges();

// vocab.json: tokens and ids, 49,408 of them. They follow from the merges: the letters of all
// bytes, the same at the end of a word, what each merge makes, start and end of text.
nlohmann::ordered_json clip_vocabulary();

enum class ClipPadding {
  EndOfText,    // SD 1.x, the first encoder of SDXL
  Exclamation,  // "!", id 0: SD 2.x, the second encoder of SDXL
};
CLIPTokenizer clip_tokenizer(ClipPadding padding);
// What its special_tokens_map.json says.
nlohmann::ordered_json clip_special_tokens(ClipPadding padding);

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
// Unicode as the CLIP tokenizer needs it. All functions are pure and may run in any thread.
#pragma once

#include <string>
#include <string_view>

namespace affiche::diffusion::unicode {

// BadInput with the byte position when `text` is not valid UTF-8; `what` names it in the error.
std::u32string from_utf8(std::string_view text, std::string_view what = "text");
std::string to_utf8(std::u32string_view text);
void append_utf8(std::string& out, char32_t character);

bool is_letter(char32_t character);  // \p{L}
bool is_number(char32_t character);  // \p{N}
bool is_space(char32_t character);   // White_Space

// Normalization form C (Unicode Standard Annex 15).
std::u32string nfc(std::u32string_view text);
// Character by character, without regard to the place in a word: a capital sigma always becomes
// U+03C3, and U+0130 becomes i and a combining dot.
std::u32string lowercase(std::u32string_view text);

}  // namespace affiche::diffusion::unicode

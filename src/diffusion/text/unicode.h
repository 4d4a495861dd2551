// SPDX-License-Identifier: Apache-2.0
// Unicode as the tokenizers need it. All functions are pure and may run in any thread.
#pragma once

#include <cstddef>
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

// Characters of the grapheme cluster at the start of `text`, at least 1 (Unicode Standard Annex 29,
// extended clusters, rules GB3 to GB5 and GB9 to GB9b: the others only join characters that are
// together longer than what a precompiled character map looks at).
std::size_t cluster_length(std::u32string_view text);

}  // namespace affiche::diffusion::unicode

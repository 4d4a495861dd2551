// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/unicode.h"

#include "base/error.h"
#include "catch.h"

using namespace affiche;
namespace unicode = affiche::diffusion::unicode;

TEST_CASE("text that is not UTF-8 is refused with its position") {
  for (const std::string text : {"a\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                 "\xE0\x80\x80", "cut \xE2\x82", "\xFF"}) {
    CHECK_THROWS_AS(unicode::from_utf8(text), Error);
  }
  CHECK(unicode::to_utf8(unicode::from_utf8("aé€😀")) == "aé€😀");
}

TEST_CASE("normalization composes what belongs together and nothing else") {
  CHECK(unicode::nfc(U"e\u0301") == U"\u00E9");
  CHECK(unicode::nfc(U"\u1EBF") == U"\u1EBF");
  CHECK(unicode::nfc(U"e\u0302\u0301") == U"\u1EBF");
  CHECK(unicode::nfc(U"a\u0323\u0302") == U"\u1EAD");
  CHECK(unicode::nfc(U"a\u0302\u0323") == U"\u1EAD");  // marks are put in order first
  CHECK(unicode::nfc(U"\u1112\u1161\u11AB\uAE00") == U"\uD55C\uAE00");
  CHECK(unicode::nfc(U"\u212B\uF900") == U"\u00C5\u8C48");
  CHECK(unicode::nfc(U"\u0958") == U"\u0915\u093C");  // excluded from composition
  CHECK(unicode::nfc(U"a\u0327\u0323\u0301") == U"\u1EA1\u0327\u0301");
  CHECK(unicode::nfc(U"\u0301a") == U"\u0301a");
  CHECK(unicode::nfc(U"ﬁ½") == U"ﬁ½");  // compatibility forms stay
}

TEST_CASE("lower case goes character by character") {
  CHECK(unicode::lowercase(U"ÉΣΊΣΥΦΟΣ ŁÓDŹ ПРИВЕТ") == U"éσίσυφοσ łódź привет");
  CHECK(unicode::lowercase(U"\u0130\u01C5ẞ\U00010400") == U"i\u0307\u01C6ß\U00010428");
}

TEST_CASE("letters, numbers and white space are those of Unicode") {
  for (const char32_t c : U"aé漢한אΩ") {
    if (c != 0) CHECK(unicode::is_letter(c));
  }
  for (const char32_t c : U"1½Ⅷ٣²") {
    if (c != 0) CHECK(unicode::is_number(c));
  }
  for (const char32_t c : {0x20, 0x85, 0xA0, 0x3000, 0x2028}) CHECK(unicode::is_space(c));
  for (const char32_t c : {0x200B, 0x200D, 0xFEFF, 0x1C}) CHECK_FALSE(unicode::is_space(c));
  CHECK_FALSE(unicode::is_letter(U'\u0301'));
  CHECK_FALSE(unicode::is_letter(U'_'));
}

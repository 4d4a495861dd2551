// SPDX-License-Identifier: Apache-2.0
// Pictures from outside: by libvips, and on the hot path of plain JPEGs.
#include "cards/picture.h"
#include "cards/encode.h"
#include "cards/metadata.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  fuzz::expect_error_or_nothing([&] {
    const cards::DecodeLimits small = {.max_pixels = 1 << 20, .max_side = 4096};
    static_cast<void>(cards::decode({data, size}, "input", small));
  });
  return fuzz::expect_error_or_nothing([&] {
    Credit credit;
    credit.title = credit.author = "input";
    credit.license = "CC0-1.0";
    credit.license_url = "https://creativecommons.org/publicdomain/zero/1.0/";
    const Photo photo(Bytes(data, data + size), credit);
    static_cast<void>(cards::read_photo_rights(photo));
    cards::PhotoLayer layer;
    layer.focus = cards::PhotoLayer::Focus::Centre;
    static_cast<void>(cards::cover(photo, 40, 30, layer));
  });
}

// SPDX-License-Identifier: Apache-2.0
// Drawings of brands and templates: what the check lets through is drawn, small.
#include "cards/svg.h"
#include "cards/handles.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  return fuzz::expect_error_or_nothing([&] {
    const std::string svg(fuzz::text_of(data, size));
    cards::check_svg(svg, "input");
    const std::string drawn = cards::recolour(
        svg,
        [](const std::string&) {
          return cards::Colour{1, 2, 3};
        },
        "input");
    static_cast<void>(cards::svg_aspect(drawn, "input"));
    const cards::SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, 64, 64));
    const cards::CairoPtr context(cairo_create(surface.get()));
    cards::draw_svg(context.get(), drawn, {0, 0, 64, 64}, "input");
  });
}

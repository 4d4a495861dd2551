// SPDX-License-Identifier: Apache-2.0
// Templates, and small cards made from those that load.
#include "cards/template.h"
#include "cards/compose.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  return fuzz::expect_error_or_nothing([&] {
    const cards::Template card =
        cards::parse_template(std::string(fuzz::text_of(data, size)), "input.toml", "/nowhere");
    constexpr int kSmall = 200;
    if (card.width > kSmall || card.height > kSmall) return;
    cards::Brand brand;
    brand.name = "fuzz";
    brand.colours = {{"ink", {15, 27, 45}}, {"shade", {0, 0, 0}}};
    brand.fonts = {{"body", {}}};
    cards::CardInputs inputs;
    for (const auto& [name, variable] : card.variables) {
      if (variable.required) inputs.variables[name] = "2026-11-21";
    }
    static_cast<void>(compose(card, brand, inputs));
  });
}

// SPDX-License-Identifier: Apache-2.0
// Recipes of other programs and ours: workflows, parameter texts, calls, and pictures that carry
// one.
#include "fuzz/target.h"
#include "recipes/import.h"
#include "recipes/picture_recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  fuzz::expect_error_or_nothing([&] {
    static_cast<void>(recipes::read_origin({data, size}, "input"));
  });
  return fuzz::expect_error_or_nothing([&] {
    const recipes::Imported imported = recipes::import_recipe({data, size}, "input");
    static_cast<void>(recipes::recipe_toml(imported, "input"));
  });
}

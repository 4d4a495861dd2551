// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/model_figures.h"

#include <algorithm>

#include "catch.h"
#include "diffusion/training/drawing/words.h"

using namespace affiche;
using namespace affiche::diffusion;

TEST_CASE("the figures of a model tell drawings from noise", "[training]") {
  // Four families, so that a few steps are enough.
  FigureOptions options;
  options.families = {Family::GradientMesh, Family::SoftWaves, Family::BokehLights,
                      Family::PaperGrain};
  const FamilyClassifier classifier(options.families, 120, 1);
  options.colour_prompts = 12;
  options.style_seeds = 4;
  options.diversity_prompts = 2;
  options.diversity_seeds = 2;
  const Painter drawn = [](const std::string& prompt, std::uint64_t seed) {
    return draw(drawing_of(prompt, seed), 128, 64);
  };
  const Painter one_grey = [](const std::string&, std::uint64_t) {
    Image image = make_image(128, 64, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{128});
    return image;
  };
  const ModelFigures good = measure(drawn, classifier, options),
                     bad = measure(one_grey, classifier, options);
  CHECK(good.pictures == 12 + 16 + 4);
  CHECK(good.colour_median < 20);
  CHECK(bad.colour_median > good.colour_median + 5);
  CHECK(good.style > 0.6);
  CHECK(bad.style <= 0.25);
  REQUIRE(bad.style_of.size() == 4);
  // One grey is always taken for the same family.
  CHECK(std::ranges::count(bad.style_of, 1.0) == 1);
  CHECK(std::ranges::count(bad.style_of, 0.0) == 3);
  CHECK(good.diversity > 0.05);
  CHECK(bad.diversity < 1e-4);
  CHECK(good.artefacts < 0.1);
  CHECK(measure(drawn, classifier, options).style == good.style);
}

TEST_CASE("a grid of blocks is seen, and a ramp is none", "[training]") {
  Image blocks = make_image(64, 32, 3), ramp = blocks;
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 64; ++x)
      for (int c = 0; c < 3; ++c) {
        const auto i = static_cast<std::size_t>((y * 64 + x) * 3 + c);
        blocks.pixels[i] = static_cast<std::uint8_t>(100 + 6 * ((x / 8 + y / 8) % 2));
        ramp.pixels[i] = static_cast<std::uint8_t>(100 + x);
      }
  CHECK(block_ratio(blocks) > 2);
  CHECK(block_ratio(ramp) < 1.05);
}

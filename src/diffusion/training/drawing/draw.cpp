// SPDX-License-Identifier: Apache-2.0
// Draws scenes: the family's colours, then what holds for every family (mood, layout, light), then
// eight bits with a dither.
#include <algorithm>

#include "base/error.h"
#include "diffusion/training/drawing/demo_brand.h"
#include "diffusion/training/drawing/families_built.h"
#include "diffusion/training/drawing/families_layered.h"
#include "diffusion/training/drawing/families_material.h"
#include "diffusion/training/drawing/families_ribbons.h"
#include "diffusion/training/drawing/families_shapes.h"
#include "diffusion/training/drawing/families_soft.h"
#include "diffusion/training/drawing/scene.h"

namespace affiche::diffusion {
namespace {

Lab shifted(Lab colour, Random& random) {
  return {colour.lightness + random.between(-0.015F, 0.015F),
          colour.a + random.between(-0.008F, 0.008F), colour.b + random.between(-0.008F, 0.008F)};
}

// An unnamed colour is a shade of the ground: the side with more room in lightness.
Lab shade(Lab ground, float amount) {
  return lighter(ground, ground.lightness > 0.6F ? -amount : amount);
}

// What a mood does to a picture.
struct Manner {
  float scale, strength, light, vignette;
};
Manner manner(Mood mood) {
  switch (mood) {
    case Mood::Calm:
      return {1.4F, 0.75F, 0.8F, 0};
    case Mood::Bold:
      return {0.9F, 1, 1, 0};
    case Mood::Airy:
      return {1.2F, 0.7F, 1, -0.05F};
    case Mood::Dramatic:
      return {1, 1, 1.5F, 0.16F};
    case Mood::Plain:
      break;
  }
  return {1, 0.94F, 1, 0};
}

// Colours in place of the scene's, or none.
using Own = const std::array<std::uint32_t, 3>*;

Setting setting_of(const Scene& scene, Own own, int width, int height, Random& random) {
  const auto colour = [&](std::size_t i) {
    if (own != nullptr) return lab_of_srgb((*own)[i]);
    return shifted(lab_of_srgb(palette()[static_cast<std::size_t>(scene.colours[i])].rrggbb),
                   random);
  };
  Setting setting;
  setting.ground = colour(0);
  setting.second = scene.colour_count > 1 ? colour(1) : shade(setting.ground, 0.17F);
  setting.third = scene.colour_count > 2   ? colour(2)
                  : scene.colour_count > 1 ? mix(setting.ground, setting.second, 0.55F)
                                           : shade(setting.ground, 0.09F);
  setting.half_width = 0.5F * static_cast<float>(width) / static_cast<float>(height);
  setting.scale = manner(scene.mood).scale;
  setting.pixel = 1 / static_cast<float>(height);
  setting.space = scene.space;
  return setting;
}

// What comes after the family: the layout's shade or panel, then light, mood.
class Finish {
 public:
  Finish(const Scene& scene, const Setting& setting)
      : s_(setting), light_(scene.light), manner_(manner(scene.mood)) {}
  Lab operator()(Lab colour, float x, float y, bool composed) const {
    const float nx = x / s_.half_width, ny = 2 * y, square = nx * nx + ny * ny;
    float part = manner_.strength;
    if (!composed) part *= presence(s_.space, nx, ny);
    colour = mix(s_.ground, colour, part);
    if (s_.space == Space::DarkCentre) {
      const float dark = smoothstep(1.15F, 0.15F, std::sqrt(square));
      colour = mix(colour, s_.ground, 0.6F * dark);
      colour = colour * (1 - 0.52F * dark);
    } else if (s_.space == Space::Frame) {
      colour = framed(colour, x, y);
    }
    return lighter(colour,
                   manner_.light * light_at(light_, nx, ny) - manner_.vignette * 0.5F * square);
  }

 private:
  // A panel of the ground with room for words; a soft shadow lifts it off.
  Lab framed(Lab colour, float x, float y) const {
    constexpr float kMargin = 0.13F, kRadius = 0.02F;
    const float px = std::fabs(x) - (s_.half_width - kMargin) + kRadius;
    const float py = std::fabs(y) - (0.5F - kMargin) + kRadius;
    const float ox = std::max(px, 0.0F), oy = std::max(py, 0.0F);
    const float away = std::sqrt(ox * ox + oy * oy) + std::min(std::max(px, py), 0.0F) - kRadius;
    if (away > 0) colour = lighter(colour, -0.1F * std::exp(-45 * away));
    return mix(colour, s_.ground, coverage(away, s_.pixel));
  }
  const Setting& s_;
  Light light_;
  Manner manner_;
};

// Four points of a pixel, no two on a line with its sides.
constexpr std::array<std::array<float, 2>, 4> kPoints = {
    {{-0.125F, -0.375F}, {0.375F, -0.125F}, {0.125F, 0.375F}, {-0.375F, 0.125F}}};

template <typename Painter>
Lab sampled(const Painter& painter, float x, float y, float pixel) {
  if constexpr (Painter::kSamples == 1) return painter(x, y);
  Lab sum;
  for (const auto& point : kPoints) sum = sum + painter(x + pixel * point[0], y + pixel * point[1]);
  return sum * 0.25F;
}

template <typename Painter>
void paint(const Scene& scene, Own own, int width, int height, Window window, Image& image) {
  Random random(scene.seed ^ 0x7061696e74ULL);
  const Setting setting = setting_of(scene, own, width, height, random);
  const Painter painter(setting, random);
  const Finish finish(scene, setting);
  std::uint8_t* out = image.pixels.data();
  for (int row = window.y; row < window.y + window.height; ++row) {
    const float y = (static_cast<float>(row) + 0.5F) * setting.pixel - 0.5F;
    for (int column = window.x; column < window.x + window.width; ++column, out += 3) {
      const float x = (static_cast<float>(column) + 0.5F) * setting.pixel - setting.half_width;
      const Lab colour = sampled(painter, x, y, setting.pixel);
      put_dithered(levels_of_lab(finish(colour, x, y, Painter::kComposes)), column, row, out);
    }
  }
}

using Paint = void (*)(const Scene&, Own, int, int, Window, Image&);

// In the order of Family.
constexpr Paint kPainters[] = {
    paint<GradientMesh>,       paint<SoftWaves>,    paint<BokehLights>,
    paint<PaperGrain>,         paint<HalftoneDots>, paint<LowPoly>,
    paint<ContourLines>,       paint<LightLeaks>,   paint<Aurora>,
    paint<FlowingRibbons>,     paint<PaperLayers>,  paint<DriftingSmoke>,
    paint<OverlappingCircles>, paint<WovenFabric>,  paint<MarbleVeins>,
    paint<InkClouds>,          paint<GlassRibbons>, paint<ChromeRibbons>,
    paint<IsometricBlocks>,    paint<Confetti>,     paint<TopographicMap>,
    paint<CircuitTraces>,      paint<FineGrid>,     paint<BauhausShapes>,
    paint<VignetteFrame>,      paint<DemoBrand>,
};
static_assert(std::size(kPainters) == kRandomFamilies + 1);

Image draw_with(const Scene& scene, Own own, int width, int height, Window window) {
  if (window.width == 0) window = {0, 0, width, height};
  if (width < 1 || height < 1 || window.x < 0 || window.y < 0 || window.width < 1 ||
      window.height < 1 || window.x > width - window.width || window.y > height - window.height)
    fail(Cause::Usage, "drawing: expected a window inside ", width, "×", height, " pixels, found ",
         window.width, "×", window.height, " at ", window.x, ",", window.y);
  Image image = make_image(window.width, window.height, 3);
  kPainters[static_cast<std::size_t>(scene.family)](scene, own, width, height, window, image);
  return image;
}

}  // namespace

Image draw(const Scene& scene, int width, int height, Window window) {
  return draw_with(scene, nullptr, width, height, window);
}

Image draw(const Scene& scene, const std::array<std::uint32_t, 3>& rrggbb, int width, int height) {
  return draw_with(scene, &rrggbb, width, height, {});
}

}  // namespace affiche::diffusion

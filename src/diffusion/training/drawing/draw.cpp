// SPDX-License-Identifier: Apache-2.0
// Draws scenes: the family's colours, then what holds for every family (mood, empty half, light).
#include <algorithm>

#include "base/error.h"
#include "diffusion/training/drawing/demo_brand.h"
#include "diffusion/training/drawing/families_shaped.h"
#include "diffusion/training/drawing/families_soft.h"
#include "diffusion/training/drawing/scene.h"

namespace affiche::diffusion {
namespace {

Lab shifted(Lab colour, Random& random) {
  return {colour.lightness + random.between(-0.02F, 0.02F),
          colour.a + random.between(-0.012F, 0.012F), colour.b + random.between(-0.012F, 0.012F)};
}

// An unnamed colour is a shade of the ground: the side with more room in lightness.
Lab shade(Lab ground, float amount) {
  return lighter(ground, ground.lightness > 0.6F ? -amount : amount);
}

// Colours in place of the scene's, or none.
using Own = const std::array<std::uint32_t, 3>*;

Setting setting_of(const Scene& scene, Own own, float aspect, Random& random) {
  const auto colour = [&](std::size_t i) {
    if (own != nullptr) return lab_of_srgb((*own)[i]);
    return shifted(lab_of_srgb(palette()[static_cast<std::size_t>(scene.colours[i])].rrggbb),
                   random);
  };
  Setting setting;
  setting.ground = colour(0);
  setting.second = scene.colour_count > 1 ? colour(1) : shade(setting.ground, 0.16F);
  setting.third = scene.colour_count > 2   ? colour(2)
                  : scene.colour_count > 1 ? mix(setting.ground, setting.second, 0.55F)
                                           : shade(setting.ground, 0.08F);
  setting.half_width = aspect / 2;
  setting.scale = scene.mood == Mood::Calm ? 1.35F : 1.0F;
  return setting;
}

// Added lightness at a point; x and y in halves of the picture, -1 to 1.
float light_at(Light light, float x, float y) {
  constexpr float kAmount = 0.13F;
  switch (light) {
    case Light::None:
      return 0;
    case Light::Left:
      return -kAmount * x;
    case Light::Right:
      return kAmount * x;
    case Light::Above:
      return -kAmount * y;
    case Light::Below:
      return kAmount * y;
    case Light::Centre:
      return kAmount * (1 - 1.3F * (x * x + y * y));
  }
  return 0;
}

// How much of the family is seen at x in -1 to 1; the empty half keeps the ground.
float presence(Space space, float x) {
  if (space == Space::EmptyLeft) return smoothstep(-0.25F, 0.45F, x);
  if (space == Space::EmptyRight) return smoothstep(0.25F, -0.45F, x);
  return 1;
}

template <typename Painter>
void paint(const Scene& scene, Own own, int width, int height, Window window, Image& image) {
  Random random(scene.seed ^ 0x7061696e74ULL);
  const float aspect = static_cast<float>(width) / static_cast<float>(height);
  const Setting setting = setting_of(scene, own, aspect, random);
  const Painter painter(setting, random);
  const float strength =
      scene.mood == Mood::Calm ? 0.72F : (scene.mood == Mood::Bold ? 1.0F : 0.9F);
  std::uint8_t* out = image.pixels.data();
  for (int row = 0; row < window.height; ++row) {
    const float y = (static_cast<float>(window.y + row) + 0.5F) / static_cast<float>(height) - 0.5F;
    for (int column = 0; column < window.width; ++column, out += 3) {
      const float across =
          (static_cast<float>(window.x + column) + 0.5F) / static_cast<float>(width);
      const float x = (across - 0.5F) * aspect, side = 2 * across - 1;
      const Lab colour = mix(setting.ground, painter(x, y), strength * presence(scene.space, side));
      put_srgb(lighter(colour, light_at(scene.light, side, 2 * y)), out);
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
    paint<OverlappingCircles>, paint<DemoBrand>,
};

Image draw_with(const Scene& scene, Own own, int width, int height, Window window) {
  if (window.width == 0) window = {0, 0, width, height};
  if (width < 1 || height < 1 || window.x < 0 || window.y < 0 || window.height < 1 ||
      window.x + window.width > width || window.y + window.height > height)
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

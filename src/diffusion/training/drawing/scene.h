// SPDX-License-Identifier: Apache-2.0
// One picture of brand art as data: what is drawn, in which colours, under which light. A scene
// gives both the picture and its caption, so a caption is always true.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "diffusion/training/drawing/layout.h"
#include "imaging/image.h"

namespace affiche::diffusion {

enum class Family {
  GradientMesh,
  SoftWaves,
  BokehLights,
  PaperGrain,
  HalftoneDots,
  LowPoly,
  ContourLines,
  LightLeaks,
  Aurora,
  FlowingRibbons,
  PaperLayers,
  DriftingSmoke,
  OverlappingCircles,
  WovenFabric,
  MarbleVeins,
  InkClouds,
  GlassRibbons,
  ChromeRibbons,
  IsometricBlocks,
  Confetti,
  TopographicMap,
  CircuitTraces,
  FineGrid,
  BauhausShapes,
  VignetteFrame,
  DemoBrand,  // the demo brand's own look; never chosen at random, its pictures train the LoRA
};
// How many families random scenes have.
inline constexpr std::size_t kRandomFamilies = static_cast<std::size_t>(Family::DemoBrand);
// Those that the shipped model was trained on: soft ones and large forms. Fine lines, dots and
// weaves are below what its latents hold.
inline constexpr std::array<Family, 16> kShippedFamilies = {
    Family::GradientMesh,   Family::SoftWaves,
    Family::BokehLights,    Family::LowPoly,
    Family::LightLeaks,     Family::Aurora,
    Family::FlowingRibbons, Family::PaperLayers,
    Family::DriftingSmoke,  Family::OverlappingCircles,
    Family::MarbleVeins,    Family::InkClouds,
    Family::GlassRibbons,   Family::ChromeRibbons,
    Family::BauhausShapes,  Family::VignetteFrame};

enum class Mood { Plain, Calm, Bold, Airy, Dramatic };

struct Scene {
  Family family = Family::GradientMesh;
  std::array<int, 3> colours{};  // indices into palette(): ground, second, third
  int colour_count = 2;  // 1 to 3 of them are named; an unnamed one is a shade of the ground
  Light light = Light::None;
  Mood mood = Mood::Plain;
  Space space = Space::Full;
  std::uint64_t seed = 0;  // places, sizes and small shifts of colour
};

// The part of a picture to draw, in pixels; all of it when width is 0.
struct Window {
  int x = 0, y = 0, width = 0, height = 0;
};

// The words of captions, in the order of Family, Light, Mood and Space; plain ones are empty.
std::span<const std::string_view> family_names();
std::span<const std::string_view> light_names();
std::span<const std::string_view> mood_names();
std::span<const std::string_view> space_names();

// Every random choice comes from the seed; the same seed gives the same scene on every machine.
Scene random_scene(std::uint64_t seed);
Scene random_scene(std::uint64_t seed, Family family);

// What a caption tells of a scene.
struct Told {
  Scene scene;  // its optional words that stay untold are plain here
  bool family = true, colours = true;
};
// With some of the optional words left out, or the family or the colours, chosen by `seed`, so that
// a model also understands short prompts.
Told told_of(const Scene& scene, std::uint64_t seed);

// "soft waves, deep teal, amber and sand, light from the left, calm, empty right".
std::string caption(const Scene& scene);
std::string caption(const Told& told);
// The caption of told_of().
std::string caption(const Scene& scene, std::uint64_t seed);

// Draws the picture of width × height pixels, or a window of it. RGB, dithered. Usage unless the
// window lies inside. Thread-safe.
Image draw(const Scene& scene, int width, int height, Window window = {});
// Draws the scene's forms in three other colours, sRGB, exactly as given. RGB. Thread-safe.
Image draw(const Scene& scene, const std::array<std::uint32_t, 3>& rrggbb, int width, int height);

}  // namespace affiche::diffusion

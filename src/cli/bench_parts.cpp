// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_parts.h"

#include <fontconfig/fontconfig.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/encode.h"
#include "cards/handles.h"
#include "cards/svg.h"
#include "imaging/raw.h"

namespace affiche::cli {
namespace {

// Integer hash (Wellons, "lowbias32") as a number of 0 to 1.
float random_at(std::uint32_t x, std::uint32_t y, std::uint32_t seed) {
  std::uint32_t v = x * 0x9e3779b9U ^ y * 0x85ebca6bU ^ seed;
  v = (v ^ v >> 16) * 0x7feb352dU;
  v = (v ^ v >> 15) * 0x846ca68bU;
  return static_cast<float>((v ^ v >> 16) >> 8) / 16777216.0F;
}

// Smooth noise on a grid of `cell` pixels.
float field(float x, float y, float cell, std::uint32_t seed) {
  const float gx = x / cell;
  const float gy = y / cell;
  const auto left = static_cast<std::uint32_t>(gx);
  const auto top = static_cast<std::uint32_t>(gy);
  const auto ease = [](float t) { return t * t * (3 - 2 * t); };
  const float tx = ease(gx - static_cast<float>(left));
  const float ty = ease(gy - static_cast<float>(top));
  const float above = std::lerp(random_at(left, top, seed), random_at(left + 1, top, seed), tx);
  const float below =
      std::lerp(random_at(left, top + 1, seed), random_at(left + 1, top + 1, seed), tx);
  return std::lerp(above, below, ty);
}

// Clouds of several sizes in three channels and `grain` levels of noise: compresses as photographs
// and as backgrounds of a model do.
Image clouds(int width, int height, std::uint32_t seed, float finest, float contrast, float grain) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::array<float, 3> sums{};
      float weight = contrast;
      for (float cell = 512; cell >= finest; cell /= 2, weight *= 0.62F) {
        const float light = field(static_cast<float>(x), static_cast<float>(y), cell, seed);
        for (float& sum : sums) sum += (light - 0.5F) * weight;
      }
      sums[0] += 60 * field(static_cast<float>(x), static_cast<float>(y), 300, seed + 1);
      sums[2] += 60 * field(static_cast<float>(x), static_cast<float>(y), 400, seed + 2);
      const float noise =
          (random_at(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), seed + 3) -
           0.5F) *
          grain;
      std::uint8_t* pixel = image.pixels.data() + (static_cast<std::size_t>(y) * width + x) * 3;
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(std::clamp(sums[c] + 90 + noise, 0.0F, 255.0F));
      }
    }
  }
  return image;
}

// A drawing of bench/cards, RGBA with straight alpha.
Image draw(const std::filesystem::path& file, int width, int height) {
  const cards::SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height));
  const cards::CairoPtr context(cairo_create(surface.get()));
  cards::draw_svg(context.get(), read_text(file),
                  {0, 0, static_cast<double>(width), static_cast<double>(height)}, file.string());
  cairo_surface_flush(surface.get());
  Image image = make_image(width, height, 4);
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* row =
        cairo_image_surface_get_data(surface.get()) +
        static_cast<std::ptrdiff_t>(y) * cairo_image_surface_get_stride(surface.get());
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = image.pixels.data() + (static_cast<std::size_t>(y) * width + x) * 4;
      const int alpha = row[4 * x + 3];
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(alpha == 0 ? 0 : row[4 * x + 2 - c] * 255 / alpha);
      }
      pixel[3] = static_cast<std::uint8_t>(alpha);
    }
  }
  return image;
}

Image alpha_of(const Image& rgba) {
  Image mask = make_image(rgba.width, rgba.height, 3);
  for (std::size_t i = 0; i < rgba.pixels.size() / 4; ++i) {
    std::fill_n(mask.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3,
                rgba.pixels[4 * i + 3]);
  }
  return mask;
}

std::string font_file(const char* name) {
  FcPattern* wanted = FcNameParse(reinterpret_cast<const FcChar8*>(name));
  FcConfigSubstitute(nullptr, wanted, FcMatchPattern);
  FcDefaultSubstitute(wanted);
  FcResult result = FcResultNoMatch;
  FcPattern* found = FcFontMatch(nullptr, wanted, &result);
  FcChar8* file = nullptr;
  std::string path;
  if (found != nullptr && FcPatternGetString(found, FC_FILE, 0, &file) == FcResultMatch) {
    path = reinterpret_cast<const char*>(file);
  }
  if (found != nullptr) FcPatternDestroy(found);
  FcPatternDestroy(wanted);
  if (path.empty()) fail(Cause::NotFound, name, ": no such font; install fonts-noto-core");
  return path;
}

}  // namespace

BenchParts write_bench_parts(const std::filesystem::path& drawings,
                             const std::filesystem::path& folder) {
  BenchParts parts;
  parts.folder = folder;
  parts.headlines = parse_json(read_text(drawings / "headlines.json"), "headlines.json")
                        .get<std::vector<std::string>>();
  parts.credit = {"Two fields",
                  "Ana Example",
                  "",
                  "Wikimedia Commons",
                  "https://photos.example/two-fields",
                  "CC-BY-4.0",
                  "https://creativecommons.org/licenses/by/4.0/",
                  {}};
  std::filesystem::create_directories(folder);
  for (int i = 0; i < parts.count; ++i) {
    const std::string number = std::to_string(i);
    const auto seed = static_cast<std::uint32_t>(100 + 10 * i);
    // 4:2:0 at quality 90, as cameras and photo services write.
    const cards::EncodeOptions camera = {
        .quality = 90, .budget = 0, .progressive = false, .full_chroma = false};
    write_atomically(
        folder / ("photo-" + number + ".jpg"),
        cards::encode(clouds(2400, 1600, seed, 4, 190, 12), cards::Format::Jpeg, camera).bytes);
    const Image background = clouds(1200, 630, seed + 5, 64, 70, 3);
    write_atomically(folder / ("background-" + number + ".png"), cards::encode_png(background));
    write_atomically(folder / ("background-" + number + ".raw"), to_raw(background));
  }
  write_atomically(folder / "mask.png",
                   cards::encode_png(alpha_of(draw(drawings / "mask.svg", 660, 630))));
  write_atomically(folder / "overlay.png",
                   cards::encode_png(draw(drawings / "overlay.svg", 1200, 630)));
  const Json plan = {{"photos", parts.count},
                     {"backgrounds", parts.count},
                     {"headlines", parts.headlines},
                     {"byline", parts.byline},
                     {"credit", credit_line(parts.credit) + " · cropped"},
                     {"bold", font_file("Noto Sans:bold")},
                     {"regular", font_file("Noto Sans:regular")}};
  write_atomically(folder / "plan.json", plan.dump(2));
  return parts;
}

}  // namespace affiche::cli

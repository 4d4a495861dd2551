// SPDX-License-Identifier: Apache-2.0
#include "cards/shared_layers.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "cards/grade.h"
#include "cards/kernels/pixel_rows.h"
#include "cards/mask.h"
#include "cards/resample.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

std::string text_of(const Area& area) {
  return concat(area.x, ",", area.y, ",", area.width, ",", area.height);
}

std::string text_of(const Box& box) {
  return concat(box.x, ",", box.y, ",", box.width, ",", box.height);
}

// Everything but the layer that decides how one looks: template, brand with its colours of today,
// and the colours among the variables.
std::string surroundings(const CardJob& job) {
  std::string key = job.card.sha256 + " " + job.card.size + " " + job.brand.sha256;
  for (const auto& [name, shade] : job.brand.colours) {
    key += " " + name + to_hex(shade) + std::to_string(shade.alpha);
  }
  // A drawing may name any variable that holds a colour.
  Colour colour;
  for (const auto& [name, value] : job.values) {
    if (parse_hex(value, colour)) key += " " + name + "=" + value;
  }
  return key;
}

// What was found or, after `make`, kept. `matches` guards against keys that say too little.
template <typename T, typename Make, typename Size, typename Matches>
std::shared_ptr<const T> shared(PreparedParts* kept, const std::string& key, Make&& make,
                                Size&& size_of, Matches&& matches) {
  if (kept == nullptr) return std::make_shared<const T>(make());
  if (auto found = kept->find<T>(key); found != nullptr && matches(*found)) return found;
  auto made = std::make_shared<const T>(make());
  kept->keep(key, made, size_of(*made));
  return made;
}

template <typename T, typename Make, typename Size>
std::shared_ptr<const T> shared(PreparedParts* kept, const std::string& key, Make&& make,
                                Size&& size_of) {
  return shared<T>(kept, key, make, size_of, [](const T&) { return true; });
}

// A few bytes of many: enough to choose among what is kept, which is then compared whole.
std::string sample(const std::uint8_t* bytes, std::size_t size) {
  constexpr std::size_t kPlaces = 64;
  std::string taken = std::to_string(size) + ":";
  for (std::size_t i = 0; i < kPlaces && size > 0; ++i) {
    taken += static_cast<char>(bytes[(size - 1) * i / (kPlaces - 1)]);
  }
  return taken;
}

struct GeneratedPixels {
  Generated source;
  std::vector<std::uint32_t> pixels;
};

struct CutPhoto {
  Photo source;
  CoverPhoto cut;
};

std::vector<std::uint32_t> with_grain(const Generated& picture, const GeneratedLayer& layer,
                                      const Area& area) {
  const Image& source = picture.image();
  const bool exact = layer.zoom == 1 && source.width == area.width &&
                     source.height == area.height && source.channels == 3;
  std::vector<std::uint32_t> pixels;
  if (exact && layer.grain <= 0) {
    pixels.resize(source.pixels.size() / 3);
    kernels::pixel_rows().from_rgb(pixels.data(), source.pixels.data(),
                                   static_cast<int>(pixels.size()));
    return pixels;
  }
  Canvas own(area.width, area.height);
  own.blend(resample_to_cover(source, area.width, area.height, layer.zoom, layer.focus[0],
                              layer.focus[1]),
            {0, 0, area.width, area.height}, {}, 1, layer.grain);
  return own.opaque_words();
}

}  // namespace

bool never_changes(const Layer& layer) {
  if (layer.effects.blend != Blend::Normal) return false;
  return std::holds_alternative<SolidLayer>(layer.content) ||
         std::holds_alternative<GradientLayer>(layer.content) ||
         std::holds_alternative<SvgLayer>(layer.content) ||
         std::holds_alternative<LogoLayer>(layer.content) ||
         std::holds_alternative<ShapeLayer>(layer.content);
}

std::shared_ptr<const DrawnLayer> drawn_layer(
    const CardJob& job, const Layer& layer, const Box& box,
    const std::function<void(Canvas& own, Composed& result)>& draw) {
  const std::string key =
      concat("layer ", layer.name, " ", text_of(box), " ", job.mirrored(), " ", surroundings(job));
  return shared<DrawnLayer>(
      job.inputs.kept.get(), key,
      [&] {
        Canvas own(job.card.width, job.card.height, Canvas::Ground::Transparent);
        Composed scratch;
        draw(own, scratch);
        return DrawnLayer{own.plane(), std::move(scratch.layers)};
      },
      [](const DrawnLayer& drawn) {
        return drawn.plane.pixels.size() * 4 + drawn.plane.visible.size() * 8;
      });
}

std::shared_ptr<const Coverage> shared_coverage(const CardJob& job, const Layer& layer,
                                                const Mask& mask, const Area& area) {
  return shared<Coverage>(
      job.inputs.kept.get(),
      concat("mask ", layer.name, " ", text_of(area), " ", job.mirrored(), " ", job.card.sha256,
             " ", job.card.size),
      [&] { return make_coverage(mask, area, job.what(layer)); },
      [](const Coverage& coverage) { return coverage.size(); });
}

std::shared_ptr<const std::vector<std::uint32_t>> generated_pixels(const CardJob& job,
                                                                   const GeneratedLayer& layer,
                                                                   const Generated& picture,
                                                                   const Area& area) {
  const Image& source = picture.image();
  const std::string key =
      concat("generated ", text_of(area), " ", layer.zoom, " ", layer.focus[0], " ", layer.focus[1],
             " ", layer.grain, " ", source.width, "x", source.height, " ") +
      sample(source.pixels.data(), source.pixels.size());
  const auto made = shared<GeneratedPixels>(
      job.inputs.kept.get(), key,
      [&] {
        return GeneratedPixels{picture, with_grain(picture, layer, area)};
      },
      [](const GeneratedPixels& kept) {
        return kept.source.image().pixels.size() + kept.pixels.size() * 4;
      },
      [&](const GeneratedPixels& kept) {
        return &kept.source.image() == &source || kept.source.image().pixels == source.pixels;
      });
  return {made, &made->pixels};
}

std::shared_ptr<const std::vector<std::uint16_t>> ramp(
    const CardJob& job, const std::string& key, const Area& area,
    const std::function<double(double x, double y)>& strength) {
  return shared<std::vector<std::uint16_t>>(
      job.inputs.kept.get(), concat("ramp ", key, " ", text_of(area)),
      [&] {
        std::vector<std::uint16_t> strengths;
        strengths.reserve(static_cast<std::size_t>(area.width) * area.height);
        for (int y = 0; y < area.height; ++y) {
          for (int x = 0; x < area.width; ++x) {
            const double value = strength(area.x + x + 0.5, area.y + y + 0.5);
            strengths.push_back(
                static_cast<std::uint16_t>(std::lround(std::clamp(value, 0.0, 1.0) * 65535)));
          }
        }
        return strengths;
      },
      [](const std::vector<std::uint16_t>& strengths) { return strengths.size() * 2; });
}

std::shared_ptr<const CoverPhoto> shared_cover(const CardJob& job, int width, int height,
                                               const PhotoLayer& layer, const PhotoPlace& place) {
  const Photo& photo = *job.inputs.photo;
  const Bytes& bytes = photo.encoded();
  std::string key = concat("photo ", width, "x", height, " ", static_cast<int>(layer.fit), " ",
                           static_cast<int>(layer.focus), " ", layer.point[0], " ", layer.point[1]);
  if (place.focus) key += concat(" at ", (*place.focus)[0], ",", (*place.focus)[1]);
  for (const Box& box : place.taken) key += " " + text_of(box);
  Tone tone = tone_of(job.brand);
  double amount = layer.grade;
  if (layer.grade_colour) {
    const Colour colour = resolve(*layer.grade_colour, job.brand, job.values);
    tone = tone_of(colour);
    amount *= colour.alpha;
  }
  if (amount > 0) key += concat(" graded ", amount, " ", tone[0], ",", tone[1]);
  key += " " + sample(bytes.data(), bytes.size());
  const auto made = shared<CutPhoto>(
      job.inputs.kept.get(), key,
      [&] {
        CutPhoto cut{photo, cover(photo, width, height, layer, place)};
        if (amount > 0) grade(cut.cut.image, tone, amount);
        return cut;
      },
      [](const CutPhoto& kept) {
        return kept.source.encoded().size() + kept.cut.image.pixels.size();
      },
      // The same bytes, in the same place or in another one.
      [&](const CutPhoto& kept) {
        return &kept.source.encoded() == &bytes || kept.source.encoded() == bytes;
      });
  return {made, &made->cut};
}

}  // namespace affiche::cards

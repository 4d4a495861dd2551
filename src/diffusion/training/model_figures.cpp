// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/model_figures.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/words.h"
#include "imaging/ciede2000.h"
#include "imaging/deband.h"
#include "imaging/main_colours.h"

namespace affiche::diffusion {
namespace {

constexpr double kGrid = 1.2, kBanded = 0.1;
constexpr std::size_t kMainColours = 4;

// A scene by chance, of family and colours alone.
Scene plain_scene(std::uint64_t& seed, Family family) {
  Scene scene = random_scene(seed++, family);
  scene.light = Light::None;
  scene.mood = Mood::Plain;
  scene.space = Space::Full;
  return scene;
}

double colour_error(const Image& image, const std::vector<std::uint32_t>& named) {
  std::vector<MainColour> colours = main_colours(image);
  if (colours.size() > kMainColours) colours.resize(kMainColours);
  double sum = 0;
  for (const std::uint32_t name : named) {
    double least = 1e9;
    for (const MainColour& colour : colours)
      least = std::min(least, ciede2000(lab_of_srgb(name), colour.colour));
    sum += least;
  }
  return named.empty() ? 0 : sum / static_cast<double>(named.size());
}

double feature_gap(const std::vector<float>& p, const std::vector<float>& q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double d = static_cast<double>(p[i]) - static_cast<double>(q[i]);
    sum += d * d;
  }
  return std::sqrt(sum);
}

class Measuring {
 public:
  Measuring(const Painter& paint, const FamilyClassifier& classifier, const FigureOptions& options,
            const std::function<void(const std::string&)>& report)
      : paint_(paint),
        classifier_(classifier),
        options_(options),
        report_(report),
        seed_(options.seed * 1'000'003) {}
  ModelFigures figures() {
    colours();
    styles();
    diversity();
    figures_.artefacts = figures_.pictures > 0 ? marred_ / figures_.pictures : 0;
    return figures_;
  }

 private:
  Image picture(const std::string& prompt, std::uint64_t seed) {
    Image image = paint_(prompt, seed);
    ++figures_.pictures;
    marred_ += block_ratio(image) > kGrid || banding(image) > kBanded ? 1 : 0;
    if (report_ && figures_.pictures % 10 == 0) report_(concat(figures_.pictures, " pictures"));
    return image;
  }
  Family family(int i) const {
    return options_.families[static_cast<std::size_t>(i) % options_.families.size()];
  }
  void colours() {
    std::vector<double> errors;
    for (int i = 0; i < options_.colour_prompts; ++i) {
      const std::string prompt = caption(plain_scene(seed_, family(i)));
      errors.push_back(colour_error(picture(prompt, seed_), read_prompt(prompt).colours));
    }
    if (errors.empty()) return;
    std::sort(errors.begin(), errors.end());
    figures_.colour_median = errors[errors.size() / 2];
    figures_.colour_p90 = errors[errors.size() * 9 / 10];
  }
  void styles() {
    const int each = options_.style_seeds;
    for (const Family wanted : options_.families) {
      int right = 0;
      for (int i = 0; i < each; ++i) {
        const std::string prompt = caption(plain_scene(seed_, wanted));
        right += classifier_.recognise(picture(prompt, seed_)) == wanted ? 1 : 0;
      }
      figures_.style_of.push_back(each > 0 ? static_cast<double>(right) / each : 0);
      figures_.style += figures_.style_of.back() / static_cast<double>(options_.families.size());
    }
  }
  void diversity() {
    double sum = 0;
    int pairs = 0;
    for (int p = 0; p < options_.diversity_prompts; ++p) {
      const std::string prompt = caption(plain_scene(seed_, family(p)));
      std::vector<std::vector<float>> seen;
      for (int i = 0; i < options_.diversity_seeds; ++i)
        seen.push_back(classifier_.features(picture(prompt, seed_++)));
      for (std::size_t i = 0; i < seen.size(); ++i)
        for (std::size_t j = 0; j < i; ++j, ++pairs) sum += feature_gap(seen[i], seen[j]);
    }
    figures_.diversity = pairs > 0 ? sum / pairs : 0;
  }

  const Painter& paint_;
  const FamilyClassifier& classifier_;
  const FigureOptions& options_;
  const std::function<void(const std::string&)>& report_;
  std::uint64_t seed_;
  double marred_ = 0;
  ModelFigures figures_;
};

}  // namespace

double block_ratio(const Image& image) {
  double across = 0, within = 0;
  std::int64_t borders = 0, others = 0;
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* row = &image.pixels[static_cast<std::size_t>(y) * image.stride()];
    for (int x = 2; x + 1 < image.width; ++x) {
      // The second difference: ramps have none.
      const auto at = [&](int i) { return int{row[i * image.channels + 1]}; };
      const int bend = std::abs(at(x - 2) - 3 * at(x - 1) + 3 * at(x) - at(x + 1));
      if (x % 8 == 0) {
        across += bend;
        ++borders;
      } else {
        within += bend;
        ++others;
      }
    }
  }
  if (borders == 0 || others == 0) return 1;
  return (across / static_cast<double>(borders) + 0.1) /
         (within / static_cast<double>(others) + 0.1);
}

ModelFigures measure(const Painter& paint, const FamilyClassifier& classifier,
                     const FigureOptions& options,
                     const std::function<void(const std::string&)>& report) {
  return Measuring(paint, classifier, options, report).figures();
}

}  // namespace affiche::diffusion

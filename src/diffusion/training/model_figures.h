// SPDX-License-Identifier: Apache-2.0
// How good a model's backgrounds are, in four figures, and the same figures for drawings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "diffusion/training/family_classifier.h"
#include "imaging/image.h"

namespace affiche::diffusion {

struct FigureOptions {
  int colour_prompts = 200;  // scenes by chance, their captions as prompts
  int style_seeds = 12;      // pictures of each family
  int diversity_prompts = 8, diversity_seeds = 4;
  // That prompts may name.
  std::vector<Family> families{kShippedFamilies.begin(), kShippedFamilies.end()};
  std::uint64_t seed = 1;
};

struct ModelFigures {
  // CIEDE2000 from each named colour to the nearest of the picture's four main colours, the mean of
  // a prompt; its median and 90th percentile over the prompts.
  double colour_median = 0, colour_p90 = 0;
  double style = 0;              // share of pictures whose family the classifier recognises
  std::vector<double> style_of;  // the same of each of the options' families
  double diversity = 0;  // mean distance of the classifier's features between seeds of one prompt
  double artefacts = 0;  // share of pictures with an 8-pixel grid or bands
  int pictures = 0;
};

// Makes the picture of a prompt and a seed.
using Painter = std::function<Image(const std::string& prompt, std::uint64_t seed)>;

ModelFigures measure(const Painter& paint, const FamilyClassifier& classifier,
                     const FigureOptions& options,
                     const std::function<void(const std::string&)>& report = {});

// How much stronger neighbouring pixels differ across the borders of 8 x 8 blocks than elsewhere; 1
// for none. Thread-safe.
double block_ratio(const Image& image);

}  // namespace affiche::diffusion

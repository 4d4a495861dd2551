// SPDX-License-Identifier: Apache-2.0
// Everything that decides the pixels of a generated picture. Same recipe, same build and machine:
// same picture. The JSON form is stored beside the picture and keys the cache of backgrounds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace affiche {

struct RecipeLora {
  std::string name;    // file name without folder
  std::string sha256;  // of the file
  double weight = 1.0;
  bool operator==(const RecipeLora&) const = default;
};

struct Recipe {
  std::string model;         // folder or file name without path
  std::string model_sha256;  // see service: hash over the component files
  std::vector<RecipeLora> loras;
  std::string prompt;
  std::string negative_prompt;
  std::int64_t seed = 0;
  std::string scheduler;  // diffusers class name
  int steps = 0;
  double guidance_scale = 0;
  int width = 0;  // pixels generated, before any resize
  int height = 0;
  std::string dtype = "fp32";
  std::vector<std::string>
      palette;        // "#RRGGBB": colours it was brought to afterwards; may be empty
  std::string build;  // affiche version
  bool operator==(const Recipe&) const = default;
};

// Canonical: fixed key order, no spaces, so that equal recipes give equal bytes.
std::string to_json(const Recipe& recipe);
Recipe recipe_from_json(const std::string& text, const std::string& what);

}  // namespace affiche

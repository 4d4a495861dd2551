// SPDX-License-Identifier: Apache-2.0
// A small convolutional network that tells the families of drawings apart. It is trained on the
// spot, on drawings alone, in about a minute; what it calls a model's pictures then says whether
// the model has learned the families' names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/training/drawing/scene.h"
#include "imaging/image.h"

namespace affiche::diffusion {

// Not thread-safe.
class FamilyClassifier {
 public:
  // Among `families`, two or more. The same arguments give the same network on one machine.
  FamilyClassifier(const std::vector<Family>& families, int steps, std::uint64_t seed,
                   const std::function<void(const std::string&)>& report = {});
  ~FamilyClassifier();
  Family recognise(const Image& image) const;
  // What the last layer sees, of length 1: alike for pictures that look alike.
  std::vector<float> features(const Image& image) const;

 private:
  struct Net;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion

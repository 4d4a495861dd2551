// SPDX-License-Identifier: Apache-2.0
// A photograph and its credit, inseparable (promise 1), and what the model made, with its recipe
// (promise 2). There is no conversion between the two and none to a bare image.
#pragma once

#include <memory>
#include <string>

#include "base/files.h"
#include "imaging/credit.h"
#include "imaging/image.h"
#include "imaging/recipe.h"

namespace affiche {

// Encoded bytes as they were fetched or imported (JPEG, PNG, WebP …), decoded only by cards/.
// Copies share the bytes. Immutable, thread-safe.
class Photo {
 public:
  // Throws Refused when the credit is incomplete, BadInput when there are no bytes.
  Photo(Bytes encoded, Credit credit);
  const Bytes& encoded() const { return *encoded_; }
  const Credit& credit() const { return credit_; }
  // The same bytes with one more change noted in the credit ("cropped").
  Photo with_change(const std::string& change) const;

 private:
  std::shared_ptr<const Bytes> encoded_;
  Credit credit_;
};

// Pixels that the model made (or, with recipe.model == "drawn", that our code drew). Copies share
// the pixels. Immutable, thread-safe.
class Generated {
 public:
  Generated(Image image, Recipe recipe)
      : image_(std::make_shared<const Image>(std::move(image))), recipe_(std::move(recipe)) {}
  const Image& image() const { return *image_; }
  const Recipe& recipe() const { return recipe_; }

 private:
  std::shared_ptr<const Image> image_;
  Recipe recipe_;
};

}  // namespace affiche

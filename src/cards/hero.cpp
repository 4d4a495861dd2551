// SPDX-License-Identifier: Apache-2.0
#include "cards/hero.h"

#include "base/error.h"
#include "cards/picture.h"

namespace affiche::cards {

Composed make_hero(const Photo& photo, int width, int height) {
  constexpr double kMostEnlarged = 1.5;
  CoverPhoto cut = cover(photo, width, height, PhotoLayer{});
  if (cut.enlargement > kMostEnlarged) {
    fail(Cause::BadInput, "photo \"", photo.credit().title, "\": enlarged ", cut.enlargement,
         " times for a hero of ", width, "x", height, ", at most ", kMostEnlarged,
         "; use a larger photo");
  }
  const Photo used = cut.cropped ? photo.with_change("cropped") : photo;
  Composed hero;
  hero.hero = true;
  hero.image = std::move(cut.image);
  hero.credit = used.credit();
  hero.credit_line = credit_line(used.credit());
  return hero;
}

}  // namespace affiche::cards

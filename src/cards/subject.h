// SPDX-License-Identifier: Apache-2.0
// What a photograph is of, and where it is cut so that this stays visible.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cards/template.h"

namespace affiche::cards {

// Fractions of the upright picture; x, y is the middle. A width of 0 is a point.
struct Subject {
  double x = 0.5;
  double y = 0.5;
  double width = 0;
  double height = 0;
  // How far words may push it from where it would stand, as a share of the crop: little where only
  // a guess says what the subject is.
  double leeway = 1;
};

// Where the photographer, the agency or the camera says that the subject is: a focus region, else
// all faces (Metadata Working Group regions), else an IPTC image region, else the EXIF subject
// area. Nothing when there is none or it cannot be read: a hint is not worth an error. Thread-safe.
std::optional<Subject> subject_of(std::span<const std::uint8_t> bytes);

// `subject` of the stored picture as it is when turned upright (EXIF 2.32, Orientation 1 to 8).
Subject upright(const Subject& subject, int orientation);

// The upper left corner of a crop of crop_width x crop_height out of width x height: the subject in
// the middle as far as the edges allow, unless `taken` (fractions of the crop: words, logo, credit)
// lie on it there; then the nearest place where they do so least.
std::array<double, 2> place_crop(double width, double height, double crop_width, double crop_height,
                                 const Subject& subject, const std::vector<Box>& taken);

}  // namespace affiche::cards

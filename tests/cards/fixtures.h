// SPDX-License-Identifier: Apache-2.0
// Pictures and small templates for the card tests.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/error.h"
#include "cards/compose.h"
#include "cards/encode.h"

namespace affiche::cards::test {

inline const std::filesystem::path kRoot = AFFICHE_SOURCE_DIR;

// A picture whose left half is `left` and whose right half is `right`.
Image two_halves(int width, int height, Colour left, Colour right);
Credit good_credit();
Photo photo(int width = 900, int height = 600);
Generated generated(const std::string& model = "affiche-mini");

// The shipped template and brand with everything that they ask for.
Template article();
Brand demo();
CardInputs article_inputs(const std::string& headline);

// A template of one text layer named "words" in a box of 500x300 on a white canvas of 600x400, with
// `style` as further keys of the layer.
Template one_text(const std::string& style);

const LayerReport& layer(const Composed& card, const std::string& name);

// The error that `action` throws: its cause and message; the test fails without one.
struct Thrown {
  Cause cause;
  std::string message;
};
Thrown thrown(const std::function<void()>& action);

bool contains(const std::string& text, const std::string& part);

}  // namespace affiche::cards::test

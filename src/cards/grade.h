// SPDX-License-Identifier: Apache-2.0
// Slight grading of photographs: their white balance moved towards a colour of the brand, so that
// pictures of many hands look like one paper's. Thread-safe.
#pragma once

#include <array>

#include "cards/brand.h"
#include "imaging/image.h"

namespace affiche::cards {

// A direction in OKLab's plane of colour (a, b); its length is the chroma.
using Tone = std::array<float, 2>;

Tone tone_of(const Colour& colour);
// Of all the brand's colours: their mean, each weighed by its chroma, so that greys do not count.
Tone tone_of(const Brand& brand);

// The picture (RGB) with its mean colour moved towards `tone`, by at most 0.04 of OKLab at amount
// 1: about twice what is just visible. Every pixel keeps its luminance (WCAG), black and white stay
// what they are.
void grade(Image& picture, const Tone& tone, double amount);

}  // namespace affiche::cards

// SPDX-License-Identifier: Apache-2.0
// Brings a picture to the colours of a brand, whatever it was painted in: its main colours move to
// the brand's in OKLab, and all others move along with their neighbours, so that shades stay shades
// and no edge appears where there was none.
#pragma once

#include <span>
#include <vector>

#include "imaging/image.h"
#include "imaging/oklab.h"

namespace affiche {

// `palette`: the brand's colours. Each of the picture's two main colours (main_colours()) is given
// the colour of the palette that suits it best, not both the same one; smaller ones move towards
// mixtures of the palette. A picture with one main colour gets one; an empty palette changes
// nothing. Smooth ramps are rebuilt finer than eight bits before and dithered after, so stretching
// them shows no bands. The same picture and palette give the same picture. Thread-safe.
Image to_brand_colours(const Image& image, std::span<const Oklab> palette);

// How far the two main colours of a picture are from the nearest ones of the palette, CIEDE2000;
// the larger of the two. 0 for an empty picture or palette.
double brand_distance(const Image& image, std::span<const Oklab> palette);

}  // namespace affiche

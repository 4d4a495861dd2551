// SPDX-License-Identifier: Apache-2.0
// Pictures finer than eight bits.
#pragma once

#include <vector>

#include "imaging/image.h"

namespace affiche {

// Levels of red, green and blue, interleaved. Where a picture hardly changes, a level is the mean
// of its surroundings, which tells the value that eight bits have rounded off; edges and texture
// stay as they are. Thread-safe.
std::vector<float> fine_levels(const Image& image);

// How much of a picture lies in bands, 0 to 1: the share of its pixels that belong to even runs of
// 6 or more pixels with a step of a few levels at both ends that goes on in the next rows. Flat
// areas without steps and dithered ramps have none. Thread-safe.
double banding(const Image& image);

}  // namespace affiche

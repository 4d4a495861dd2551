// SPDX-License-Identifier: Apache-2.0
// How different two colours look: CIEDE2000 (G. Sharma, W. Wu, E. Dalal 2005). 1 is just visible
// side by side, 3 hard to see apart. Thread-safe.
#pragma once

#include "imaging/oklab.h"

namespace affiche {

struct Cielab {
  double lightness = 0, a = 0, b = 0;  // lightness 0 to 100
};

// Of D65, the white of sRGB.
Cielab cielab_of(Oklab colour);

double ciede2000(const Cielab& p, const Cielab& q);
inline double ciede2000(Oklab p, Oklab q) {
  return ciede2000(cielab_of(p), cielab_of(q));
}

}  // namespace affiche

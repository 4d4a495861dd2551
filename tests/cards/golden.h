// SPDX-License-Identifier: Apache-2.0
// Pictures that were looked at once and must stay as they are, within what another version of a
// library may change.
#pragma once

#include <string>

#include "imaging/image.h"

namespace affiche::cards::test {

// Compares with tests/data/cards/NAME.png. On a difference the test fails and
// golden-differences/NAME.png in the build folder shows what was expected, what was found, and
// where they differ. With AFFICHE_WRITE_GOLDENS=1 the picture is written in place of the
// comparison, to be looked at.
void check_golden(const Image& found, const std::string& name);

// The share of pixels that differ by more than a shade of grey in any channel; 1 for other sizes.
double difference(const Image& expected, const Image& found);

}  // namespace affiche::cards::test

// SPDX-License-Identifier: Apache-2.0
#include "cards/golden.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "cards/encode.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

// Another FreeType or cairo moves edges by a fraction of a pixel; another letter, place, break or
// colour changes a multiple of this.
constexpr double kTolerance = 0.004;
constexpr int kShade = 64;

int largest_difference(const std::uint8_t* a, const std::uint8_t* b) {
  int largest = 0;
  for (int c = 0; c < 3; ++c) largest = std::max(largest, std::abs(a[c] - b[c]));
  return largest;
}

void copy_rows(const Image& from, Image& to, int top) {
  for (int y = 0; y < from.height; ++y) {
    std::copy_n(from.pixels.begin() + static_cast<std::ptrdiff_t>(y * from.stride()), from.stride(),
                to.pixels.begin() + static_cast<std::ptrdiff_t>((top + y) * to.stride()));
  }
}

// Expected, found, and where they differ, one above the other.
Image side_by_side(const Image& expected, const Image& found) {
  Image all =
      make_image(std::max(expected.width, found.width), expected.height + 2 * found.height, 3);
  copy_rows(expected, all, 0);
  copy_rows(found, all, expected.height);
  if (expected.width != found.width || expected.height != found.height) return all;
  const std::size_t last = expected.pixels.size() + found.pixels.size();
  for (std::size_t i = 0; i < found.pixels.size(); i += 3) {
    const int by = largest_difference(&expected.pixels[i], &found.pixels[i]);
    all.pixels[last + i] = static_cast<std::uint8_t>(by);
    all.pixels[last + i + 1] = by > kShade ? 255 : 0;
  }
  return all;
}

}  // namespace

double difference(const Image& expected, const Image& found) {
  if (expected.width != found.width || expected.height != found.height) return 1;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < found.pixels.size(); i += 3) {
    if (largest_difference(&expected.pixels[i], &found.pixels[i]) > kShade) ++differing;
  }
  return static_cast<double>(differing) / (found.width * found.height);
}

void check_golden(const Image& found, const std::string& name) {
  namespace fs = std::filesystem;
  const fs::path file = kRoot / "tests/data/cards" / (name + ".png");
  if (const char* write = std::getenv("AFFICHE_WRITE_GOLDENS"); write != nullptr && *write == '1') {
    fs::create_directories(file.parent_path());
    write_atomically(file, encode(found, Format::Png).bytes);
    WARN(name << ": written; look at it");
    return;
  }
  const Image expected = decode(read_bytes(file), file.string());
  const double by = difference(expected, found);
  if (by > kTolerance) {
    const fs::path shown = fs::path(AFFICHE_BINARY_DIR) / "golden-differences" / (name + ".png");
    fs::create_directories(shown.parent_path());
    write_atomically(shown, encode(side_by_side(expected, found), Format::Png).bytes);
    INFO("expected, found and the difference are in " << shown.string());
    CHECK(by <= kTolerance);
  } else {
    SUCCEED(name);
  }
}

}  // namespace affiche::cards::test

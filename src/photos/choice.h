// SPDX-License-Identifier: Apache-2.0
// Which of the photographs that may be used is the best for a card. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "photos/candidate.h"
#include "photos/measures.h"
#include "photos/ruling.h"

namespace affiche::photos {

// Enlarging beyond this shows; a card is refused the picture.
inline constexpr double kMostEnlarged = 1.2;
// Less of the picture than this, and it is not the picture that was chosen.
inline constexpr double kLeastShown = 0.3;
// Below these, a picture is blurred or unreadably dark or bright. The photographs of the packages
// mate-backgrounds and scikit-learn have a focus of 0.09 to 0.93 and, softened 24 times, of 0.005
// to 0.011.
inline constexpr double kLeastFocus = 0.02;
inline constexpr double kLeastExposure = 0.08;

struct Needs {
  std::string query;
  std::string salt;  // orders equals; the job's variables
  int width = 0;     // pixels of the photo's place on the card; 0: any size
  int height = 0;
  int least_width = 640;  // photos.min_width
};

// What the site used before, newest first.
struct Lately {
  std::set<std::string> photos;  // ids
  std::vector<std::uint64_t> prints;
  std::vector<std::string> authors;  // of the last cards
};

struct Fit {
  bool kept = false;
  std::string rule;                           // "small", "shape", or the ruling's
  std::string reason;                         // one sentence for people; empty when kept
  double score = 0;                           // higher is better
  double relevance = 0, size = 0, shape = 0;  // 0 … 1
  double enlarged = 0;                        // times; 0: size unknown
};

// A candidate by its record: `place` is its rank with its provider. Refused by its ruling, its
// size, or its shape.
Fit fit(const Candidate& candidate, const Ruling& ruling, const Needs& needs, const Lately& lately,
        std::size_t place);
// By size and shape alone, for a picture whose bytes are there: reason, or empty.
std::string misfit(int width, int height, const Needs& needs);

// By its pixels: reason why not, or empty.
std::string unfit(const Measured& measured);
// Whether the site has used the picture, or one that looks the same.
bool used_lately(const std::string& id, const Measured& measured, const Lately& lately);

// Indexes of those that are kept, best first.
std::vector<std::size_t> best_first(const std::vector<Fit>& fits);

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
#include "photos/choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "photos/search.h"

namespace affiche::photos {
namespace {

// Weights of the score. Relevance counts most: a sharp picture of something else is no help.
constexpr double kRelevance = 6, kSize = 1, kShape = 2, kRepeated = 1.5, kSpread = 0.5;

// FNV-1a, as search.cpp spreads equals.
double spread(const std::string& salt, const std::string& id) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::string_view part :
       {std::string_view(salt), std::string_view("\n"), std::string_view(id)}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return static_cast<double>(hash >> 11) / 9007199254740992.0;
}

// A share of the query's words; what a provider's own search found without any of them comes last,
// in the provider's order.
double relevance_of(const Candidate& candidate, const std::string& query, std::size_t place) {
  const std::size_t wanted = search_words(query).size();
  SearchEntry entry{candidate.source_id, candidate.title + " " + candidate.description,
                    candidate.keywords};
  const auto found = rank(query, std::array{entry});
  const double words =
      found.empty() || wanted == 0
          ? 0
          : (found[0].score / 1000 +
             (found[0].score % 1000) / (3.0 * static_cast<double>(wanted)) * 0.25) /
                (1.25 * static_cast<double>(wanted));
  return 0.85 * words + 0.15 / (1 + 0.1 * static_cast<double>(place));
}

double enlargement(int width, int height, const Needs& needs) {
  if (width <= 0 || height <= 0 || needs.width <= 0 || needs.height <= 0) return 0;
  return std::max(static_cast<double>(needs.width) / width,
                  static_cast<double>(needs.height) / height);
}

// The share of the picture that the place shows when it is covered.
double shown(int width, int height, const Needs& needs) {
  if (width <= 0 || height <= 0 || needs.width <= 0 || needs.height <= 0) return 1;
  const double picture = static_cast<double>(width) / height;
  const double place = static_cast<double>(needs.width) / needs.height;
  return std::min(picture / place, place / picture);
}

std::string with_one_place(double value) {
  const auto tenths = static_cast<long>(std::lround(value * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

std::string misfit(int width, int height, const Needs& needs) {
  if (width > 0 && width < needs.least_width) {
    return concat("it is ", width, " pixels wide, photos.min_width is ", needs.least_width);
  }
  if (const double times = enlargement(width, height, needs); times > kMostEnlarged) {
    return concat("it has ", width, "×", height, " pixels and would be enlarged ",
                  with_one_place(times), " times");
  }
  if (const double part = shown(width, height, needs); part < kLeastShown) {
    return concat("the card would show only ", std::lround(part * 100), " % of it");
  }
  return "";
}

Fit fit(const Candidate& candidate, const Ruling& ruling, const Needs& needs, const Lately& lately,
        std::size_t place) {
  Fit found;
  found.relevance = relevance_of(candidate, needs.query, place);
  found.enlarged = enlargement(candidate.width, candidate.height, needs);
  found.size = found.enlarged == 0 ? 0.5 : std::min(1.0, 0.5 / found.enlarged);
  found.shape = shown(candidate.width, candidate.height, needs);
  const auto repeats = std::count(lately.authors.begin(), lately.authors.end(), candidate.creator);
  found.score = kRelevance * found.relevance + kSize * found.size + kShape * found.shape +
                kSpread * spread(needs.salt, candidate.provider + candidate.source_id) -
                kRepeated * std::min(1.0, 0.25 * static_cast<double>(repeats));
  if (!ruling.decision.allowed) {
    found.rule = ruling.decision.rule;
    found.reason = ruling.decision.reason;
    return found;
  }
  found.reason = misfit(candidate.width, candidate.height, needs);
  found.kept = found.reason.empty();
  found.rule = found.kept ? ruling.decision.rule : "size or shape";
  return found;
}

std::string unfit(const Measured& measured) {
  if (measured.focus < kLeastFocus) return "nothing in it is in focus";
  if (measured.exposure < kLeastExposure) return "it is almost black, or almost white";
  return "";
}

bool used_lately(const std::string& id, const Measured& measured, const Lately& lately) {
  return lately.photos.contains(id) ||
         std::any_of(lately.prints.begin(), lately.prints.end(), [&](std::uint64_t print) {
           return print_distance(print, measured.print) <= kSamePrint;
         });
}

std::vector<std::size_t> best_first(const std::vector<Fit>& fits) {
  std::vector<std::size_t> order(fits.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](std::size_t i) { return !fits[i].kept; });
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return fits[a].score > fits[b].score; });
  return order;
}

}  // namespace affiche::photos

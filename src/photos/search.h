// SPDX-License-Identifier: Apache-2.0
// Finds photographs of the library by words. Deterministic, without any index: a library of ten
// thousand pictures is searched in some milliseconds. Thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace affiche::photos {

struct SearchEntry {
  std::string id;
  std::string title;
  std::vector<std::string> keywords;
};

struct Match {
  std::size_t index = 0;  // into the candidates
  int score = 0;          // higher is better, > 0
};

// Words in lower case without accents, plural s and stop words: "The Rivers of Köln" -> river,
// koln.
std::vector<std::string> search_words(std::string_view text);

// Best first; those that share no word with the query are left out. A photograph that has more of
// the query's words wins, then one that has them as keywords (3) over title (2) over beginnings of
// words (1). Equals are ordered by a hash of id and `salt`: with the job's id or headline as salt,
// jobs with the same query get different pictures, and a job that is tried again gets the same.
std::vector<Match> rank(std::string_view query, std::span<const SearchEntry> candidates,
                        std::string_view salt = {});

}  // namespace affiche::photos

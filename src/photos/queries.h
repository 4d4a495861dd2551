// SPDX-License-Identifier: Apache-2.0
// From the words of an article to what one would type into a picture search. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace affiche::photos {

// Languages with a list of words that say nothing about a picture: en, de, fr, es, it, nl, pt.
bool has_stop_list(std::string_view language);

// The telling words of a text as written, without repetitions: names (capital letters inside a
// sentence, except in German) first, then longer words before shorter ones. `language`: BCP 47; of
// others, English's list holds.
std::vector<std::string> key_words(std::string_view text, std::string_view language);

// Queries to try one after the other, from particular to general: four words of the title, two of
// them with the category, the category. Empty when there is no telling word.
std::vector<std::string> queries_of(std::string_view title, std::string_view category,
                                    std::string_view language);

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
// Inputs that are like those of a corpus.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

#include "base/files.h"

namespace affiche::fuzz {

// One of the corpus with one to eight changes: bits, bytes, edge numbers, digits, pieces taken out,
// repeated, or brought from another input. Depends on nothing but its arguments.
Bytes mutate(const std::vector<Bytes>& corpus, std::mt19937_64& random, std::size_t longest);

}  // namespace affiche::fuzz

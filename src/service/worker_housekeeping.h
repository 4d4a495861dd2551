// SPDX-License-Identifier: Apache-2.0
// What crashes and deleted jobs leave on disk.
#pragma once

#include <cstdint>
#include <filesystem>

#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

// Longer than any stage: what a running stage has put is not referenced yet.
inline constexpr Millis kSweepAge = 24 * 3'600'000;

struct Tidied {
  int artifacts = 0;  // that no row names
  int leftovers = 0;  // temporary files of crashed writers
  std::uint64_t bytes = 0;
};

// Sweeps the artifact folder, `output` and the folders of all jobs' files of what is older than
// `age`. Safe beside running workers when `age` is kSweepAge.
Tidied tidy(store::Store& store, const store::Artifacts& artifacts,
            const std::filesystem::path& output, Millis age = kSweepAge);

}  // namespace affiche::service

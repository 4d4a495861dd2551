// SPDX-License-Identifier: Apache-2.0
#include "service/worker_housekeeping.h"

#include <set>

namespace affiche::service {
namespace {

namespace fs = std::filesystem;

// A job's `out` may be a file or a folder, and a crashed attempt has no outputs yet.
std::set<fs::path> folders_of(const store::Store& store, const fs::path& output) {
  std::set<fs::path> folders{output};
  for (const store::Job& job : store.jobs()) {
    for (const std::string& file : job.outputs) folders.insert(fs::path(file).parent_path());
    if (job.out.empty()) continue;
    folders.insert(job.out);
    folders.insert(fs::path(job.out).parent_path());
  }
  folders.erase(fs::path());
  return folders;
}

}  // namespace

Tidied tidy(store::Store& store, const store::Artifacts& artifacts, const fs::path& output,
            Millis age) {
  // Files carry the machine's time, whatever clock the store was given.
  const Millis now = SystemClock().now();
  const store::Artifacts::Swept swept = artifacts.sweep(store.referenced_artifacts(), age, now);
  store.forget_artifacts(swept.removed);
  Tidied tidied{static_cast<int>(swept.removed.size()), swept.leftovers, swept.bytes};
  for (const fs::path& folder : folders_of(store, output)) {
    tidied.leftovers += store::sweep_temporaries(folder, age, now);
  }
  return tidied;
}

}  // namespace affiche::service

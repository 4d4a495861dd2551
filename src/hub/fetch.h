// SPDX-License-Identifier: Apache-2.0
// Brings a model into the cache: asks the hub what there is, chooses, makes room, downloads what is
// not there, verifies, links.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "hub/cache.h"
#include "hub/selection.h"
#include "hub/settings.h"

namespace affiche::hub {

// Told what goes on, from the thread of fetch().
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void note(const std::string& text) = 0;
  // The files that will be fetched, and their bytes as far as they are known.
  virtual void planned(std::size_t files, std::uint64_t bytes) = 0;
  // Of these, `bytes` are there; `file` is on its way.
  virtual void progress(const std::string& file, std::uint64_t bytes) = 0;
};

struct Wanted {
  Reference reference;
  Wish wish;           // of a repository without `reference.file`
  std::string sha256;  // of the one file; empty: what the hub says
};

struct Fetched {
  Cached place;
  struct File {
    std::string path;
    std::uint64_t size = 0;
    std::string hash;  // "sha256-…" or "git-…"
    bool verified = false;
    bool fetched = false;  // now, over the network
  };
  std::vector<File> files;
  std::uint64_t received = 0;  // bytes over the network, without the listing
  std::vector<std::string> warnings;
};

// Offline, the same as Cache::find(). Errors: Usage and NotFound for names; Refused for what the
// hub or a limit refuses, saying what to do; BadInput for answers and files that are not what they
// should be; Unavailable when it may work later: what came so far is kept, and the next call goes
// on with it. Several processes may fetch at once; each file comes once. Cancelled once `stop` is
// requested.
Fetched fetch(const Settings& settings, const Wanted& wanted, Watcher& watcher,
              std::stop_token stop = {});

}  // namespace affiche::hub

// SPDX-License-Identifier: Apache-2.0
#include "service/thumbnails.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "base/error.h"
#include "cards/encode.h"

namespace affiche::service {
namespace {

constexpr std::size_t kAtOnce = 4;

Thumbnail thumbnail(const Considered& one, PhotoSources& sources, const store::Artifacts& artifacts,
                    const std::stop_token& stop) {
  static constexpr std::array kUnseen = {"taken down", "mature", "never"};
  Thumbnail made;
  try {
    if (!one.photo_id.empty()) {
      made.picture = cards::decode(artifacts.get(one.photo_id), one.photo_id);
      return made;
    }
    if (std::find(kUnseen.begin(), kUnseen.end(), one.fit.rule) != kUnseen.end()) return made;
    photos::Provider* provider = sources.find(one.candidate.provider);
    if (provider == nullptr) return made;
    const std::string what = one.candidate.provider + ":" + one.candidate.source_id;
    made.picture = cards::decode(provider->thumbnail(one.candidate, stop).bytes, what);
  } catch (const Error& error) {
    if (error.cause() == Cause::Cancelled) throw;
    made.problem = error.what();
  }
  return made;
}

}  // namespace

std::vector<Thumbnail> thumbnails(std::span<const Considered> considered, PhotoSources& sources,
                                  const store::Artifacts& artifacts, std::stop_token stop) {
  std::vector<Thumbnail> made(considered.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < made.size() && !stop.stop_requested(); i = next++) {
      try {
        made[i] = thumbnail(considered[i], sources, artifacts, stop);
      } catch (const std::exception& error) {  // Cancelled, or memory
        made[i].problem = error.what();
      }
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(kAtOnce, made.size()); ++i) threads.emplace_back(work);
  threads.clear();
  if (stop.stop_requested()) fail(Cause::Cancelled, "thumbnails: stopped");
  return made;
}

}  // namespace affiche::service

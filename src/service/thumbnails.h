// SPDX-License-Identifier: Apache-2.0
// Small copies of the photographs that were considered, for people who choose: out of the library,
// or of the provider by the same way as any picture (limits, rates, the locked-up decoder).
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "service/photo_choice.h"
#include "store/artifacts.h"

namespace affiche::service {

struct Thumbnail {
  std::optional<Image> picture;
  std::string problem;  // why there is none
};

// One for each, in their order; several are fetched at a time. What was taken down, is flagged as
// mature, or stands in photos.never is not fetched.
std::vector<Thumbnail> thumbnails(std::span<const Considered> considered, PhotoSources& sources,
                                  const store::Artifacts& artifacts, std::stop_token stop = {});

}  // namespace affiche::service

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/micro_conditions.h"

#include <ATen/ATen.h>

#include <vector>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

using Ids = std::vector<float>;

void add(Ids& ids, Size size) {
  for (const std::int64_t pixels : size) ids.push_back(static_cast<float>(pixels));
}

Ids ids_of(Size original, Size crop, Size target) {
  Ids ids;
  add(ids, original);
  add(ids, crop);
  add(ids, target);
  return ids;
}

Ids scored_ids(Size original, Size crop, double score) {
  Ids ids;
  add(ids, original);
  add(ids, crop);
  ids.push_back(static_cast<float>(score));
  return ids;
}

}  // namespace

at::Tensor add_time_ids(const Components& parts, const MicroConditions& micro, Size made,
                        bool from_picture, bool guided, std::int64_t pictures) {
  const Size original = micro.original_size.value_or(made);
  const Size target = micro.target_size.value_or(made);
  const Size crop = micro.crops_coords_top_left;
  const Size negative_original = micro.negative_original_size.value_or(original);
  const Size negative_target = micro.negative_target_size.value_or(target);
  Ids positive = ids_of(original, crop, target);
  Ids negative = positive;
  if (parts.requires_aesthetics_score) {
    positive = scored_ids(original, crop, micro.aesthetic_score);
    negative = scored_ids(negative_original, micro.negative_crops_coords_top_left,
                          micro.negative_aesthetic_score);
  } else if (from_picture) {
    negative = ids_of(negative_original, crop, negative_target);
  } else if (micro.negative_original_size && micro.negative_target_size) {
    negative = ids_of(negative_original, micro.negative_crops_coords_top_left, negative_target);
  }
  const at::Tensor ids = at::tensor(positive).unsqueeze(0).repeat({pictures, 1});
  if (!guided) return ids;
  return at::cat({at::tensor(negative).unsqueeze(0).repeat({pictures, 1}), ids});
}

}  // namespace affiche::diffusion

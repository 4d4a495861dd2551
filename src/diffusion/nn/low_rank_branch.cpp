// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/low_rank_branch.h"

#include <utility>

namespace affiche::diffusion {
namespace {

thread_local std::shared_ptr<const LowRankBranches> shown;

}  // namespace

ShownBranches::ShownBranches(std::shared_ptr<const LowRankBranches> branches)
    : before_(std::exchange(shown, std::move(branches))) {}

ShownBranches::~ShownBranches() {
  shown = std::move(before_);
}

const std::shared_ptr<const LowRankBranches>& ShownBranches::now() {
  return shown;
}

const LowRankBranch* branch_beside(const at::Tensor& weight) {
  if (!shown) return nullptr;
  const auto found = shown->find(&weight);
  return found == shown->end() ? nullptr : &found->second;
}

}  // namespace affiche::diffusion

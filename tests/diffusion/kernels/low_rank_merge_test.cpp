// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/low_rank_merge.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "catch.h"

using namespace affiche::diffusion;

namespace {

struct Problem {
  at::Tensor base, up, down;
};

Problem random_problem(std::int64_t rows, std::int64_t columns, std::int64_t rank,
                       at::ScalarType dtype) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(7);
  return {at::randn({rows, columns}, generator).to(dtype), at::randn({rows, rank}, generator),
          at::randn({rank, columns}, generator)};
}

at::Tensor merged(const Problem& problem) {
  at::Tensor out = at::full_like(problem.base, 99);
  merge_low_rank({{out, problem.base, problem.up, problem.down}});
  return out;
}

struct Threads {
  explicit Threads(int count) : before(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before); }
  int before;
};

}  // namespace

TEST_CASE("the sum of a weight and a product of low rank is exact to float32 at every size") {
  if (!can_merge_low_rank(at::kFloat, at::kCPU)) return;
  // Below, at and above the tiles of 64 columns and the panels of 3 and 6 rows.
  for (const std::int64_t columns : {1, 36, 63, 64, 65, 128, 320, 1290}) {
    for (const std::int64_t rows : {1, 2, 5, 6, 7, 13, 100}) {
      for (const std::int64_t rank : {1, 4, 16, 17}) {
        CAPTURE(rows, columns, rank);
        const Problem problem = random_problem(rows, columns, rank, at::kFloat);
        const at::Tensor exact = problem.base.to(at::kDouble) +
                                 problem.up.to(at::kDouble).matmul(problem.down.to(at::kDouble));
        const at::Tensor sum = merged(problem);
        CHECK((sum.to(at::kDouble) - exact).abs().max().item<double>() < 1e-5);
      }
    }
  }
}

TEST_CASE("bfloat16 weights get the float32 sum rounded once to the nearest") {
  if (!can_merge_low_rank(at::kBFloat16, at::kCPU)) return;
  for (const std::int64_t columns : {32, 64, 96, 320, 330}) {
    CAPTURE(columns);
    const Problem problem = random_problem(50, columns, 16, at::kBFloat16);
    Problem wide = problem;
    wide.base = problem.base.to(at::kFloat);
    CHECK(at::equal(merged(problem), merged(wide).to(at::kBFloat16)));
  }
}

TEST_CASE("many sums at once are those of each alone") {
  if (!can_merge_low_rank(at::kFloat, at::kCPU)) return;
  std::vector<Problem> problems;
  std::vector<LowRankMerge> merges;
  for (const std::int64_t size : {320, 36, 1280, 64}) {
    problems.push_back(random_problem(size, 2 * size, 4, at::kFloat));
    const Problem& problem = problems.back();
    merges.push_back({at::empty_like(problem.base), problem.base, problem.up, problem.down});
  }
  merge_low_rank(merges);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    CHECK(at::equal(merges[i].out, merged(problems[i])));
  }
}

TEST_CASE("the sum does not depend on the number of threads or on where the weights lie") {
  if (!can_merge_low_rank(at::kFloat, at::kCPU)) return;
  const Problem problem = random_problem(500, 320, 16, at::kFloat);
  const Threads one(1);
  const at::Tensor alone = merged(problem);
  {
    const Threads three(3);
    CHECK(at::equal(merged(problem), alone));
  }
  // Rows that do not begin on a cache line are written another way.
  at::Tensor place = at::empty({500 * 320 + 1});
  at::Tensor shifted = place.narrow(0, 1, 500 * 320).view({500, 320});
  merge_low_rank({{shifted, problem.base, problem.up, problem.down}});
  CHECK(at::equal(shifted, alone));
}

TEST_CASE("tensors of inference mode are merged in every thread") {
  if (!can_merge_low_rank(at::kFloat, at::kCPU)) return;
  const Threads two(2);
  const c10::InferenceMode inference;
  const Problem problem = random_problem(6, 65, 4, at::kFloat);  // one column is in no tile
  std::vector<LowRankMerge> merges;
  for (int i = 0; i < 8; ++i) {
    merges.push_back({at::empty_like(problem.base), problem.base, problem.up, problem.down});
  }
  merge_low_rank(merges);
  for (const LowRankMerge& merge : merges) CHECK(at::equal(merge.out, merged(problem)));
}

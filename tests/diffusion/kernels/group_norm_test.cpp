// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/group_norm.h"

#include <ATen/Parallel.h>

#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

TEST_CASE("group norm with channels last is right where the mean is far from zero") {
  for (const auto& [channels, groups, height, width] :
       {std::tuple<int, int, int, int>{8, 4, 3, 5}, {12, 1, 40, 64}, {6, 6, 33, 32}}) {
    for (const double mean : {0.0, 10.0, 100.0}) {
      const at::Tensor x = channels_last(at::randn({2, channels, height, width}) + mean);
      const at::Tensor weight = at::randn({channels}), bias = at::randn({channels});
      const at::Tensor expected =
          at::group_norm(x.to(at::kDouble).contiguous(), groups, weight.to(at::kDouble),
                         bias.to(at::kDouble), 1e-6);
      const at::Tensor out = group_norm_channels_last(x, groups, weight, bias, 1e-6);
      INFO(channels << " " << mean);
      CHECK(distance(out, expected) < 1e-5 + 1e-6 * mean);
      CHECK(out.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

TEST_CASE("group norm of a flat picture is its bias, and what is not a number stays so") {
  const at::Tensor weight = at::ones({4}), bias = at::tensor({1.F, 2.F, 3.F, 4.F});
  at::Tensor x = channels_last(at::full({1, 4, 8, 8}, 1234.5));
  CHECK(distance(group_norm_channels_last(x, 2, weight, bias, 1e-6),
                 bias.view({1, 4, 1, 1}).expand({1, 4, 8, 8})) < 1e-2);
  x[0][0][3][3] = NAN;
  const at::Tensor out = group_norm_channels_last(x, 2, weight, bias, 1e-6);
  CHECK(out.slice(1, 0, 2).isnan().all().item<bool>());
  CHECK(out.slice(1, 2).isfinite().all().item<bool>());
}

TEST_CASE("group norm of a picture depends neither on its neighbours nor on threads") {
  const at::Tensor x = channels_last(at::randn({3, 8, 50, 60}) + 3);
  const at::Tensor weight = at::randn({8}), bias = at::randn({8});
  const int threads = at::get_num_threads();
  const at::Tensor all = group_norm_channels_last(x, 2, weight, bias, 1e-5);
  at::set_num_threads(threads == 1 ? 2 : 1);
  const at::Tensor alone = group_norm_channels_last(x.slice(0, 1, 2), 2, weight, bias, 1e-5);
  at::set_num_threads(threads);
  CHECK(at::equal(all.slice(0, 1, 2), alone));
}

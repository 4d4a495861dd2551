// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/convert_weights.h"

#include <ATen/ATen.h>

#include <limits>

#include "catch.h"

using namespace affiche::diffusion;

namespace {

const std::vector<at::ScalarType> kTypes = {at::kFloat, at::kHalf, at::kBFloat16};

}  // namespace

TEST_CASE("weights are converted as the tensor library converts them") {
  for (const at::ScalarType from : kTypes) {
    for (const at::ScalarType to : kTypes) {
      CAPTURE(c10::toString(from), c10::toString(to));
      const at::Tensor source = (at::randn({300, 70, 3, 3}) * 100).to(from);
      const at::Tensor rows = at::randn({1000, 77}).to(from), few = at::randn({5}).to(from);
      // Numbers below the smallest normal one of float16.
      const at::Tensor tiny = (at::randn({4096}) * 1e-6).to(from);
      std::vector<Conversion> work;
      for (const at::Tensor& each : {source, rows, few, tiny}) {
        work.push_back({each, at::empty_like(each, at::TensorOptions().dtype(to))});
      }
      work[0].target =
          at::empty(source.sizes(),
                    at::TensorOptions().dtype(to).memory_format(at::MemoryFormat::ChannelsLast));
      CHECK_FALSE(convert_weights(work).has_value());
      for (const Conversion& each : work) CHECK(at::equal(each.target, each.source.to(to)));
    }
  }
}

TEST_CASE("the first weights with a number that is not finite are named, wherever it is") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {infinity, -infinity, std::nan("")}) {
    for (const at::ScalarType type : kTypes) {
      CAPTURE(bad, c10::toString(type));
      at::Tensor sick = at::zeros({300000}).to(type);
      sick[299999] = bad;
      const at::Tensor well = at::zeros({10, 10}).to(type);
      CHECK(convert_weights({{well, well}, {sick, sick}, {sick, sick}}) == 1);
      const at::Tensor target = at::empty({300000});
      CHECK(convert_weights({{sick, target}, {well, well}}) == 0);
    }
  }
  // Finite in the file, too large for the network's dtype.
  const at::Tensor large = at::full({2, 70, 3, 3}, 1e6);
  const at::Tensor target =
      at::empty(large.sizes(),
                at::TensorOptions().dtype(at::kHalf).memory_format(at::MemoryFormat::ChannelsLast));
  CHECK(convert_weights({{large, target}}) == 0);
}

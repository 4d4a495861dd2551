// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/scheduler.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

constexpr double kSameTimestep = 1e-3;

}  // namespace

void Scheduler::begin(at::Tensor timesteps) {
  timesteps_ = std::move(timesteps);
  index_ = 0;
  begin_set_ = false;
}

void Scheduler::set_begin_index(std::size_t index) {
  if (index >= step_count()) {
    fail(Cause::Usage, class_name(), ": expected to begin before step ", step_count(), ", found ",
         index);
  }
  begin_set_ = true;
  index_ = index;
}

std::size_t Scheduler::index() const {
  if (index_ >= step_count()) {
    fail(Cause::Usage, class_name(), ": the run has ", step_count(), " steps and is over");
  }
  return index_;
}

std::size_t Scheduler::index_of(double timestep) const {
  const at::Tensor all = timesteps_.to(at::kDouble);
  const double* values = all.const_data_ptr<double>();
  std::size_t found = step_count();
  std::size_t nearest = 0;
  int count = 0;
  for (std::size_t i = 0; i < step_count() && count < 2; ++i) {
    if (std::fabs(values[i] - timestep) < std::fabs(values[nearest] - timestep)) nearest = i;
    if (values[i] != timestep) continue;
    found = i;
    ++count;
  }
  // Respaced time steps come out of logarithms, whose last bit differs between machines.
  if (count == 0 && std::fabs(values[nearest] - timestep) < kSameTimestep) return nearest;
  if (count == 0) {
    fail(Cause::Usage, class_name(), ": the time step ", timestep, " is not part of this run");
  }
  return found;
}

std::vector<std::size_t> Scheduler::places_of(const at::Tensor& timesteps) const {
  const at::Tensor wanted = timesteps.to(at::kCPU, at::kDouble).reshape({-1});
  std::vector<std::size_t> places;
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    places.push_back(begin_set_ ? index_ : index_of(wanted[i].item<double>()));
  }
  return places;
}

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "store/job.h"

#include <array>

#include "base/error.h"

namespace affiche::store {
namespace {

constexpr std::array kStates = {State::Queued, State::Running, State::Retrying,
                                State::Done,   State::Dead,    State::Cancelled};

}  // namespace

const char* name(State state) noexcept {
  switch (state) {
    case State::Queued:
      return "queued";
    case State::Running:
      return "running";
    case State::Retrying:
      return "retrying";
    case State::Done:
      return "done";
    case State::Dead:
      return "dead";
    case State::Cancelled:
      return "cancelled";
  }
  return "queued";
}

State state_from(const std::string& text) {
  for (const State state : kStates) {
    if (text == name(state)) return state;
  }
  fail(Cause::BadInput, "state \"", text,
       "\": expected queued, running, retrying, done, dead or cancelled");
}

}  // namespace affiche::store

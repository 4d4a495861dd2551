// SPDX-License-Identifier: Apache-2.0
// Another program, run to its end: without a shell, without the environment's secrets, and killed
// when it is late.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace affiche::service {

struct ProgramAnswer {
  int code = -1;  // its exit code; 128 + the signal that ended it
  bool late = false;
  std::string complaint;  // the end of what it wrote to standard error and output, one line
};

// `program` is a path, or a name that is looked for in PATH. Unavailable when it cannot be started.
ProgramAnswer run_child(const std::string& program, const std::vector<std::string>& arguments,
                        std::chrono::seconds most_time);

}  // namespace affiche::service

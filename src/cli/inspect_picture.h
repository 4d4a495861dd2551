// SPDX-License-Identifier: Apache-2.0
// What a picture says of its making, and making it again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"

namespace affiche::cli {

struct InspectPicture {
  std::filesystem::path file;
  bool rerun = false;               // make it again, to `out`
  std::string out;                  // with rerun
  std::vector<std::string> models;  // folders in which its files are looked for
};

// Prints the recipe, for people or with --json; a picture of another program shows its text.
// BadInput when it carries nothing. With rerun the exit code and the errors of `affiche generate`.
int inspect_picture(const InspectPicture& what, const Shared& shared);

}  // namespace affiche::cli

// SPDX-License-Identifier: Apache-2.0
// A table of module names in two layouts, read in either direction.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "diffusion/weights/ldm_layers.h"

namespace affiche::diffusion {

// Tensor names follow from module names: the longest module that a name starts with is replaced,
// the rest ("weight", or layers that have the same names in both) stays.
class ModuleNames {
 public:
  void add(const std::string& diffusers, const std::string& ldm);
  // One entry for each layer of the module.
  void add(const std::string& diffusers, const std::string& ldm, std::span<const LdmPair> layers);

  // Nothing for names that belong to no module of the table.
  std::optional<std::string> to_diffusers(std::string_view ldm) const;
  std::optional<std::string> to_ldm(std::string_view diffusers) const;

 private:
  using Table = std::map<std::string, std::string, std::less<>>;
  static std::optional<std::string> renamed(const Table& table, std::string_view name);
  Table to_diffusers_;
  Table to_ldm_;
};

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/module_names.h"

#include "base/error.h"

namespace affiche::diffusion {

void ModuleNames::add(const std::string& diffusers, const std::string& ldm) {
  to_diffusers_[ldm] = diffusers;
  to_ldm_[diffusers] = ldm;
}

void ModuleNames::add(const std::string& diffusers, const std::string& ldm,
                      std::span<const LdmPair> layers) {
  for (const auto& [own, other] : layers) {
    add(concat(diffusers, ".", own), concat(ldm, ".", other));
  }
}

std::optional<std::string> ModuleNames::renamed(const Table& table, std::string_view name) {
  for (std::size_t dot = name.rfind('.'); dot != name.npos && dot > 0;
       dot = name.rfind('.', dot - 1)) {
    const auto found = table.find(name.substr(0, dot));
    if (found != table.end()) return concat(found->second, name.substr(dot));
  }
  return std::nullopt;
}

std::optional<std::string> ModuleNames::to_diffusers(std::string_view ldm) const {
  return renamed(to_diffusers_, ldm);
}

std::optional<std::string> ModuleNames::to_ldm(std::string_view diffusers) const {
  return renamed(to_ldm_, diffusers);
}

}  // namespace affiche::diffusion

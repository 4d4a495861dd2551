// SPDX-License-Identifier: Apache-2.0
// Scheduler names. Beside diffusers' classes: the names that A1111, ComfyUI, InvokeAI and
// stable-diffusion.cpp use, which carry options in the name.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"
#include "diffusion/schedulers/ddim.h"
#include "diffusion/schedulers/dpm_solver_multistep.h"
#include "diffusion/schedulers/euler_discrete.h"
#include "diffusion/schedulers/pndm.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {
namespace {

using Make = std::function<std::unique_ptr<Scheduler>(const Json&)>;

template <typename Class, typename Config>
Make maker(Config (*read)(const Json&)) {
  return [read](const Json& json) { return std::make_unique<Class>(read(json)); };
}

const std::map<std::string, Make>& classes() {
  static const std::map<std::string, Make> kClasses = {
      {"DDIMScheduler", maker<DDIMScheduler>(&DDIMConfig::from_json)},
      {"DPMSolverMultistepScheduler",
       maker<DPMSolverMultistepScheduler>(&DPMSolverConfig::from_json)},
      {"EulerAncestralDiscreteScheduler",
       maker<EulerAncestralDiscreteScheduler>(&EulerConfig::ancestral_from_json)},
      {"EulerDiscreteScheduler", maker<EulerDiscreteScheduler>(&EulerConfig::from_json)},
      {"PNDMScheduler", maker<PNDMScheduler>(&PNDMConfig::from_json)},
  };
  return kClasses;
}

// Names of other programs, without spaces, '_' and '-', in lower case, "++" as "pp".
const std::map<std::string, std::string>& short_names() {
  static const std::map<std::string, std::string> kNames = {
      {"ddim", "DDIMScheduler"},
      {"ddimtrailing", "DDIMScheduler"},
      {"dpmpp2m", "DPMSolverMultistepScheduler"},
      {"dpmpp2msde", "DPMSolverMultistepScheduler"},
      {"dpmpp3m", "DPMSolverMultistepScheduler"},
      {"dpmpp3msde", "DPMSolverMultistepScheduler"},
      {"euler", "EulerDiscreteScheduler"},
      {"eulera", "EulerAncestralDiscreteScheduler"},
      {"eulerancestral", "EulerAncestralDiscreteScheduler"},
      {"plms", "PNDMScheduler"},
      {"pndm", "PNDMScheduler"},
  };
  return kNames;
}

std::string squeezed(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    out.push_back(c == '+' ? 'p' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

struct Found {
  std::string class_name;
  Json overrides = Json::object();
};

// "…karras", "…exponential", "…beta" and InvokeAI's "…_k" choose the spacing of the levels.
std::string take_spacing(std::string name, Json& overrides) {
  static const std::pair<std::string, std::string> kSuffixes[] = {
      {"karras", "use_karras_sigmas"},
      {"exponential", "use_exponential_sigmas"},
      {"beta", "use_beta_sigmas"},
      {"k", "use_karras_sigmas"}};
  for (const auto& [suffix, option] : kSuffixes) {
    if (!name.ends_with(suffix)) continue;
    const std::string base = name.substr(0, name.size() - suffix.size());
    if (!base.starts_with("dpmpp") && base != "euler") continue;
    for (const auto& other : kSuffixes) overrides[other.second] = false;
    overrides[option] = true;
    return base;
  }
  return name;
}

Found find_scheduler(const std::string& name) {
  Found found;
  for (const std::string& full : {name, name + "Scheduler"}) {
    if (classes().contains(full)) {
      found.class_name = full;
      return found;
    }
  }
  const std::string base = take_spacing(squeezed(name), found.overrides);
  const auto known = short_names().find(base);
  if (known == short_names().end()) {
    std::vector<std::string> names;
    for (const auto& [class_name, make] : classes()) names.push_back(class_name);
    names.insert(names.end(), {"DPM++ 2M", "DPM++ 2M Karras", "DPM++ 2M SDE Karras", "DPM++ 3M",
                               "Euler", "Euler a", "Euler Karras", "DDIM", "PLMS"});
    fail(Cause::Usage, "scheduler \"", name, "\": unknown or not built in",
         suggestion(name, names));
  }
  found.class_name = known->second;
  if (base == "ddimtrailing") found.overrides["timestep_spacing"] = "trailing";
  if (base.starts_with("dpmpp")) {
    found.overrides["algorithm_type"] = base.ends_with("sde") ? "sde-dpmsolver++" : "dpmsolver++";
    found.overrides["solver_order"] = base[5] - '0';
  }
  return found;
}

}  // namespace

std::string scheduler_class(const std::string& name) {
  return find_scheduler(name).class_name;
}

std::unique_ptr<Scheduler> make_scheduler(const std::string& name, const Json& config) {
  const Found found = find_scheduler(name);
  Json merged = config.is_null() ? Json::object() : config;
  for (const auto& [key, value] : found.overrides.items()) merged[key] = value;
  return classes().at(found.class_name)(merged);
}

}  // namespace affiche::diffusion

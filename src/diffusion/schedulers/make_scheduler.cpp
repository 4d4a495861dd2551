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
#include "diffusion/schedulers/ddpm.h"
#include "diffusion/schedulers/deis_multistep.h"
#include "diffusion/schedulers/dpm_solver_multistep.h"
#include "diffusion/schedulers/dpm_solver_sde.h"
#include "diffusion/schedulers/dpm_solver_singlestep.h"
#include "diffusion/schedulers/edm_euler.h"
#include "diffusion/schedulers/euler_ancestral_discrete.h"
#include "diffusion/schedulers/euler_discrete.h"
#include "diffusion/schedulers/flow_match_euler_discrete.h"
#include "diffusion/schedulers/flow_match_heun_discrete.h"
#include "diffusion/schedulers/heun_discrete.h"
#include "diffusion/schedulers/kdpm2_ancestral_discrete.h"
#include "diffusion/schedulers/kdpm2_discrete.h"
#include "diffusion/schedulers/lcm.h"
#include "diffusion/schedulers/lms_discrete.h"
#include "diffusion/schedulers/pndm.h"
#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/tcd.h"
#include "diffusion/schedulers/unipc_multistep.h"

namespace affiche::diffusion {
namespace {

using Make = std::function<std::unique_ptr<Scheduler>(const Json&)>;

template <typename Class, typename Config>
Make maker() {
  return [](const Json& json) { return std::make_unique<Class>(Config::from_json(json)); };
}

const std::map<std::string, Make>& classes() {
  static const std::map<std::string, Make> kClasses = {
      {"DDIMScheduler", maker<DDIMScheduler, DDIMConfig>()},
      {"DDPMScheduler", maker<DDPMScheduler, DDPMConfig>()},
      {"DEISMultistepScheduler", maker<DEISMultistepScheduler, DEISConfig>()},
      {"DPMSolverMultistepScheduler",
       maker<DPMSolverMultistepScheduler, DPMSolverMultistepConfig>()},
      {"DPMSolverSDEScheduler", maker<DPMSolverSDEScheduler, DPMSolverSDEConfig>()},
      {"DPMSolverSinglestepScheduler",
       maker<DPMSolverSinglestepScheduler, DPMSolverSinglestepConfig>()},
      {"EDMEulerScheduler", maker<EDMEulerScheduler, EDMEulerConfig>()},
      {"EulerAncestralDiscreteScheduler",
       maker<EulerAncestralDiscreteScheduler, EulerAncestralConfig>()},
      {"EulerDiscreteScheduler", maker<EulerDiscreteScheduler, EulerConfig>()},
      {"FlowMatchEulerDiscreteScheduler",
       maker<FlowMatchEulerDiscreteScheduler, FlowMatchEulerConfig>()},
      {"FlowMatchHeunDiscreteScheduler",
       maker<FlowMatchHeunDiscreteScheduler, FlowMatchHeunConfig>()},
      {"HeunDiscreteScheduler", maker<HeunDiscreteScheduler, HeunConfig>()},
      {"KDPM2AncestralDiscreteScheduler",
       maker<KDPM2AncestralDiscreteScheduler, KDPM2AncestralConfig>()},
      {"KDPM2DiscreteScheduler", maker<KDPM2DiscreteScheduler, KDPM2Config>()},
      {"LCMScheduler", maker<LCMScheduler, LCMConfig>()},
      {"LMSDiscreteScheduler", maker<LMSDiscreteScheduler, LMSConfig>()},
      {"PNDMScheduler", maker<PNDMScheduler, PNDMConfig>()},
      {"TCDScheduler", maker<TCDScheduler, TCDConfig>()},
      {"UniPCMultistepScheduler", maker<UniPCMultistepScheduler, UniPCConfig>()},
  };
  return kClasses;
}

struct Found {
  std::string class_name;
  Json overrides = Json::object();
};

Found dpm_multistep(int order, const char* algorithm, const char* solver = "midpoint") {
  return {"DPMSolverMultistepScheduler",
          {{"algorithm_type", algorithm}, {"solver_order", order}, {"solver_type", solver}}};
}

// Names of other programs, squeezed as below.
const std::map<std::string, Found>& short_names() {
  static const std::map<std::string, Found> kNames = {
      {"ddim", {"DDIMScheduler"}},
      {"ddpm", {"DDPMScheduler"}},
      {"deis", {"DEISMultistepScheduler"}},
      {"dpm2", {"KDPM2DiscreteScheduler"}},
      {"dpm2a", {"KDPM2AncestralDiscreteScheduler"}},
      {"dpm2ancestral", {"KDPM2AncestralDiscreteScheduler"}},
      {"dpmpp2m", dpm_multistep(2, "dpmsolver++")},
      {"dpmpp2msde", dpm_multistep(2, "sde-dpmsolver++")},
      {"dpmpp2msdegpu", dpm_multistep(2, "sde-dpmsolver++")},
      {"dpmpp2msdeheun", dpm_multistep(2, "sde-dpmsolver++", "heun")},
      {"dpmpp2msdeheungpu", dpm_multistep(2, "sde-dpmsolver++", "heun")},
      {"dpmpp2s", {"DPMSolverSinglestepScheduler", {{"solver_order", 2}}}},
      {"dpmpp3m", dpm_multistep(3, "dpmsolver++")},
      {"dpmpp3msde", dpm_multistep(3, "sde-dpmsolver++")},
      {"dpmpp3msdegpu", dpm_multistep(3, "sde-dpmsolver++")},
      {"dpmppsde", {"DPMSolverSDEScheduler"}},
      {"dpmppsdegpu", {"DPMSolverSDEScheduler"}},
      {"edmeuler", {"EDMEulerScheduler"}},
      {"euler", {"EulerDiscreteScheduler"}},
      {"eulera", {"EulerAncestralDiscreteScheduler"}},
      {"eulerancestral", {"EulerAncestralDiscreteScheduler"}},
      {"flowmatcheuler", {"FlowMatchEulerDiscreteScheduler"}},
      {"flowmatchheun", {"FlowMatchHeunDiscreteScheduler"}},
      {"heun", {"HeunDiscreteScheduler"}},
      {"kdpm2", {"KDPM2DiscreteScheduler"}},
      {"kdpm2a", {"KDPM2AncestralDiscreteScheduler"}},
      {"lcm", {"LCMScheduler"}},
      {"lms", {"LMSDiscreteScheduler"}},
      {"plms", {"PNDMScheduler", {{"skip_prk_steps", true}}}},
      {"pndm", {"PNDMScheduler"}},
      {"tcd", {"TCDScheduler"}},
      {"unipc", {"UniPCMultistepScheduler"}},
      {"unipcbh2", {"UniPCMultistepScheduler", {{"solver_type", "bh2"}}}},
  };
  return kNames;
}

// Without spaces, '_' and '-', in lower case, "++" as "pp".
std::string squeezed(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    out.push_back(c == '+' ? 'p' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

bool can_respace(const std::string& class_name) {
  static const char* const kOthers[] = {"DDIMScheduler",
                                        "DDPMScheduler",
                                        "EDMEulerScheduler",
                                        "EulerAncestralDiscreteScheduler",
                                        "FlowMatchHeunDiscreteScheduler",
                                        "LCMScheduler",
                                        "PNDMScheduler",
                                        "TCDScheduler"};
  return std::find(std::begin(kOthers), std::end(kOthers), class_name) == std::end(kOthers);
}

// What a name ends in may choose the spacing: of the levels (InvokeAI's "…_k" is Karras), or of the
// time steps.
const std::pair<std::string, std::string> kLevelSuffixes[] = {
    {"karras", "use_karras_sigmas"},
    {"exponential", "use_exponential_sigmas"},
    {"beta", "use_beta_sigmas"},
    {"k", "use_karras_sigmas"}};
const std::string kTrailingSuffixes[] = {"trailing", "sgmuniform", "simple"};

const Found* find_short(const std::string& name, const std::string& suffix) {
  if (!name.ends_with(suffix)) return nullptr;
  const auto known = short_names().find(name.substr(0, name.size() - suffix.size()));
  return known == short_names().end() ? nullptr : &known->second;
}

std::optional<Found> find_other_name(const std::string& name) {
  if (const Found* found = find_short(name, "")) return *found;
  for (const auto& [suffix, option] : kLevelSuffixes) {
    const Found* found = find_short(name, suffix);
    if (found == nullptr || !can_respace(found->class_name)) continue;
    Found result = *found;
    for (const auto& other : kLevelSuffixes) result.overrides[other.second] = false;
    result.overrides[option] = true;
    return result;
  }
  for (const std::string& suffix : kTrailingSuffixes) {
    const Found* found = find_short(name, suffix);
    if (found == nullptr) continue;
    Found result = *found;
    result.overrides["timestep_spacing"] = "trailing";
    return result;
  }
  return std::nullopt;
}

Found find_scheduler(const std::string& name) {
  for (const std::string& full : {name, name + "Scheduler"}) {
    if (classes().contains(full)) return {full};
  }
  if (std::optional<Found> found = find_other_name(squeezed(name))) return *found;
  std::vector<std::string> names;
  for (const auto& [class_name, make] : classes()) names.push_back(class_name);
  names.insert(names.end(), {"DDIM",
                             "DDPM",
                             "DEIS",
                             "DPM++ 2M",
                             "DPM++ 2M Karras",
                             "DPM++ 2M SDE",
                             "DPM++ 2M SDE Karras",
                             "DPM++ 2S",
                             "DPM++ 3M SDE",
                             "DPM++ SDE",
                             "DPM++ SDE Karras",
                             "DPM2",
                             "DPM2 a",
                             "Euler",
                             "Euler a",
                             "Euler Karras",
                             "Heun",
                             "LCM",
                             "LMS",
                             "LMS Karras",
                             "PLMS",
                             "TCD",
                             "UniPC"});
  fail(Cause::Usage, "scheduler \"", name, "\": unknown or not built in", suggestion(name, names));
}

}  // namespace

std::string scheduler_class(const std::string& name) {
  return find_scheduler(name).class_name;
}

Json scheduler_options(const std::string& name) {
  return find_scheduler(name).overrides;
}

std::vector<std::string> scheduler_classes() {
  std::vector<std::string> names;
  for (const auto& [name, make] : classes()) names.push_back(name);
  return names;
}

std::unique_ptr<Scheduler> make_scheduler(const std::string& name, const Json& config) {
  const Found found = find_scheduler(name);
  Json merged = config.is_null() ? Json::object() : config;
  for (const auto& [key, value] : found.overrides.items()) merged[key] = value;
  return classes().at(found.class_name)(merged);
}

}  // namespace affiche::diffusion

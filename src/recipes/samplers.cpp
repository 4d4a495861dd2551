// SPDX-License-Identifier: Apache-2.0
// How near a schedule comes was measured: the noise levels of each, by ComfyUI's formulas, against
// those of diffusers 0.42 for 8, 20 and 30 steps of Stable Diffusion 1.5's betas.
#include "recipes/samplers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/json.h"

namespace affiche::recipes {
namespace {

enum class Levels {
  Free,      // any spacing of noise levels
  OpenEnd,   // likewise; "linspace" leaves out the last time step
  TimeOnly,  // only the spacing of time steps
  None,      // no choice
};

struct Sampler {
  const char* scheduler;
  Json config = Json::object();
  Levels levels = Levels::Free;
  bool draws = false;            // noise in its steps
  const char* remark = nullptr;  // where it is not the same
};

Json multistep(int order, const char* algorithm, const char* solver = "midpoint") {
  return {{"algorithm_type", algorithm}, {"solver_order", order}, {"solver_type", solver}};
}

const std::map<std::string, Sampler>& samplers() {
  constexpr const char* kMultistep = "DPMSolverMultistepScheduler";
  static const std::map<std::string, Sampler> kSamplers = {
      {"ddim", {"DDIMScheduler", Json::object(), Levels::TimeOnly}},
      {"ddpm", {"DDPMScheduler", Json::object(), Levels::TimeOnly, true}},
      {"deis", {"DEISMultistepScheduler", Json::object(), Levels::OpenEnd}},
      {"dpm_2", {"KDPM2DiscreteScheduler"}},
      {"dpm_2_ancestral", {"KDPM2AncestralDiscreteScheduler", Json::object(), Levels::Free, true}},
      {"dpmpp_2m", {kMultistep, multistep(2, "dpmsolver++"), Levels::OpenEnd}},
      {"dpmpp_2m_sde", {kMultistep, multistep(2, "sde-dpmsolver++"), Levels::OpenEnd, true}},
      {"dpmpp_2m_sde_heun",
       {kMultistep, multistep(2, "sde-dpmsolver++", "heun"), Levels::OpenEnd, true}},
      {"dpmpp_2s_ancestral",
       {"DPMSolverSinglestepScheduler",
        {{"solver_order", 2}, {"algorithm_type", "dpmsolver++"}},
        Levels::None,
        false,
        "diffusers has the solver without the noise in its steps"}},
      {"dpmpp_3m_sde", {kMultistep, multistep(3, "sde-dpmsolver++"), Levels::OpenEnd, true}},
      {"dpmpp_sde", {"DPMSolverSDEScheduler", Json::object(), Levels::Free, true}},
      {"euler", {"EulerDiscreteScheduler"}},
      {"euler_ancestral",
       {"EulerAncestralDiscreteScheduler", Json::object(), Levels::TimeOnly, true}},
      {"heun", {"HeunDiscreteScheduler"}},
      {"lcm", {"LCMScheduler", Json::object(), Levels::None, true}},
      {"lms", {"LMSDiscreteScheduler"}},
      {"plms", {"PNDMScheduler", {{"skip_prk_steps", true}}, Levels::TimeOnly}},
      {"uni_pc", {"UniPCMultistepScheduler", {{"solver_type", "bh1"}}, Levels::OpenEnd}},
      {"uni_pc_bh2", {"UniPCMultistepScheduler", {{"solver_type", "bh2"}}, Levels::OpenEnd}},
  };
  return kSamplers;
}

// Samplers that diffusers does not have, and what is taken in their place.
const std::map<std::string, std::string>& nearest() {
  static const std::map<std::string, std::string> kNearest = {
      {"dpm_adaptive", "dpmpp_2m"},
      {"dpm_fast", "dpmpp_2m"},
      {"dpmpp_2m_cfg_pp", "dpmpp_2m"},
      {"dpmpp_2m_sde_cfg_pp", "dpmpp_2m_sde"},
      {"dpmpp_2s_ancestral_cfg_pp", "dpmpp_2s_ancestral"},
      {"euler_ancestral_cfg_pp", "euler_ancestral"},
      {"euler_cfg_pp", "euler"},
      {"heunpp2", "heun"},
      {"ipndm", "plms"},
      {"ipndm_v", "plms"},
      {"restart", "heun"},
  };
  return kNearest;
}

class Translation {
 public:
  Translation(std::string sampler, std::string schedule, int steps)
      : name_(std::move(sampler)), schedule_(std::move(schedule)), steps_(steps) {}

  SamplerChoice run() {
    choose_sampler();
    if (schedule_ == "normal" || schedule_ == "uniform") {
      normal();
    } else if (schedule_ == "karras" || schedule_ == "exponential" || schedule_ == "beta") {
      levels();
    } else if (schedule_ == "simple" || schedule_ == "sgm_uniform") {
      trailing();
    } else if (schedule_ == "ddim_uniform") {
      leading();
    } else {
      note(NoteKind::NoCounterpart, "scheduler",
           concat("\"", schedule_, "\" is not known here; evenly spaced time steps are taken"));
      spacing("linspace");
    }
    return std::move(choice_);
  }

 private:
  void note(NoteKind kind, const char* subject, std::string reason) {
    choice_.notes.push_back({kind, subject, std::move(reason)});
  }

  void choose_sampler() {
    std::string key = name_.ends_with("_gpu") ? name_.substr(0, name_.size() - 4) : name_;
    if (!samplers().contains(key)) {
      const auto near = nearest().find(key);
      const std::string taken = near != nearest().end() ? near->second : "euler";
      note(NoteKind::NoCounterpart, "sampler",
           concat("\"", name_, "\" is not among diffusers' schedulers; \"", taken,
                  "\" is taken in its place"));
      key = taken;
    }
    // DDIM without noise is Euler's method on the noise levels: that class can space them freely.
    const bool respaced =
        schedule_ == "karras" || schedule_ == "exponential" || schedule_ == "beta";
    if (key == "ddim" && respaced) key = "euler";
    sampler_ = samplers().at(key);
    choice_.scheduler = sampler_.scheduler;
    choice_.config = sampler_.config;
    if (sampler_.remark != nullptr) note(NoteKind::NotEqual, "sampler", sampler_.remark);
    if (sampler_.draws) {
      note(NoteKind::NotEqual, "sampler",
           concat("\"", name_, "\" draws noise in its steps, there from another random generator"));
    }
    if (sampler_.levels == Levels::Free || sampler_.levels == Levels::OpenEnd ||
        choice_.scheduler == "DPMSolverSinglestepScheduler") {
      for (const char* option :
           {"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"}) {
        choice_.config[option] = false;
      }
    }
  }

  void spacing(const char* value) {
    if (sampler_.levels != Levels::None) choice_.config["timestep_spacing"] = value;
  }

  void no_choice() {
    note(NoteKind::NotEqual, "scheduler",
         concat(choice_.scheduler, " spaces its steps itself; \"", schedule_, "\" has no effect"));
  }

  void normal() {
    if (sampler_.levels == Levels::None) return no_choice();
    spacing("linspace");
    if (sampler_.levels == Levels::OpenEnd) {
      note(NoteKind::NotEqual, "scheduler",
           concat("\"", schedule_, "\" ends at the last time step of training, ", choice_.scheduler,
                  " one step before it: the noise levels differ, most at the "
                  "end"));
    }
  }

  void levels() {
    const bool single = choice_.scheduler == "DPMSolverSinglestepScheduler";
    if (sampler_.levels == Levels::TimeOnly || (sampler_.levels == Levels::None && !single)) {
      note(NoteKind::NoCounterpart, "scheduler",
           concat(choice_.scheduler, " has no \"", schedule_, "\" noise levels"));
      spacing("linspace");
      return;
    }
    choice_.config[concat("use_", schedule_, "_sigmas")] = true;
    spacing("linspace");
    if (schedule_ == "beta") {
      note(NoteKind::NotEqual, "scheduler",
           "\"beta\" spreads time steps there and noise levels here: the levels differ up to "
           "fourfold at the low end");
    }
  }

  void trailing() {
    if (sampler_.levels == Levels::None) return no_choice();
    if (schedule_ == "sgm_uniform" && sampler_.levels == Levels::OpenEnd) {
      spacing("linspace");
      note(NoteKind::NotEqual, "scheduler",
           "\"sgm_uniform\" goes between the time steps, here they are rounded: noise levels "
           "within 0.5 %");
      return;
    }
    spacing("trailing");
    const bool whole = steps_ > 0 && 1000 % steps_ == 0;
    if (schedule_ == "simple" && whole) return;
    note(NoteKind::NotEqual, "scheduler",
         concat("\"", schedule_,
                "\" rounds time steps otherwise than \"trailing\": noise levels "
                "within about 2 %"));
  }

  void leading() {
    if (sampler_.levels == Levels::None) return no_choice();
    spacing("leading");
    choice_.config["steps_offset"] = 1;
    const bool whole = steps_ > 0 && 1000 % steps_ == 0;
    if (whole && sampler_.levels != Levels::OpenEnd) return;
    note(NoteKind::NotEqual, "scheduler",
         whole ? concat(choice_.scheduler,
                        " spaces \"leading\" steps otherwise: the noise levels "
                        "differ")
               : std::string("\"ddim_uniform\" makes one step more when the number of steps does "
                             "not divide 1000"));
  }

  std::string name_, schedule_;
  int steps_;
  Sampler sampler_{};
  SamplerChoice choice_;
};

// Lower case, without spaces, '_' and '-', "++" as "pp".
std::string squeezed(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    out.push_back(c == '+' ? 'p' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return out;
}

// A1111's samplers: ours, and the schedule that "Automatic" means for it (modules/sd_samplers_*.py
// of version 1.10 list it as the sampler's default).
const std::map<std::string, std::pair<std::string, std::string>>& a1111_names() {
  static const std::map<std::string, std::pair<std::string, std::string>> kNames = {
      {"ddim", {"ddim", "ddim_uniform"}},
      {"ddimcfgpp", {"ddim_cfg_pp", "ddim_uniform"}},
      {"deis", {"deis", "karras"}},
      {"dpm2", {"dpm_2", "karras"}},
      {"dpm2a", {"dpm_2_ancestral", "karras"}},
      {"dpmadaptive", {"dpm_adaptive", "normal"}},
      {"dpmfast", {"dpm_fast", "normal"}},
      {"dpmpp2m", {"dpmpp_2m", "karras"}},
      {"dpmpp2msde", {"dpmpp_2m_sde", "exponential"}},
      {"dpmpp2msdeheun", {"dpmpp_2m_sde_heun", "exponential"}},
      {"dpmpp2sa", {"dpmpp_2s_ancestral", "karras"}},
      {"dpmpp3msde", {"dpmpp_3m_sde", "exponential"}},
      {"dpmppsde", {"dpmpp_sde", "karras"}},
      {"euler", {"euler", "normal"}},
      {"eulera", {"euler_ancestral", "normal"}},
      {"heun", {"heun", "normal"}},
      {"lcm", {"lcm", "normal"}},
      {"lms", {"lms", "normal"}},
      {"plms", {"plms", "ddim_uniform"}},
      {"restart", {"restart", "karras"}},
      {"unipc", {"uni_pc", "normal"}},
  };
  return kNames;
}

std::string a1111_schedule(const std::string& squeezed_name) {
  static const std::map<std::string, std::string> kNames = {
      {"beta", "beta"},     {"ddim", "ddim_uniform"}, {"exponential", "exponential"},
      {"karras", "karras"}, {"normal", "normal"},     {"sgmuniform", "sgm_uniform"},
      {"simple", "simple"}, {"uniform", "normal"}};
  const auto found = kNames.find(squeezed_name);
  return found == kNames.end() ? "" : found->second;
}

}  // namespace

SamplerChoice comfyui_sampler(const std::string& sampler, const std::string& scheduler, int steps) {
  return Translation(sampler, scheduler, steps).run();
}

SamplerChoice a1111_sampler(const std::string& sampler, const std::string& schedule_type,
                            int steps) {
  std::string key = squeezed(sampler);
  std::string type = squeezed(schedule_type);
  // Before version 1.9 the schedule stood behind the sampler's name, and nothing meant uniform.
  if (type.empty()) {
    type = "uniform";
    for (const char* suffix : {"karras", "exponential"}) {
      if (!key.ends_with(suffix)) continue;
      key.resize(key.size() - std::string_view(suffix).size());
      type = suffix;
    }
    if (const auto known = a1111_names().find(key);
        known != a1111_names().end() && known->second.second == "ddim_uniform") {
      type = "automatic";
    }
  }
  const auto known = a1111_names().find(key);
  const std::string name = known != a1111_names().end() ? known->second.first : sampler;
  std::string schedule = a1111_schedule(type);
  if (type == "automatic" && known != a1111_names().end()) schedule = known->second.second;
  if (schedule.empty()) schedule = type == "automatic" ? "normal" : schedule_type;
  return comfyui_sampler(name, schedule, steps);
}

}  // namespace affiche::recipes

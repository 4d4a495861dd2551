// SPDX-License-Identifier: Apache-2.0
// From the saved picture back through decoder, samplers and prompts to the files.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "recipes/comfyui_prompts.h"
#include "recipes/comfyui_stages.h"
#include "recipes/graph.h"
#include "recipes/import.h"
#include "recipes/samplers.h"
#include "recipes/walk.h"

namespace affiche::recipes {
namespace {

bool is_before(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;  // "9" before "10"
}

// The node at which a picture ends that most samplers worked on; of equals the one that saves, then
// the first.
const Node& choose_end(const Walk& walk, const std::string& what) {
  std::set<std::string> feeding;
  for (const auto& [id, node] : walk.graph().nodes) {
    for (const auto& [name, input] : node.inputs) {
      if (input.link) feeding.insert(input.link->node);
    }
  }
  const Node* best = nullptr;
  std::pair<std::size_t, bool> best_rank;
  for (const auto& [id, node] : walk.graph().nodes) {
    if (feeding.contains(id)) continue;
    std::size_t samplers = 0;
    for (const std::string& before : walk.upstream(node)) {
      const Node* each = walk.graph().find(before);
      samplers += each != nullptr && is_sampler(each->type) ? 1 : 0;
    }
    const std::pair rank(samplers, node.type == "SaveImage");
    if (samplers == 0) continue;
    const bool first = best == nullptr || rank > best_rank;
    if (first || (rank == best_rank && is_before(node.id, best->id))) {
      best = &node;
      best_rank = rank;
    }
  }
  if (best == nullptr) {
    fail(Cause::BadInput, what,
         ": expected a workflow with a KSampler or another sampler, found none; it makes no "
         "picture that can be translated");
  }
  return *best;
}

void put_strength(Json& request, const Stage& stage, Imported& out) {
  request["num_inference_steps"] = stage.steps;
  if (!request.contains("image")) return;
  const Noising part = noising(stage);
  request["num_inference_steps"] = part.steps;
  request["strength"] = part.strength;
  if (part.steps == stage.steps) return;
  out.note(NoteKind::NotEqual, concat(title(*stage.node), ": steps"),
           concat("there all ", stage.steps, " are run at denoise ", stage.denoise,
                  ", here that part of them: so ", part.steps));
}

void put_sampling(Json& request, const Stage& stage, Imported& out) {
  request["seed"] = stage.seed;
  put_strength(request, stage, out);
  request["guidance_scale"] = stage.cfg;
  const SamplerChoice choice =
      comfyui_sampler(stage.sampler, stage.scheduler, static_cast<int>(stage.steps));
  request["scheduler"] = choice.scheduler;
  for (const auto& [key, value] : choice.config.items()) request["scheduler_config"][key] = value;
  for (const ImportNote& note : choice.notes) {
    out.note(note.kind, concat(title(*stage.node), ": ", note.subject), note.reason);
  }
}

// What a second pass of ours cannot have of its own.
void compare(Walk& walk, const Stage& first, const Stage& second) {
  const auto differs = [&](const char* what_differs) {
    walk.note(NoteKind::NoCounterpart, *second.node,
              concat("its ", what_differs,
                     " differs from the first pass's, which both passes have "
                     "here"));
  };
  if (first.sampler != second.sampler || first.scheduler != second.scheduler) differs("sampler");
  if (first.cfg != second.cfg) differs("cfg");
  if (first.seed != second.seed && second.adds_noise) differs("seed");
  for (const char* input : {"model", "positive", "negative"}) {
    const Input *a = first.settings->input(input), *b = second.settings->input(input);
    const bool same = a == nullptr || b == nullptr || !a->link || !b->link ||
                      (a->link->node == b->link->node && a->link->slot == b->link->slot);
    walk.ignore(*second.settings, {input});
    if (!same) differs(input);
  }
}

double scale_of(Walk& walk, const Stage& second, const Json& request) {
  double scale = 1;
  for (const Scale& each : second.scales) {
    if (each.factor > 0) {
      scale *= each.factor;
    } else if (each.width > 0 && request.contains("width")) {
      const auto width = request.at("width").get<double>();
      const auto height = request.at("height").get<double>();
      scale = static_cast<double>(each.width) / width;
      if (std::abs(static_cast<double>(each.height) / height - scale) > 0.01) {
        walk.note(NoteKind::NotEqual, *each.node,
                  "changes the shape of the picture; both sides grow alike here");
      }
    } else {
      walk.note(NoteKind::NoCounterpart, *each.node, "how much it enlarges is not known here");
    }
  }
  return std::round(scale * 10000) / 10000;
}

void put_hires(Walk& walk, Json& request, const Stage& first, const Stage& second) {
  compare(walk, first, second);
  const Noising part = noising(second);
  const bool latent = std::all_of(second.scales.begin(), second.scales.end(),
                                  [](const Scale& scale) { return scale.latent; });
  for (const Scale& scale : second.scales) {
    const std::string ours = scale.latent ? "bilinear" : "lanczos";
    if (!scale.method.empty() && scale.method != ours) {
      walk.note(NoteKind::NotEqual, *scale.node,
                concat("\"", scale.method, "\" becomes ", latent ? "bilinear" : "lanczos"));
    }
  }
  request["hires"] = {{"scale", scale_of(walk, second, request)},
                      {"strength", part.strength},
                      {"num_inference_steps", part.steps},
                      {"upscaler", latent ? "latent" : "lanczos"}};
}

void put_start(Walk& walk, Json& request, const Stage& first, const Beginning& begin) {
  if (!begin.image.empty()) request["image"] = begin.image;
  if (!begin.mask.empty()) request["mask"] = begin.mask;
  if (begin.width > 0) request["width"] = begin.width;
  if (begin.height > 0) request["height"] = begin.height;
  if (begin.batch > 1) request["num_images_per_prompt"] = begin.batch;
  if (!begin.outpaint.is_null()) request["outpaint"] = begin.outpaint;
  for (const Scale& scale : first.scales) {
    if (scale.width > 0 && !begin.image.empty()) {
      request["width"] = scale.width;
      request["height"] = scale.height;
      walk.note(NoteKind::NotEqual, *scale.node,
                "resizes the picture with its own filter; here it is resized to this size");
    } else {
      walk.give_up(*scale.node, "resizing by this is not done to the first picture");
    }
  }
  const Noising part = noising(first);
  if (begin.image.empty() && part.strength < 1) {
    walk.note(NoteKind::NoCounterpart, *first.node,
              "begins an empty picture inside the schedule; here it begins at its start");
  }
}

// The same samplers in a row over one latent, as KSamplerAdvanced splits a run, become one.
void join_split_runs(Walk& walk, std::vector<Stage>& stages) {
  for (std::size_t i = stages.size() - 1; i > 0; --i) {
    Stage& first = stages[i];
    Stage& second = stages[i - 1];
    const bool split = first.leftover && !second.adds_noise && second.scales.empty() &&
                       first.end == second.start && first.steps == second.steps;
    if (!split) continue;
    compare(walk, first, second);
    first.end = second.end;
    first.leftover = second.leftover;
    stages.erase(stages.begin() + static_cast<std::ptrdiff_t>(i) - 1);
  }
}

void check_stages(Walk& walk, std::vector<Stage>& stages) {
  join_split_runs(walk, stages);
  for (const Stage& stage : stages) {
    if (stage.end < stage.steps) {
      walk.note(NoteKind::NoCounterpart, *stage.node,
                concat("stops after step ", stage.end, " of ", stage.steps,
                       "; here the run goes to its end"));
    }
    if (!stage.adds_noise) {
      walk.note(NoteKind::NoCounterpart, *stage.node, "begins without noise; here noise is added");
    }
  }
  for (std::size_t i = 0; i + 2 < stages.size(); ++i) {
    walk.give_up(*stages[i].node, "is a third pass; here there are two");
    walk.ignore(*stages[i].settings, {"model", "positive", "negative"});
  }
}

}  // namespace

bool is_comfyui(const Json& json) {
  return is_ui_workflow(json) || is_api_workflow(json);
}

Imported import_comfyui(const Json& workflow, const std::string& what) {
  Imported out;
  out.source = is_ui_workflow(workflow) ? "comfyui-workflow" : "comfyui-api";
  const Graph graph = read_graph(workflow, what);
  Walk walk(graph, what, out);
  const Node& end = choose_end(walk, what);
  Trail trail = follow_back(walk, end);
  check_stages(walk, trail.stages);
  const Stage& first = trail.stages.back();

  Json& request = out.request;
  request = Json::object();
  put_prompts(walk, request, out, first);
  if (!trail.vae.empty()) request["vae"] = trail.vae;
  put_start(walk, request, first, trail.begin);
  put_sampling(request, first, out);
  if (trail.stages.size() > 1) {
    put_hires(walk, request, first, trail.stages[trail.stages.size() - 2]);
  }
  if (trail.tiled) request["vae_tiling"] = true;
  walk.list_the_rest(end);
  for (const auto& [node, reason] : graph.asides) out.note(NoteKind::NoEffect, node, reason);
  out.note(NoteKind::NotEqual, "noise",
           "both begin from the same random numbers of the CPU, which ComfyUI scales and rounds "
           "in its own order: expect the same composition, not the same bytes");
  return out;
}

}  // namespace affiche::recipes

// SPDX-License-Identifier: Apache-2.0
#include "recipes/comfyui_stages.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"

namespace affiche::recipes {
namespace {

// A seed of 64 bits; torch takes those beyond 63 as negative numbers of the same bits.
std::int64_t seed_of(Walk& walk, const Node& node, const char* input) {
  const Json found = walk.value(node, input);
  if (found.is_number_unsigned()) return static_cast<std::int64_t>(found.get<std::uint64_t>());
  if (found.is_number_integer()) return found.get<std::int64_t>();
  if (!found.is_null()) return walk.whole(node, input, 0);
  return 0;
}

void read_plain(Walk& walk, Stage& stage) {
  const Node& node = *stage.node;
  stage.seed = seed_of(walk, node, "seed");
  stage.denoise = std::clamp(walk.number(node, "denoise", 1), 0.0, 1.0);
}

void read_advanced(Walk& walk, Stage& stage) {
  const Node& node = *stage.node;
  stage.seed = seed_of(walk, node, "noise_seed");
  stage.adds_noise = walk.flag(node, "add_noise", true);
  stage.leftover = walk.flag(node, "return_with_leftover_noise", false);
  stage.start = std::max<std::int64_t>(walk.whole(node, "start_at_step", 0), 0);
  stage.end = walk.whole(node, "end_at_step", stage.steps);
}

// Where the noise levels of the SamplerCustom nodes come from.
void read_sigmas(Walk& walk, Stage& stage) {
  const Node* sigmas = walk.source(*stage.node, "sigmas");
  if (sigmas == nullptr) return;
  if (sigmas->type == "BasicScheduler") {
    walk.ignore(*sigmas, {"model"});
    stage.scheduler = walk.text(*sigmas, "scheduler", "normal");
    stage.denoise = std::clamp(walk.number(*sigmas, "denoise", 1), 0.0, 1.0);
  } else if (sigmas->type == "KarrasScheduler" || sigmas->type == "ExponentialScheduler") {
    stage.scheduler = sigmas->type == "KarrasScheduler" ? "karras" : "exponential";
    walk.ignore(*sigmas, {"sigma_max", "sigma_min", "rho"});
    walk.note(NoteKind::NotEqual, *sigmas, "its range of noise levels becomes the model's own");
  } else {
    walk.give_up(*sigmas, "its noise levels are not known here");
    return;
  }
  stage.steps = walk.whole(*sigmas, "steps", 20);
}

void read_sampler_choice(Walk& walk, Stage& stage) {
  const Node* sampler = walk.source(*stage.node, "sampler");
  if (sampler == nullptr) return;
  if (sampler->type == "KSamplerSelect") {
    stage.sampler = walk.text(*sampler, "sampler_name", "euler");
  } else {
    walk.give_up(*sampler, "a sampler with its own options; \"euler\" is taken in its place");
  }
}

void read_custom(Walk& walk, Stage& stage) {
  read_sampler_choice(walk, stage);
  read_sigmas(walk, stage);
  if (stage.node->type == "SamplerCustom") {
    stage.seed = seed_of(walk, *stage.node, "noise_seed");
    stage.adds_noise = walk.flag(*stage.node, "add_noise", true);
    stage.cfg = walk.number(*stage.node, "cfg", 1);
    return;
  }
  if (const Node* noise = walk.source(*stage.node, "noise")) {
    stage.adds_noise = noise->type != "DisableNoise";
    if (stage.adds_noise) stage.seed = seed_of(walk, *noise, "noise_seed");
  }
  const Node* guider = walk.source(*stage.node, "guider");
  if (guider == nullptr) return;
  stage.settings = guider;
  stage.cfg = walk.number(*guider, "cfg", 1);
  if (guider->type != "CFGGuider" && guider->type != "BasicGuider") {
    walk.give_up(*guider, "this guidance is not known here; plain guidance is taken");
  }
}

Stage read_stage(Walk& walk, const Node& node) {
  Stage stage;
  stage.node = stage.settings = &node;
  if (node.type.starts_with("SamplerCustom")) {
    read_custom(walk, stage);
  } else {
    stage.steps = walk.whole(node, "steps", 20);
    stage.cfg = walk.number(node, "cfg", 8);
    stage.sampler = walk.text(node, "sampler_name", "euler");
    stage.scheduler = walk.text(node, "scheduler", "normal");
  }
  stage.end = stage.steps;
  if (node.type == "KSampler") read_plain(walk, stage);
  if (node.type == "KSamplerAdvanced") read_advanced(walk, stage);
  stage.end = std::min(stage.end, stage.steps);
  stage.start = std::min(stage.start, stage.steps);
  return stage;
}

std::optional<Scale> read_scale(Walk& walk, const Node& node) {
  Scale scale;
  scale.node = &node;
  scale.latent = node.type.starts_with("Latent");
  const bool by = node.type == "LatentUpscaleBy" || node.type == "ImageScaleBy";
  const bool to = node.type == "LatentUpscale" || node.type == "ImageScale";
  if (node.type == "ImageUpscaleWithModel") {
    if (const Node* model = walk.source(node, "upscale_model")) {
      walk.give_up(*model, "upscaling networks are not run here; lanczos is taken");
    }
    scale.method = "an upscaling network";
    return scale;
  }
  if (!by && !to) return std::nullopt;
  scale.method = walk.text(node, "upscale_method");
  if (by) {
    scale.factor = walk.number(node, "scale_by", 1);
  } else {
    scale.width = walk.whole(node, "width", 0);
    scale.height = walk.whole(node, "height", 0);
    if (walk.text(node, "crop", "disabled") != "disabled") {
      walk.note(NoteKind::NotEqual, node, "crop", "the picture is not cropped here");
    }
  }
  return scale;
}

// The mask of LoadImage is what its picture's alpha channel hides.
std::string mask_of_picture(Walk& walk, const Node& node) {
  const std::filesystem::path file = walk.text(node, "image");
  const std::string name = file.stem().string() + "-mask.png";
  walk.note(NoteKind::NoCounterpart, node,
            concat("its mask is the alpha channel of ", file.string(), "; save it as ", name,
                   ", white where the picture is transparent"));
  return name;
}

std::string mask_file(Walk& walk, const Node& owner) {
  const Node* at = &owner;
  const char* input = "mask";
  for (;;) {
    int slot = 0;
    const Node* node = walk.source(*at, input, &slot);
    if (node == nullptr) return "";
    walk.ignore(*node, {"upload"});
    if (node->type == "ImagePadForOutpaint") return "";  // the way to the picture reads it
    if (node->type == "LoadImage") {
      return slot == 1 ? mask_of_picture(walk, *node) : walk.text(*node, "image");
    }
    if (node->type == "LoadImageMask") {
      if (walk.text(*node, "channel", "alpha") == "alpha") return mask_of_picture(walk, *node);
      return walk.text(*node, "image");
    }
    if (node->type == "ImageToMask") {
      walk.ignore(*node, {"channel"});
      input = "image";
    } else {
      walk.give_up(*node, "masks are taken as they are in the file");
      input = node->input("mask") != nullptr ? "mask" : "image";
    }
    at = node;
  }
}

class Follower {
 public:
  explicit Follower(Walk& walk) : walk_(walk) {}

  Trail follow(const Node& end) {
    walk_.see(end);
    walk_.ignore(end, {"filename_prefix"});
    const Node* at = &end;
    const char* input = first_input(end);
    while (input != nullptr) {
      int slot = 0;
      const Node* node = walk_.source(*at, input, &slot);
      if (node == nullptr) break;
      at = node;
      input = step(*node, slot);
    }
    return std::move(trail_);
  }

 private:
  static const char* first_input(const Node& node) {
    for (const char* name : {"samples", "latent_image", "latent", "pixels", "images", "image"}) {
      const Input* input = node.input(name);
      if (input != nullptr && input->link) return name;
    }
    return nullptr;
  }

  // What the node does to the picture; the input through which the way goes on, or nullptr.
  const char* step(const Node& node, int slot) {
    if (is_sampler(node.type)) {
      trail_.stages.push_back(read_stage(walk_, node));
      return "latent_image";
    }
    if (node.type.starts_with("VAEDecode")) return decode(node);
    if (node.type.starts_with("VAEEncode")) return encode(node);
    if (node.type == "EmptyLatentImage" || node.type == "EmptySD3LatentImage") {
      trail_.begin.width = walk_.whole(node, "width", 512);
      trail_.begin.height = walk_.whole(node, "height", 512);
      trail_.begin.batch *= std::max<std::int64_t>(walk_.whole(node, "batch_size", 1), 1);
      return nullptr;
    }
    if (node.type == "LoadImage") {
      trail_.begin.image = walk_.text(node, "image");
      walk_.ignore(node, {"upload"});
      return nullptr;
    }
    if (node.type == "SetLatentNoiseMask") {
      set_mask(node);
      return "samples";
    }
    if (node.type == "InpaintModelConditioning" && slot == 2) {
      set_mask(node);
      walk_.ignore(node, {"noise_mask"});
      vae(node);
      return "pixels";
    }
    if (node.type == "RepeatLatentBatch") {
      trail_.begin.batch *= std::max<std::int64_t>(walk_.whole(node, "amount", 1), 1);
      return "samples";
    }
    if (node.type == "ImagePadForOutpaint") return pad(node);
    return change(node);
  }

  const char* change(const Node& node) {
    const bool finished = trail_.stages.empty();
    if (finished) {
      walk_.give_up(node, "works on the finished picture, which nothing does here");
    } else if (const auto scale = read_scale(walk_, node)) {
      trail_.stages.back().scales.push_back(*scale);
    } else {
      walk_.give_up(node, "is not known here; the way goes on through it");
    }
    return first_input(node);
  }

  const char* decode(const Node& node) {
    tiles(node);
    vae(node);
    return "samples";
  }

  const char* encode(const Node& node) {
    tiles(node);
    vae(node);
    if (node.type == "VAEEncodeForInpaint") {
      set_mask(node);
      if (walk_.whole(node, "grow_mask_by", 6) != 0) {
        walk_.note(NoteKind::NotEqual, node, "grow_mask_by",
                   "the mask does not grow here; grow it in its file");
      }
    }
    return "pixels";
  }

  void tiles(const Node& node) {
    if (!node.type.ends_with("Tiled")) return;
    trail_.tiled = true;
    walk_.ignore(node, {"tile_size", "overlap", "temporal_size", "temporal_overlap"});
    walk_.note(NoteKind::NotEqual, node, "tiles have a size of their own here");
  }

  void vae(const Node& node) {
    const Node* loader = walk_.source(node, "vae");
    if (loader == nullptr) return;
    if (loader->type == "VAELoader") {
      trail_.vae = walk_.text(*loader, "vae_name");
    } else if (loader->type.find("CheckpointLoader") == std::string::npos) {
      walk_.give_up(*loader, "is not known here; the model's own VAE is taken");
    }
  }

  void set_mask(const Node& node) {
    if (trail_.stages.size() > 1) {
      walk_.note(NoteKind::NotEqual, node, "the mask counts for all passes here");
    }
    trail_.begin.mask = mask_file(walk_, node);
  }

  const char* pad(const Node& node) {
    trail_.begin.outpaint = Json::object();
    for (const char* side : {"left", "top", "right", "bottom"}) {
      trail_.begin.outpaint[side] = walk_.whole(node, side, 0);
    }
    trail_.begin.outpaint["overlap"] = walk_.whole(node, "feathering", 40);
    trail_.begin.mask.clear();
    walk_.note(NoteKind::NotEqual, node, "feathering",
               "becomes the width of the border that may be painted over");
    return "image";
  }

  Walk& walk_;
  Trail trail_;
};

}  // namespace

bool is_sampler(const std::string& type) {
  return type == "KSampler" || type == "KSamplerAdvanced" || type == "SamplerCustom" ||
         type == "SamplerCustomAdvanced";
}

Trail follow_back(Walk& walk, const Node& end) {
  Trail trail = Follower(walk).follow(end);
  if (trail.stages.empty()) {
    fail(Cause::BadInput, title(end),
         ": expected a picture that comes from a sampler through VAEDecode; the way to it leads "
         "through nodes that are not known here");
  }
  return trail;
}

Noising lengthened(std::int64_t steps, double denoise) {
  Noising part{std::clamp<std::int64_t>(steps, 1, 1000), std::clamp(denoise, 0.0, 1.0)};
  if (part.strength <= 0 || part.strength >= 1) return part;
  const std::int64_t wanted = part.steps;
  while (part.steps < 1000 &&
         static_cast<std::int64_t>(static_cast<double>(part.steps) * part.strength) < wanted) {
    ++part.steps;
  }
  return part;
}

Noising noising(const Stage& stage) {
  if (stage.start <= 0) return lengthened(stage.steps, stage.denoise);
  const auto all = static_cast<double>(std::max<std::int64_t>(stage.steps, 1));
  const auto run = static_cast<double>(std::max<std::int64_t>(stage.steps - stage.start, 0));
  // Rounded up, so that int(steps * strength) is the number of steps that run.
  return {stage.steps, std::ceil(run / all * 1e4) / 1e4};
}

std::string picture_file(Walk& walk, const Node& owner, std::string_view input, bool* canny) {
  const Node* at = &owner;
  std::string next(input);
  for (;;) {
    const Node* node = walk.source(*at, next);
    if (node == nullptr) return "";
    walk.ignore(*node, {"upload"});
    if (node->type == "LoadImage") return walk.text(*node, "image");
    if (canny != nullptr && (node->type == "Canny" || node->type == "CannyEdgePreprocessor")) {
      *canny = true;
      const Json low = walk.value(*node, "low_threshold"),
                 high = walk.value(*node, "high_threshold");
      walk.ignore(*node, {"resolution"});
      walk.note(NoteKind::NotEqual, *node,
                concat("thresholds ", shown(low), " and ", shown(high),
                       ": edges are found here with thresholds of our own"));
    } else {
      walk.give_up(*node, "is not done here; give the picture that it makes");
    }
    next = node->input("image") != nullptr    ? "image"
           : node->input("images") != nullptr ? "images"
                                              : "pixels";
    at = node;
  }
}

}  // namespace affiche::recipes

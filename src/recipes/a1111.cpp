// SPDX-License-Identifier: Apache-2.0
// The parameters text of A1111's web UI and its heirs as a request.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "recipes/comfyui_stages.h"
#include "recipes/import.h"
#include "recipes/parameters.h"
#include "recipes/samplers.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

class Importer {
 public:
  Importer(const Parameters& parameters, const std::string& what, Imported& out)
      : p_(parameters), what_(what), out_(out), r_(out.request) {}

  void run() {
    read_prompts();
    const std::int64_t steps = whole("Steps", 20);
    r_["seed"] = whole("Seed", 0);
    r_["num_inference_steps"] = std::clamp<std::int64_t>(steps, 1, 1000);
    r_["guidance_scale"] = number("CFG scale", 7);
    read_size();
    read_sampler(static_cast<int>(steps));
    read_files();
    read_clip_skip();
    read_second_pass(steps);
    read_picture();
    read_controls();
    read_noise();
    list_the_rest();
  }

 private:
  std::optional<std::string> take(const std::string& name) {
    taken_.insert(name);
    return p_.field(name);
  }
  double number(const std::string& name, double fallback) {
    const auto text = take(name);
    if (!text) return fallback;
    const auto value = as_number(*text);
    if (!value) {
      fail(Cause::BadInput, what_, ": ", name, ": expected a number, found \"",
           clean_text(*text).substr(0, 80), "\"");
    }
    return *value;
  }
  std::int64_t whole(const std::string& name, std::int64_t fallback) {
    const auto text = take(name);
    if (!text) return fallback;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size()) {
      fail(Cause::BadInput, what_, ": ", name, ": expected a whole number, found \"",
           clean_text(*text).substr(0, 80), "\"");
    }
    return value;
  }
  void note(NoteKind kind, std::string subject, std::string reason) {
    out_.note(kind, std::move(subject), std::move(reason));
  }

  void read_prompts() {
    r_["prompt"] = without_tags(p_.prompt, true);
    if (!p_.negative_prompt.empty()) {
      r_["negative_prompt"] = without_tags(p_.negative_prompt, false);
    }
    r_["prompt_weighting"] = "a1111";
    r_["long_prompts"] = true;
    note_syntax("prompt", p_.prompt);
    note_syntax("negative prompt", p_.negative_prompt);
  }

  void note_syntax(const std::string& where, const std::string& text) {
    const auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
    if (has(" AND ")) {
      note(NoteKind::NoCounterpart, where + ": AND", "prompts are not blended here");
    }
    if (has("BREAK")) {
      note(NoteKind::NoCounterpart, where + ": BREAK", "is read as a word here");
    }
    for (std::size_t open = text.find('['); open != std::string::npos;
         open = text.find('[', open + 1)) {
      const std::size_t close = text.find(']', open);
      if (close == std::string::npos) break;
      const std::string inner = text.substr(open + 1, close - open - 1);
      if (inner.find_first_of(":|") == std::string::npos) continue;
      note(NoteKind::NoCounterpart, concat(where, ": [", clean_text(inner.substr(0, 60)), "]"),
           "prompts do not change during a run here");
    }
  }

  // <lora:NAME:WEIGHT> and its kin, taken out of the text.
  std::string without_tags(const std::string& text, bool positive) {
    std::string out;
    std::size_t at = 0;
    for (;;) {
      const std::size_t open = text.find('<', at);
      const std::size_t close = open == std::string::npos ? open : text.find('>', open);
      if (close == std::string::npos) break;
      const std::string tag = text.substr(open + 1, close - open - 1);
      out += text.substr(at, open - at);
      at = close + 1;
      if (!read_tag(tag, positive)) out += "<" + tag + ">";
    }
    return trimmed(out + text.substr(at));
  }

  bool read_tag(const std::string& tag, bool positive) {
    const std::size_t colon = tag.find(':');
    const std::string kind = tag.substr(0, colon);
    if (kind != "lora" && kind != "lyco" && kind != "hypernet") return false;
    const std::string shown_tag = concat("<", clean_text(tag.substr(0, 80)), ">");
    if (kind == "hypernet" || !positive || colon == std::string::npos) {
      note(NoteKind::NoCounterpart, shown_tag,
           positive ? "is not known here" : "has no effect in a negative prompt");
      return true;
    }
    std::vector<std::string> parts;
    for (std::size_t begin = colon + 1; begin <= tag.size();) {
      const std::size_t end = std::min(tag.find(':', begin), tag.size());
      parts.push_back(tag.substr(begin, end - begin));
      begin = end + 1;
    }
    if (parts.empty() || parts[0].empty()) {
      note(NoteKind::NoCounterpart, shown_tag, "names no file");
      return true;
    }
    add_lora(shown_tag, parts);
    return true;
  }

  // NAME[:TE[:UNET]], or te= and unet= by name.
  void add_lora(const std::string& tag, const std::vector<std::string>& parts) {
    double text_encoder = 1, unet = 1;
    bool own = false;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const std::size_t equals = parts[i].find('=');
      const std::string name = equals == std::string::npos ? "" : parts[i].substr(0, equals);
      const auto value =
          as_number(equals == std::string::npos ? parts[i] : parts[i].substr(equals + 1));
      if (!value) {
        note(NoteKind::NoCounterpart, tag, concat("\"", clean_text(parts[i]), "\" is no weight"));
      } else if (name == "unet" || (name.empty() && i == 2)) {
        unet = *value;
        own = true;
      } else if (name == "te" || (name.empty() && i == 1)) {
        text_encoder = *value;
      } else {
        note(NoteKind::NoCounterpart, tag, concat(clean_text(parts[i]), " is left out"));
      }
    }
    if (!own) unet = text_encoder;
    if (unet != text_encoder) {
      note(NoteKind::NotEqual, tag,
           concat("has weight ", text_encoder,
                  " for the text encoder, but a LoRA has one weight "
                  "here, ",
                  unet));
    }
    r_["lora"].push_back({{"file", parts[0] + ".safetensors"}, {"weight", unet}});
  }

  void read_size() {
    const auto size = take("Size");
    if (!size) return;
    const std::size_t x = size->find('x');
    const auto width = as_number(size->substr(0, x));
    const auto height = x == std::string::npos ? std::nullopt : as_number(size->substr(x + 1));
    if (!width || !height || !(*width > 0 && *width < 1e5) || !(*height > 0 && *height < 1e5)) {
      fail(Cause::BadInput, what_, ": Size: expected WIDTHxHEIGHT, found \"",
           clean_text(*size).substr(0, 80), "\"");
    }
    r_["width"] = static_cast<std::int64_t>(*width);
    r_["height"] = static_cast<std::int64_t>(*height);
  }

  void read_sampler(int steps) {
    const auto sampler = take("Sampler");
    const auto type = take("Schedule type");
    if (!sampler) {
      note(NoteKind::NoCounterpart, "Sampler", "is not named; the model's own is taken");
      return;
    }
    const SamplerChoice choice = a1111_sampler(*sampler, type.value_or(""), steps);
    r_["scheduler"] = choice.scheduler;
    r_["scheduler_config"] = choice.config;
    for (const ImportNote& each : choice.notes) {
      note(each.kind, each.subject == "sampler" ? "Sampler" : "Schedule type", each.reason);
    }
    if (const auto eta = take("Eta"); eta && as_number(*eta)) r_["eta"] = *as_number(*eta);
  }

  void read_files() {
    const auto model = take("Model");
    const auto hash = take("Model hash");
    taken_.insert({"VAE hash", "Lora hashes"});
    if (model) {
      r_["model"] = *model + ".safetensors";
      if (hash) {
        note(NoteKind::ToFind, "model",
             concat(clean_text(*model), ", whose SHA-256 begins with ", clean_text(*hash)));
      }
    } else {
      note(NoteKind::ToFind, "model",
           hash ? concat("is not named; its SHA-256 begins with ", clean_text(*hash))
                : std::string("is not named"));
    }
    const auto vae = take("VAE");
    if (vae && *vae != "None" && *vae != "Automatic") r_["vae"] = *vae;
    read_embeddings();
  }

  // "easynegative: c74b4e810b03, other: …": the words in the prompts are the files' names.
  void read_embeddings() {
    for (const auto& [name, hash] : parse_fields(take("TI hashes").value_or(""))) {
      r_["textual_inversion"].push_back({{"file", name + ".safetensors"}, {"token", name}});
      note(NoteKind::ToFind, "textual_inversion",
           concat(clean_text(name), ", whose SHA-256 begins with ", clean_text(hash)));
    }
  }

  void read_clip_skip() {
    const std::int64_t skip = whole("Clip skip", 1);
    if (skip <= 1) return;
    const std::string model = r_.value("model", "");
    if (model.find("xl") != std::string::npos || model.find("XL") != std::string::npos) {
      note(NoteKind::NoEffect, "Clip skip", "does not count for SDXL there");
    } else {
      r_["clip_skip"] = skip - 1;
    }
  }

  void read_second_pass(std::int64_t steps) {
    if (!p_.field("Hires upscale") && !p_.field("Hires resize")) return;
    Json& hires = r_["hires"];
    hires = Json::object();
    hires["scale"] = hires_scale();
    const double strength = number("Denoising strength", 0.7);
    const std::int64_t asked = whole("Hires steps", 0);
    const Noising part = lengthened(asked > 0 ? asked : steps, strength);
    hires["strength"] = part.strength;
    hires["num_inference_steps"] = part.steps;
    const std::string upscaler = take("Hires upscaler").value_or("Latent");
    const bool latent = upscaler.starts_with("Latent");
    hires["upscaler"] = latent ? "latent" : "lanczos";
    if (!latent && upscaler != "Lanczos") {
      note(NoteKind::NoCounterpart, "Hires upscaler",
           concat("\"", clean_text(upscaler), "\" is not run here; lanczos is taken"));
    } else if (latent && upscaler != "Latent") {
      note(NoteKind::NotEqual, "Hires upscaler",
           concat("\"", clean_text(upscaler), "\" becomes bilinear without antialiasing"));
    }
    for (const char* own : {"Hires prompt", "Hires negative prompt", "Hires sampler",
                            "Hires schedule type", "Hires CFG Scale", "Hires checkpoint"}) {
      if (take(own)) {
        note(NoteKind::NoCounterpart, own, "both passes have the same here");
      }
    }
  }

  double hires_scale() {
    if (p_.field("Hires upscale")) return number("Hires upscale", 2);
    const std::string size = *take("Hires resize");
    const auto width = as_number(size.substr(0, size.find('x')));
    if (!width || !r_.contains("width") || *width <= 0) {
      note(NoteKind::NoCounterpart, "Hires resize", "is not understood; the size is doubled");
      return 2;
    }
    return std::round(*width / r_["width"].get<double>() * 1e4) / 1e4;
  }

  // The text of image-to-image has its strength, but not the picture.
  void read_picture() {
    if (r_.contains("hires") || !p_.field("Denoising strength")) return;
    r_["image"] = "init.png";
    r_["strength"] = std::clamp(number("Denoising strength", 0.75), 0.0, 1.0);
    note(NoteKind::ToFind, "image", "the picture that it began from; the text does not name it");
    note(NoteKind::NotEqual, "Denoising strength",
         "A1111 runs one step more of the schedule at the same strength");
    const bool masked =
        p_.field("Mask blur") || p_.field("Inpaint area") || p_.field("Masked content");
    if (!masked) return;
    r_["mask"] = "mask.png";
    note(NoteKind::ToFind, "mask", "the text does not name it");
    const std::string area = take("Inpaint area").value_or("");
    const std::int64_t padding = whole("Masked area padding", 32);
    if (area == "Only masked") r_["padding_mask_crop"] = padding;
    if (take("Mask blur")) {
      note(NoteKind::NoCounterpart, "Mask blur", "masks are taken as they are in the file");
    }
  }

  void read_controls() {
    for (const auto& [name, value] : p_.fields) {
      if (!name.starts_with("ControlNet ") || name.size() != 12) continue;
      taken_.insert(name);
      add_control(name, parse_fields(value));
    }
  }

  void add_control(const std::string& name,
                   const std::vector<std::pair<std::string, std::string>>& fields) {
    const Parameters control{"", "", fields};
    std::string model = control.field("Model").value_or("");
    model = trimmed(model.substr(0, model.find('[')));
    if (model.empty() || model == "None") {
      note(NoteKind::NoCounterpart, name, "names no model");
      return;
    }
    const auto value = [&](const char* key, double fallback) {
      return as_number(control.field(key).value_or("")).value_or(fallback);
    };
    const std::string picture = "control-" + name.substr(11) + ".png";
    r_["controlnet"].push_back(model + ".safetensors");
    r_["control"].push_back(picture);
    r_["controlnet_conditioning_scale"].push_back(value("Weight", 1));
    r_["control_guidance_start"].push_back(value("Guidance Start", 0));
    r_["control_guidance_end"].push_back(value("Guidance End", 1));
    const std::string module = control.field("Module").value_or("none");
    r_["control_preprocessor"].push_back(module == "canny" ? "canny" : "none");
    note(NoteKind::ToFind, "control", concat(name, ": its picture, which the text does not name"));
    if (module != "canny" && module != "none" && module != "None") {
      note(NoteKind::NoCounterpart, name,
           concat("\"", clean_text(module), "\" is not done here; give the picture that it makes"));
    }
    for (const auto& [key, text] : fields) {
      static const std::set<std::string> kKnown = {"Module",         "Model",        "Weight",
                                                   "Guidance Start", "Guidance End", "Enabled"};
      if (!kKnown.contains(key)) {
        note(NoteKind::NoCounterpart, concat(name, ": ", clean_text(key)),
             concat("= ", clean_text(text).substr(0, 80), " is left out"));
      }
    }
  }

  void read_noise() {
    const std::string rng = take("RNG").value_or("GPU");
    if (rng == "CPU") {
      note(NoteKind::NotEqual, "noise",
           "both begin from the same random numbers of the CPU; the arithmetic's order differs");
    } else {
      note(NoteKind::NotEqual, "RNG",
           concat("A1111 drew the noise with its \"", clean_text(rng),
                  "\" generator; here the CPU's is taken, so the same seed gives another picture"));
    }
  }

  void list_the_rest() {
    static const std::set<std::string> kNeutral = {
        "App",        "Backend",  "Date", "Hashes", "Init image hash",
        "Operations", "Pipeline", "User", "Version"};
    for (const auto& [name, value] : p_.fields) {
      if (taken_.contains(name)) continue;
      if (kNeutral.contains(name)) {
        note(NoteKind::NoEffect, name, "does not change the picture");
      } else {
        note(NoteKind::NoCounterpart, clean_text(name),
             concat("= ", clean_text(value).substr(0, 120), " is left out"));
      }
    }
  }

  const Parameters& p_;
  const std::string& what_;
  Imported& out_;
  Json& r_;
  std::set<std::string> taken_;
};

}  // namespace

Imported import_parameters(std::string_view text, const std::string& what) {
  const Parameters parameters = parse_parameters(guessed_to_utf8(text));
  if (parameters.fields.empty()) {
    fail(Cause::BadInput, what,
         ": expected a parameters text whose last line is \"Steps: …, Sampler: …, CFG scale: …\", "
         "found none");
  }
  Imported out;
  out.source = "a1111";
  out.request = Json::object();
  Importer(parameters, what, out).run();
  return out;
}

}  // namespace affiche::recipes

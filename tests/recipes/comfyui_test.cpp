// SPDX-License-Identifier: Apache-2.0
// Workflows of the usual shapes, in both notations.
#include "catch.h"
#include "recipes/samples.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::recipes;
using namespace affiche::test;

namespace {

Json spaced(const char* spacing) {
  return {{"use_karras_sigmas", false},
          {"use_exponential_sigmas", false},
          {"use_beta_sigmas", false},
          {"timestep_spacing", spacing}};
}

}  // namespace

TEST_CASE("text to image is translated whole", "[comfyui]") {
  const Json expected = {{"model", "dreamshaper_8.safetensors"},
                         {"prompt", "a castle on a hill"},
                         {"negative_prompt", "blurry"},
                         {"long_prompts", true},
                         {"width", 512},
                         {"height", 768},
                         {"seed", 156680208700286},
                         {"num_inference_steps", 20},
                         {"guidance_scale", 7.5},
                         {"scheduler", "EulerDiscreteScheduler"},
                         {"scheduler_config", spaced("linspace")}};
  for (const char* name : {"text_to_image.json", "ui_text_to_image.json"}) {
    const Imported made = import_sample(name);
    INFO(all_notes(made));
    CHECK(made.request == expected);
    CHECK(made.notes.size() == 1);  // the noise
    CHECK(made.source == (name[0] == 'u' ? "comfyui-workflow" : "comfyui-api"));
  }
}

TEST_CASE("a stack of LoRAs keeps its order and weights", "[comfyui]") {
  const Imported made = import_sample("lora_stack.json");
  INFO(all_notes(made));
  CHECK(made.request.at("lora") ==
        Json::array({{{"file", "brand\\teal.safetensors"}, {"weight", 0.8}},
                     {{"file", "ink.safetensors"}, {"weight", 0.5}}}));
  CHECK(made.request.at("clip_skip") == 1);
  CHECK(made.request.at("vae") == "vae-ft-mse-840000-ema-pruned.safetensors");
  CHECK(made.request.at("scheduler") == "DPMSolverMultistepScheduler");
  CHECK(made.request.at("scheduler_config").at("use_karras_sigmas") == true);
  CHECK(contains(noted(made, NoteKind::NotEqual, "node 11 LoraLoader"), "strength_clip"));
  CHECK(count(made, NoteKind::NoCounterpart) == 0);
}

TEST_CASE("bypassed nodes, reroutes, primitives and notes of the editor are understood",
          "[comfyui]") {
  const Imported made = import_sample("ui_lora_stack.json");
  INFO(all_notes(made));
  CHECK(made.request.at("lora").size() == 1);
  CHECK(made.request.at("seed") == 424242);
  CHECK(made.request.at("width") == 512);
  CHECK(contains(noted(made, NoteKind::NoEffect, "node 11"), "bypassed"));
  CHECK(!noted(made, NoteKind::NoEffect, "node 31 Note").empty());
  CHECK(count(made, NoteKind::NoCounterpart) == 0);
}

TEST_CASE("image to image runs as many steps as there", "[comfyui]") {
  const Imported made = import_sample("image_to_image.json");
  INFO(all_notes(made));
  CHECK(made.request.at("image") == "scene.png");
  CHECK(made.request.at("strength") == 0.6);
  CHECK(made.request.at("num_inference_steps") == 34);  // int(34 * 0.6) == 20
  CHECK_FALSE(made.request.contains("width"));
  CHECK(contains(noted(made, NoteKind::NotEqual, "steps"), "all 20"));
  CHECK(count(made, NoteKind::NoCounterpart) == 0);
}

TEST_CASE("in-painting takes its mask from a file, and says where it has none", "[comfyui]") {
  const Imported inpaint = import_sample("inpaint.json");
  INFO(all_notes(inpaint));
  CHECK(inpaint.request.at("image") == "scene.png");
  CHECK(inpaint.request.at("mask") == "mask.png");
  CHECK(inpaint.request.at("strength") == 1.0);
  CHECK(!noted(inpaint, NoteKind::NotEqual, "grow_mask_by").empty());
  CHECK(count(inpaint, NoteKind::NoCounterpart) == 0);

  const Imported alpha = import_sample("inpaint_noise_mask.json");
  INFO(all_notes(alpha));
  CHECK(alpha.request.at("mask") == "scene-alpha-mask.png");
  CHECK(contains(noted(alpha, NoteKind::NoCounterpart, "node 10"), "alpha channel"));
}

TEST_CASE("a padded picture becomes an outpainting", "[comfyui]") {
  const Imported made = import_sample("outpaint.json");
  INFO(all_notes(made));
  CHECK(made.request.at("outpaint") ==
        Json({{"left", 0}, {"top", 0}, {"right", 128}, {"bottom", 64}, {"overlap", 40}}));
  CHECK_FALSE(made.request.contains("mask"));
  CHECK(count(made, NoteKind::NoCounterpart) == 0);
}

TEST_CASE("ControlNets keep order, scale and part of the run", "[comfyui]") {
  for (const char* name : {"controlnet_two.json", "ui_controlnet_two.json"}) {
    const Imported made = import_sample(name);
    INFO(all_notes(made));
    const Json& r = made.request;
    CHECK(r.at("controlnet") ==
          Json::array({"control_v11p_sd15_canny.pth", "control_v11f1p_sd15_depth.pth"}));
    CHECK(r.at("control") == Json::array({"edges.png", "photo.png"}));
    CHECK(r.at("controlnet_conditioning_scale") == Json::array({0.9, 0.5}));
    CHECK(r.at("control_guidance_start") == Json::array({0.0, 0.1}));
    CHECK(r.at("control_guidance_end") == Json::array({0.8, 1.0}));
    CHECK(count(made, NoteKind::NoCounterpart) == 1);
    CHECK(contains(noted(made, NoteKind::NoCounterpart, "DepthAnything"), "not done here"));
  }
  const Imported canny = import_sample("controlnet_canny.json");
  CHECK(canny.request.at("control_preprocessor") == "canny");
  CHECK(canny.request.at("control") == "photo.png");
  CHECK(contains(noted(canny, NoteKind::NotEqual, "ControlNetApply"), "negative prompt too"));
}

TEST_CASE("two samplers become two passes", "[comfyui]") {
  for (const char* name : {"hires_latent.json", "ui_hires_latent.json"}) {
    const Imported made = import_sample(name);
    INFO(all_notes(made));
    CHECK(made.request.at("hires") == Json({{"scale", 2.0},
                                            {"strength", 0.5},
                                            {"num_inference_steps", 28},
                                            {"upscaler", "latent"}}));
    CHECK(made.request.at("num_inference_steps") == 20);
    CHECK(contains(noted(made, NoteKind::NotEqual, "LatentUpscale"), "nearest-exact"));
    CHECK(contains(noted(made, NoteKind::NoCounterpart, "node 9 SaveImage"), "another picture"));
  }
  const Imported pixels = import_sample("hires_pixels.json");
  INFO(all_notes(pixels));
  CHECK(pixels.request.at("hires") == Json({{"scale", 1.5},
                                            {"strength", 0.4},
                                            {"num_inference_steps", 50},
                                            {"upscaler", "lanczos"}}));
  for (const char* differs : {"sampler differs", "cfg differs", "seed differs"}) {
    CHECK(contains(noted(pixels, NoteKind::NoCounterpart, "node 11 KSampler"), differs));
  }
}

TEST_CASE("SDXL's sizes go by height and width, its prompts by encoder", "[comfyui]") {
  const Imported made = import_sample("sdxl_sizes.json");
  INFO(all_notes(made));
  const Json& r = made.request;
  CHECK(r.at("prompt") == "a castle");
  CHECK(r.at("prompt_2") == "on a hill");
  CHECK(r.at("original_size") == Json::array({832, 1216}));
  CHECK(r.at("crops_coords_top_left") == Json::array({16, 8}));
  CHECK(r.at("negative_target_size") == Json::array({1024, 1024}));
  CHECK(r.at("num_images_per_prompt") == 2);
  CHECK_FALSE(r.contains("clip_skip"));  // -2 is where SDXL stops anyway
  CHECK(r.at("scheduler_config").at("algorithm_type") == "sde-dpmsolver++");
}

TEST_CASE("a run that two samplers share is one run", "[comfyui]") {
  const Imported made = import_sample("sampler_advanced.json");
  INFO(all_notes(made));
  CHECK_FALSE(made.request.contains("hires"));
  CHECK(made.request.at("num_inference_steps") == 30);
  CHECK(made.request.at("seed") == -1);  // the bits of 2^64 - 1, as torch reads them
  CHECK(made.request.at("scheduler") == "EulerAncestralDiscreteScheduler");
  CHECK(count(made, NoteKind::NoCounterpart) == 0);
}

TEST_CASE("a model and a sampler in parts are put together", "[comfyui]") {
  const Imported made = import_sample("parts_custom_sampler.json");
  INFO(all_notes(made));
  CHECK(made.request.at("unet") == "my_unet.safetensors");
  CHECK(made.request.at("vae") == "sdxl_vae.safetensors");
  CHECK(made.request.at("seed") == 5);
  CHECK(made.request.at("guidance_scale") == 4.5);
  CHECK(made.request.at("scheduler") == "HeunDiscreteScheduler");
  CHECK(made.request.at("scheduler_config").at("use_beta_sigmas") == true);
  CHECK(contains(noted(made, NoteKind::NoCounterpart, "DualCLIPLoader"), "text encoders"));
  CHECK(!noted(made, NoteKind::ToFind, "model").empty());
}

TEST_CASE("what has no counterpart is listed with its values", "[comfyui]") {
  const Imported made = import_sample("without_counterpart.json");
  INFO(all_notes(made));
  CHECK(made.request.at("scheduler_config").at("prediction_type") == "v_prediction");
  CHECK(made.request.at("scheduler_config").at("rescale_betas_zero_snr") == true);
  CHECK(made.request.at("guidance_rescale") == 0.7);
  for (const char* subject : {"FreeU_V2 (b1 = 1.3, b2 = 1.4, s1 = 0.9, s2 = 0.2)",
                              "ConditioningCombine", "CLIPTextEncode (text = \"at dusk\")",
                              "ImageUpscaleWithModel", "4x-UltraSharp", "sampler"}) {
    INFO(subject);
    CHECK(!noted(made, NoteKind::NoCounterpart, subject).empty());
  }
}

TEST_CASE("every node and every value of a workflow is used or listed", "[comfyui]") {
  for (const auto& entry : std::filesystem::directory_iterator(sample_path(""))) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".json" || name.starts_with("diffusers") ||
        name.starts_with("ui_")) {
      continue;
    }
    const Json plain = sample_json(name);
    const Imported before = import_sample(name);
    for (const auto& [id, node] : plain.items()) {
      // A value that no class has is always listed; one that is taken away changes something or is
      // listed by its absence.
      Json more = plain;
      more[id]["inputs"]["an option of tomorrow"] = 0.25;
      const Imported after = import_text(more.dump());
      INFO(name << " node " << id << "\n" << all_notes(after));
      const bool listed = !noted(after, NoteKind::NoCounterpart, "an option of tomorrow").empty();
      const bool aside = !noted(after, NoteKind::NoEffect, "node " + id + " ").empty() ||
                         !noted(after, NoteKind::NoCounterpart, "node " + id + " ").empty();
      CHECK((listed || aside));
      CHECK(after.request == before.request);
    }
  }
}

TEST_CASE("weights in ComfyUI's prompts are kept, and its plain brackets too", "[comfyui]") {
  Json workflow = sample_json("text_to_image.json");
  workflow["6"]["inputs"]["text"] = "a (castle:1.3) [on a hill] \\(really\\)";
  const Imported made = import_text(workflow.dump());
  CHECK(made.request.at("prompt") == "a (castle:1.3) \\[on a hill\\] \\(really\\)");
  CHECK(made.request.at("prompt_weighting") == "a1111");
  CHECK(!noted(made, NoteKind::NotEqual, "prompt weights").empty());
}

TEST_CASE("embeddings in prompts become textual inversions", "[comfyui]") {
  Json workflow = sample_json("text_to_image.json");
  workflow["7"]["inputs"]["text"] = "(embedding:easynegative:1.2), embedding:bad.pt, blurry";
  const Imported made = import_text(workflow.dump());
  CHECK(made.request.at("textual_inversion") ==
        Json::array({{{"file", "easynegative.safetensors"}, {"token", "embedding:easynegative"}},
                     {{"file", "bad.pt"}, {"token", "embedding:bad.pt"}}}));
  const Imported words = import_text(
      "a\nNegative prompt: easynegative\nSteps: 1, Seed: 1, CFG scale: 7, Sampler: Euler, "
      "TI hashes: \"easynegative: c74b4e810b03\"");
  CHECK(words.request.at("textual_inversion") ==
        Json::array({{{"file", "easynegative.safetensors"}, {"token", "easynegative"}}}));
}

TEST_CASE("hostile workflows are refused by name", "[comfyui]") {
  const auto refusal = [](const Json& workflow) {
    return thrown([&] { import_text(workflow.dump()); });
  };
  const Json good = sample_json("lora_stack.json");
  Json json = good;
  json["10"]["inputs"]["model"] = Json::array({"11", 0});
  CHECK(contains(refusal(json), "circle"));
  json = good;
  json["3"]["inputs"]["model"] = Json::array({"99", 0});
  CHECK(contains(refusal(json), "node 3 KSampler: input \"model\""));
  json = good;
  json["3"]["inputs"]["steps"] = "many";
  CHECK(contains(refusal(json), "node 3 KSampler: \"steps\": expected a whole number"));
  json = good;
  json["6"]["inputs"]["text"] = 5;
  CHECK(contains(refusal(json), "\"text\": expected a text"));
  json = good;
  json.erase("3");
  json.erase("8");
  json.erase("9");
  CHECK(contains(refusal(json), "sampler"));
  json = good;
  json["5"] = 1;
  CHECK(contains(refusal(json), "class_type"));
  json = Json::object();
  for (int i = 0; i < 10'001; ++i) {
    json[std::to_string(i)] = {{"class_type", "Note"}, {"inputs", Json::object()}};
  }
  CHECK(contains(refusal(json), "10000 nodes"));

  Json ui = sample_json("ui_lora_stack.json");
  ui["links"].push_back("x");
  CHECK(contains(refusal(ui), "a link is not"));
  ui = sample_json("ui_lora_stack.json");
  for (Json& link : ui["links"]) {
    if (link[0] == 91) link[1] = 32;  // the reroute feeds itself
  }
  CHECK(contains(refusal(ui), "circle"));
  ui = sample_json("ui_lora_stack.json");
  for (Json& link : ui["links"]) link[1] = 777;
  CHECK(contains(refusal(ui), "node 777, which is not there"));
  ui = sample_json("ui_lora_stack.json");
  ui["nodes"].push_back(ui["nodes"][0]);
  CHECK(contains(refusal(ui), "two nodes"));
}

TEST_CASE("a long chain of LoRAs is no deep recursion", "[comfyui]") {
  Json workflow = sample_json("text_to_image.json");
  std::string last = "4";
  for (int i = 100; i < 5100; ++i) {
    const std::string id = std::to_string(i);
    workflow[id] = {
        {"class_type", "LoraLoaderModelOnly"},
        {"inputs", {{"lora_name", "a"}, {"strength_model", 1}, {"model", Json::array({last, 0})}}}};
    last = id;
  }
  workflow["3"]["inputs"]["model"] = Json::array({last, 0});
  CHECK(import_text(workflow.dump()).request.at("lora").size() == 5000);
}

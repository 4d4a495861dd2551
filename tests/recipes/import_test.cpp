// SPDX-License-Identifier: Apache-2.0
// A1111's text, diffusers' calls, pictures, and what becomes of names of files.
#include "base/error.h"
#include "base/toml_json.h"
#include "cards/encode.h"
#include "catch.h"
#include "recipes/exif.h"
#include "recipes/picture_recipe.h"
#include "recipes/samplers.h"
#include "recipes/samples.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::recipes;
using namespace affiche::test;

namespace {

Bytes png_with(const std::string& keyword, const std::string& text) {
  return cards::encode_png(make_image(8, 8, 3), {{keyword, text}});
}

std::string refusal(const std::string& text) {
  return thrown([&] { import_text(text); });
}

}  // namespace

TEST_CASE("A1111's parameters are translated, LoRA tags and second pass too", "[a1111]") {
  const Imported made = import_sample("a1111_hires.txt");
  INFO(all_notes(made));
  const Json& r = made.request;
  CHECK(made.source == "a1111");
  CHECK(r.at("prompt") == "(masterpiece:1.2), a castle on a hill, [fog],");
  CHECK(r.at("negative_prompt") == "blurry, (bad hands:1.3)");
  CHECK(r.at("prompt_weighting") == "a1111");
  CHECK(r.at("long_prompts") == true);
  CHECK(r.at("seed") == 3141592653);
  CHECK(r.at("clip_skip") == 1);
  CHECK(r.at("width") == 512);
  CHECK(r.at("height") == 768);
  CHECK(r.at("model") == "dreamshaper_8.safetensors");
  CHECK(r.at("scheduler") == "DPMSolverMultistepScheduler");
  CHECK(r.at("scheduler_config").at("use_karras_sigmas") == true);
  CHECK(r.at("lora") == Json::array({{{"file", "teal.safetensors"}, {"weight", 0.8}},
                                     {{"file", "ink.safetensors"}, {"weight", 1.0}}}));
  CHECK(r.at("hires") == Json({{"scale", 1.5},
                               {"strength", 0.4},
                               {"num_inference_steps", 30},
                               {"upscaler", "lanczos"}}));
  CHECK_FALSE(r.contains("image"));
  CHECK(!noted(made, NoteKind::NoCounterpart, "ENSD").empty());
  CHECK(!noted(made, NoteKind::NoCounterpart, "Hires upscaler").empty());
  CHECK(!noted(made, NoteKind::NotEqual, "RNG").empty());
  CHECK(contains(noted(made, NoteKind::ToFind, "model"), "879db523c3"));
  CHECK(!noted(made, NoteKind::NoEffect, "Version").empty());
}

TEST_CASE("an older text says its schedule in the sampler's name", "[a1111]") {
  const Imported made = import_sample("a1111_old.txt");
  INFO(all_notes(made));
  const Json& r = made.request;
  CHECK(r.at("scheduler") == "DPMSolverSDEScheduler");
  CHECK(r.at("scheduler_config").at("use_karras_sigmas") == true);
  CHECK(r.at("strength") == 0.75);
  CHECK(r.at("padding_mask_crop") == 16);
  CHECK(r.at("controlnet") == Json::array({"control_v11f1p_sd15_depth.safetensors"}));
  CHECK(r.at("control_guidance_end") == Json::array({0.7}));
  for (const char* subject : {"prompt: AND", "prompt: [day:night:0.5]", "Mask blur", "depth"}) {
    INFO(subject);
    const std::string all = noted(made, NoteKind::NoCounterpart, "");
    CHECK(contains(all, subject));
  }
  for (const char* file : {"image", "mask", "control", "model"}) {
    CHECK(!noted(made, NoteKind::ToFind, file).empty());
  }
}

TEST_CASE("a diffusers call keeps its arguments and lists the others", "[diffusers]") {
  const Imported made = import_sample("diffusers_call.json");
  INFO(all_notes(made));
  const Json& r = made.request;
  CHECK(made.source == "diffusers");
  CHECK(r.at("model") == "stable-diffusion-v1-5/stable-diffusion-v1-5");
  CHECK(r.at("seed") == 33);
  CHECK(r.at("scheduler") == "DPMSolverMultistepScheduler");
  CHECK(r.at("scheduler_config") == Json({{"use_karras_sigmas", true}}));
  CHECK(r.at("lora") == Json::array({{{"file", "loras/teal.safetensors"}, {"weight", 0.4}},
                                     {{"file", "ink.safetensors"}, {"weight", 0.25}}}));
  CHECK_FALSE(r.contains("clip_skip"));
  CHECK(!noted(made, NoteKind::NoCounterpart, "enable_freeu").empty());
  CHECK(!noted(made, NoteKind::NoCounterpart, "ip_adapter_image").empty());
  CHECK(!noted(made, NoteKind::NotEqual, "generator").empty());
  CHECK(contains(noted(made, NoteKind::NotEqual, "torch_dtype"), "--dtype fp16"));

  const Imported control = import_sample("diffusers_controlnet.json");
  INFO(all_notes(control));
  CHECK(control.request.at("control") == "edges.png");
  CHECK_FALSE(control.request.contains("image"));
  CHECK(control.request.at("num_inference_steps") == 8);
  CHECK(control.request.at("seed") == 4);
  CHECK(!noted(control, NoteKind::NoCounterpart, "denoising_end").empty());
}

TEST_CASE("calls that contradict themselves or make no sense are refused", "[diffusers]") {
  CHECK(contains(refusal("{\"steps\": 3, \"num_inference_steps\": 4}"), "given twice"));
  CHECK(contains(refusal("{\"generator\": \"torch.Generator()\"}"), "\"generator\": expected"));
  CHECK(contains(refusal("{\"scheduler\": 4}"), "scheduler"));
  CHECK(contains(refusal("{\"lora\": [{\"weight\": 1}]}"), "the file of a LoRA"));
  CHECK(contains(refusal("{\"set_adapters\": 1}"), "adapter_names"));
  CHECK(contains(refusal("{\"a\": "), "not valid JSON"));
}

TEST_CASE("pictures of other programs are read by what they carry", "[import]") {
  const std::string workflow = sample_json("text_to_image.json").dump();
  const Json expected = import_sample("text_to_image.json").request;
  CHECK(import_recipe(png_with("prompt", workflow), "a.png").request == expected);
  const std::string ui = sample_json("ui_text_to_image.json").dump();
  CHECK(import_recipe(png_with("workflow", ui), "a.png").request == expected);
  const std::string text = read_text(sample_path("a1111_hires.txt"));
  const Json words = import_sample("a1111_hires.txt").request;
  CHECK(import_recipe(png_with("parameters", text), "a.png").request == words);
  for (const cards::Format format : {cards::Format::Jpeg, cards::Format::Webp}) {
    const Bytes bytes =
        cards::encode(make_image(8, 8, 3), format, {}, {.exif = exif_block(text, "x")}).bytes;
    CHECK(import_recipe(bytes, "a").request == words);
  }
  CHECK(contains(thrown([] { import_recipe(png_with("comment", "x"), "a.png"); }),
                 "a.png: expected a picture that carries"));
}

TEST_CASE("what is no recipe at all is refused", "[import]") {
  CHECK(contains(refusal(""), "parameters text"));
  CHECK(contains(refusal("just a sentence"), "parameters text"));
  CHECK(contains(refusal(std::string("\0\1\2", 3)), "other data"));
  CHECK(contains(refusal("{\"a\": " + std::string(100, '[') + std::string(100, ']') + "}"),
                 "nesting"));
  CHECK(contains(refusal("a\nSteps: x, Seed: 1, CFG scale: 7"), "Steps: expected a whole number"));
  CHECK(contains(refusal("a\nSteps: 1, Seed: 1, Size: 7"), "Size: expected WIDTHxHEIGHT"));
}

TEST_CASE("names of samplers become schedulers of diffusers", "[samplers]") {
  const std::vector<std::tuple<const char*, const char*, const char*>> names = {
      {"euler", "normal", "EulerDiscreteScheduler"},
      {"euler_ancestral", "normal", "EulerAncestralDiscreteScheduler"},
      {"heun", "normal", "HeunDiscreteScheduler"},
      {"dpm_2", "normal", "KDPM2DiscreteScheduler"},
      {"dpm_2_ancestral", "normal", "KDPM2AncestralDiscreteScheduler"},
      {"lms", "normal", "LMSDiscreteScheduler"},
      {"dpmpp_2m", "karras", "DPMSolverMultistepScheduler"},
      {"dpmpp_2m_sde", "karras", "DPMSolverMultistepScheduler"},
      {"dpmpp_3m_sde_gpu", "exponential", "DPMSolverMultistepScheduler"},
      {"dpmpp_sde", "karras", "DPMSolverSDEScheduler"},
      {"uni_pc", "simple", "UniPCMultistepScheduler"},
      {"ddim", "ddim_uniform", "DDIMScheduler"},
      {"ddim", "karras", "EulerDiscreteScheduler"},
      {"ddpm", "simple", "DDPMScheduler"},
      {"lcm", "sgm_uniform", "LCMScheduler"}};
  for (const auto& [sampler, schedule, expected] : names) {
    INFO(sampler << " " << schedule);
    const SamplerChoice choice = comfyui_sampler(sampler, schedule, 20);
    CHECK(choice.scheduler == expected);
    for (const ImportNote& note : choice.notes) CHECK(note.kind == NoteKind::NotEqual);
  }
  CHECK(comfyui_sampler("dpmpp_3m_sde", "karras", 20).config.at("solver_order") == 3);
  CHECK(comfyui_sampler("euler", "sgm_uniform", 20).config.at("timestep_spacing") == "trailing");
  CHECK(comfyui_sampler("euler", "ddim_uniform", 20).config.at("steps_offset") == 1);
  CHECK(comfyui_sampler("res_multistep", "normal", 20).notes.at(0).kind == NoteKind::NoCounterpart);
  CHECK(comfyui_sampler("euler", "kl_optimal", 20).notes.at(0).kind == NoteKind::NoCounterpart);
  CHECK(comfyui_sampler("euler_ancestral", "karras", 20).notes.back().kind ==
        NoteKind::NoCounterpart);

  // Equal noise levels, so nothing to say; "simple" only when the steps divide 1000.
  CHECK(comfyui_sampler("euler", "karras", 20).notes.empty());
  CHECK(comfyui_sampler("dpmpp_2m", "karras", 20).notes.empty());
  CHECK(comfyui_sampler("euler", "simple", 20).notes.empty());
  CHECK(comfyui_sampler("euler", "simple", 30).notes.size() == 1);
  CHECK(comfyui_sampler("dpmpp_2m", "normal", 20).notes.size() == 1);
}

TEST_CASE("A1111's names and its automatic schedule are known", "[samplers]") {
  const auto karras = [](const char* sampler, const char* type) {
    return a1111_sampler(sampler, type, 20).config.value("use_karras_sigmas", false);
  };
  CHECK(karras("DPM++ 2M", "Automatic"));
  CHECK(karras("DPM++ 2M Karras", ""));
  CHECK_FALSE(karras("DPM++ 2M", ""));
  CHECK_FALSE(karras("DPM++ 2M", "Uniform"));
  CHECK(a1111_sampler("DPM++ 2M SDE", "Automatic", 20).config.at("use_exponential_sigmas") == true);
  CHECK(a1111_sampler("Euler a", "Automatic", 20).scheduler == "EulerAncestralDiscreteScheduler");
  CHECK(a1111_sampler("DDIM", "", 20).config.at("timestep_spacing") == "leading");
  CHECK(a1111_sampler("Euler", "SGM Uniform", 20).config.at("timestep_spacing") == "trailing");
  CHECK(a1111_sampler("Euler", "Align Your Steps", 20).notes.at(0).kind == NoteKind::NoCounterpart);
}

TEST_CASE("names of files are looked for in the models folder", "[import]") {
  const TemporaryFolder folder;
  for (const char* file : {"models/checkpoints/dreamshaper_8.safetensors",
                           "models/loras/brand/teal.safetensors", "recipes/scene.png"}) {
    std::filesystem::create_directories((folder / file).parent_path());
    write_atomically(folder / file, "x");
  }
  Imported made = import_sample("lora_stack.json");
  made.request["image"] = "scene.png";
  made.request["mask"] = "../../../none/passwd";
  locate_files(made, folder / "models", folder / "recipes");
  INFO(all_notes(made));
  CHECK(made.request.at("model") == "../models/checkpoints/dreamshaper_8.safetensors");
  CHECK(made.request.at("lora")[0].at("file") == "../models/loras/brand/teal.safetensors");
  CHECK(made.request.at("lora")[1].at("file") == "../models/ink.safetensors");
  CHECK(made.request.at("image") == "scene.png");
  CHECK(made.request.at("mask") == "../models/passwd");
  CHECK(noted(made, NoteKind::ToFind, "model").empty());
  CHECK(contains(noted(made, NoteKind::ToFind, "lora"), "ink.safetensors"));
  CHECK(contains(noted(made, NoteKind::ToFind, "vae"), "vae-ft-mse"));

  Imported bare = import_sample("lora_stack.json");
  locate_files(bare, {}, folder / "recipes");
  CHECK(bare.request.at("lora")[0].at("file") == "brand/teal.safetensors");
  CHECK(contains(noted(bare, NoteKind::ToFind, "model"), "dreamshaper_8"));
}

TEST_CASE("a repository that diffusers would fetch is named as a reference", "[import]") {
  const TemporaryFolder folder;
  Imported made = import_sample("diffusers_call.json");
  locate_files(made, {}, folder.path());
  INFO(all_notes(made));
  CHECK(made.request.at("model") == "hub:stable-diffusion-v1-5/stable-diffusion-v1-5");
  CHECK(contains(noted(made, NoteKind::ToFind, "model"), "affiche model fetch hub:"));
  CHECK(made.request.at("lora")[0].at("file") == "loras/teal.safetensors");
}

TEST_CASE("a recipe in TOML is the request, with the notes as comments", "[import]") {
  Imported made = import_sample("without_counterpart.json");
  made.request["prompt"] = "a\n# \"b\" \x01";
  made.note(NoteKind::NoCounterpart, "hostile\nmodel = \"x\"", "y");
  const std::string toml = recipe_toml(made, "work\nflow.json");
  INFO(toml);
  CHECK(toml_to_json(parse_toml(toml, "a"), "a").dump().size() > 100);
  const Json back = toml_to_json(parse_toml(toml, "a"), "a");
  for (const auto& [key, value] : made.request.items()) CHECK(back.at(key) == value);
  CHECK(contains(toml, "#   node 10 FreeU_V2"));
}

// SPDX-License-Identifier: Apache-2.0
// The options of `affiche generate`, and the request that they and a request file make together.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "diffusion/pipelines/request_json.h"

namespace affiche::cli {

// Of JPEG and WebP.
inline constexpr int kQuality = 95;

// Options that the user left out keep the request file's values, so each one is optional here.
struct GenerateOptions {
  std::string model, unet, vae;
  std::optional<std::string> prompt, negative, scheduler;
  std::optional<std::int64_t> steps, seed, width, height, count;
  std::optional<double> guidance, eta, guidance_rescale, strength;
  std::optional<int> clip_skip;
  std::string init, mask, outpaint, hires;
  std::vector<std::string> controls;
  bool canny = false;
  bool vae_tiling = false;
  bool allow_pickle = false;
  std::string dtype = "fp32";
  std::string device = "cpu";
  int threads = 0;
  std::vector<std::string> loras;
  std::string scheduler_config;
  std::string request_file;
  std::string recipe;               // TOML, or a picture that carries one
  std::vector<std::string> models;  // folders in which its files are looked for
  std::string config_file;          // Shared::config_file, for models that are fetched
  std::string out;
  std::optional<int> quality;
  std::string latents_out;
  std::string preview;
  bool timings = false;
};

void add_options(CLI::App& command, GenerateOptions& options);

// Whether an option asks for something else than the request file or recipe does.
bool changes_request(const GenerateOptions& options);

// The request file, overridden by what the command line says, with its pictures decoded. Usage and
// BadInput as read_request(), and for pictures that cannot be read.
diffusion::RequestFile request_from(const GenerateOptions& options);

// `affiche generate` with these options; in generate.cpp.
int run_generate(const GenerateOptions& options, const Shared& shared);

}  // namespace affiche::cli

// SPDX-License-Identifier: Apache-2.0
// A model of a few thousand weights and what a test needs to train it.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "diffusion/training/architecture.h"
#include "diffusion/training/loop.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("affiche-base-" + random_hex(6))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline LoopOptions steps(const std::filesystem::path& work, std::int64_t count) {
  LoopOptions loop;
  loop.folder = work;
  loop.steps = count;
  loop.warm_up = 2;
  loop.sheet_every = 0;
  loop.log_every = 1;
  loop.learning_rate = 2e-3;
  return loop;
}

inline std::vector<double> losses(const std::filesystem::path& work) {
  std::ifstream file(work / "log.jsonl");
  std::vector<double> values;
  for (std::string line; std::getline(file, line);)
    values.push_back(parse_json(line, "log")["loss"].get<double>());
  return values;
}

// The architecture with a text encoder of random weights, a small UNet and no autoencoder weights.
inline void write_small_model(const std::filesystem::path& model) {
  write_architecture(model);
  Json unet = parse_json(read_text(model / "unet/config.json"), "unet");
  unet["block_out_channels"] = {16, 16, 32};
  unet["norm_num_groups"] = 8;
  write_atomically(model / "unet/config.json", unet.dump());
}

inline StateDict copied(const std::filesystem::path& file) {
  StateDict state = load_safetensors(file);
  for (auto& [name, tensor] : state) tensor = tensor.clone();
  return state;
}

}  // namespace affiche::diffusion

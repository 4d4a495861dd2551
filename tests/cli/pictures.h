// SPDX-License-Identifier: Apache-2.0
// Pictures of the program against those of diffusers.
#pragma once

#include "cards/encode.h"
#include "cli/program.h"
#include "diffusion/goldens.h"

namespace affiche::test {

struct Golden {
  Json tolerance;
  Json request;  // what --request takes
  diffusion::StateDict tensors;

  explicit Golden(const std::string& name)
      : request(diffusion::golden_json("pipelines/" + name + ".json")),
        tensors(
            diffusion::load_safetensors(diffusion::golden("pipelines/" + name + ".safetensors"))) {
    tolerance = request["tolerance"];
    // What describes the case rather than the request.
    for (const char* key : {"name", "pipeline", "measured_deviation", "tolerance", "tensors"}) {
      request.erase(key);
    }
    for (const char* key : {"model", "vae", "controlnet"}) place(key, "models/", "");
    for (const char* key : {"image", "mask", "control"}) place(key, "images/", ".png");
  }
  std::int64_t picture_count() const {
    return tensors.at(tensors.contains("png") ? "png" : "image").size(0);
  }
  static std::string model(const std::string& name) {
    return diffusion::golden("models/" + name).string();
  }

 private:
  // Names become paths.
  void place(const char* key, const std::string& folder, const std::string& extension) {
    if (!request.contains(key) || request[key].is_null()) return;
    const auto path = [&](const Json& name) {
      return diffusion::golden(folder + name.get<std::string>() + extension).string();
    };
    if (!request[key].is_array()) {
      request[key] = path(request[key]);
      return;
    }
    for (Json& name : request[key]) name = path(name);
  }
};

// H x W x 3, levels from 0 to 255.
inline at::Tensor levels(const std::filesystem::path& file) {
  const Image image = cards::decode(read_bytes(file), file.string());
  return at::tensor(at::ArrayRef<std::uint8_t>(image.pixels))
      .reshape({image.height, image.width, image.channels})
      .to(at::kFloat);
}

// How many levels a file is from picture `index` of the case.
inline double levels_off(const std::filesystem::path& file, const Golden& golden,
                         std::int64_t index = 0) {
  const bool laid_over = golden.tensors.contains("png");
  const at::Tensor expected =
      laid_over ? golden.tensors.at("png")[index].to(at::kFloat)
                : (golden.tensors.at("image")[index].to(at::kFloat) * 255).round();
  return diffusion::distance(levels(file), expected);
}

}  // namespace affiche::test

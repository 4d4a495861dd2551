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
    request["model"] = model(request["model"]);
  }
  static std::string model(const std::string& name) {
    return diffusion::golden("models/" + name).string();
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
  const at::Tensor expected = (golden.tensors.at("image")[index].to(at::kFloat) * 255).round();
  return diffusion::distance(levels(file), expected);
}

}  // namespace affiche::test

// SPDX-License-Identifier: Apache-2.0
// A request as one JSON object, under diffusers' names of the arguments. The command line and the
// HTTP API take the same object.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/request.h"
#include "diffusion/pipelines/textual_inversions.h"

namespace affiche::diffusion {

struct LoraChoice {
  std::filesystem::path file;
  double weight = 1.0;
  bool dora_scale = false;  // LoraUse::dora_scale
};

// Pictures as files: whoever reads the request decodes them into its Image fields.
struct RequestPictures {
  std::filesystem::path image, mask;            // empty: none
  std::vector<std::filesystem::path> controls;  // one for each of the request's controls
  std::vector<bool> canny;                      // likewise: its edges are the control picture
};

struct RequestFile {
  ModelFiles files;
  bool has_prompt = false;
  GenerateRequest request;
  RequestPictures pictures;
  std::vector<LoraChoice> loras;
  std::vector<TextualInversionChoice> textual_inversions;
};

// Keys as in docs/models.md. prompts, seed and the options of ControlNets may be lists; null counts
// as missing. Paths are relative to `folder`. BadInput, naming `what` and the key: unknown keys,
// other types, and numbers of things that do not fit.
RequestFile read_request(const nlohmann::ordered_json& json, const std::filesystem::path& folder,
                         const std::string& what);
// Every key that read_request() knows, in the order of the alphabet.
std::vector<std::string> request_keys();

// "FILE[:WEIGHT]". Usage when the weight is not a number.
LoraChoice parse_lora_choice(const std::string& text);
// "MODEL:IMG[:SCALE[:START:END]]": adds a ControlNet with its picture. Usage when it is not so.
void add_control(RequestFile& file, const std::string& text);

}  // namespace affiche::diffusion

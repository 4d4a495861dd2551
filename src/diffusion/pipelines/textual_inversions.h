// SPDX-License-Identifier: Apache-2.0
// Textual inversion on a model: words of files in its tokenizers, their vectors in its text
// encoders, as diffusers' load_textual_inversion puts them there.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "diffusion/pipelines/components.h"

namespace affiche::diffusion {

struct TextualInversionChoice {
  std::filesystem::path file;
  std::string token;  // the word in prompts; empty: the file's own
};

// The request's key "textual_inversion": a list of paths and of {file, token}, or an object of
// token and path. Paths are relative to `folder`. BadInput, naming `what` and the key.
std::vector<TextualInversionChoice> read_textual_inversions(const nlohmann::ordered_json& value,
                                                            const std::filesystem::path& folder,
                                                            const std::string& what);

// Replaces all words of earlier calls; an empty list, or a failure, leaves the model as it was
// loaded. Returns warnings: words that only one of two text encoders knows. The checkpoint's
// tensors are neither copied nor changed. Not while another thread generates with these
// components. Errors as load_textual_inversion(); BadInput for vectors of another width, naming
// the families of both, and for words that are tokens already or twice there.
std::vector<std::string> apply_textual_inversions(
    Components& parts, const std::vector<TextualInversionChoice>& choices,
    const CheckpointOptions& options = {});

}  // namespace affiche::diffusion

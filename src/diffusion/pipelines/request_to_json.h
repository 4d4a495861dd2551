// SPDX-License-Identifier: Apache-2.0
// The other way of read_request(): what a run was asked for, with every default filled in.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "diffusion/pipelines/pipeline.h"
#include "diffusion/pipelines/request_json.h"

namespace affiche::diffusion {

// A request for the same pictures as `made` has, by `model`. `path_text` says how paths are
// written; read_request() takes them as relative to the working folder with folder "".
nlohmann::ordered_json request_to_json(
    const RequestFile& file, const Pipeline::Traits& model, const Generation& made,
    const std::function<std::string(const std::filesystem::path&)>& path_text);

}  // namespace affiche::diffusion

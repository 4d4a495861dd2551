// SPDX-License-Identifier: Apache-2.0
// The parts of `affiche model`, one file each.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "service/models.h"

namespace affiche::cli {

void add_model_convert(CLI::App& model, Shared& shared);
void add_model_fetch(CLI::App& model, Shared& shared);
void add_model_inspect(CLI::App& model, Shared& shared);

// Where the model of --model is, by the settings of --config. Errors as service::find_model().
service::ModelPlace model_place(const std::string& name, const Shared& shared);

// The check of --model: a path that exists, or a well-formed hub:… or https://… reference.
CLI::Validator model_input();

}  // namespace affiche::cli

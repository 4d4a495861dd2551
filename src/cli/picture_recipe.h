// SPDX-License-Identifier: Apache-2.0
// Recipes of `affiche generate`: read from TOML, written into pictures, and found in them again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cards/encode.h"
#include "cli/generate_options.h"
#include "diffusion/pipelines/pipeline.h"
#include "recipes/picture_recipe.h"

namespace affiche::cli {

// Whether the file begins as a PNG, JPEG or WebP.
bool is_picture(const std::filesystem::path& file);

// BadInput when the picture carries no recipe of affiche.
recipes::PictureRecipe recipe_of_picture(const std::filesystem::path& file);

// A TOML file under the keys of --request, relative to its folder; BadInput with its line. Files
// that are not there are looked for by name in the folders of --models. Or a picture: errors as
// recipes::with_found_files().
diffusion::RequestFile read_recipe(const GenerateOptions& options);

// What each of the pictures carries. The files are hashed; `again`, unless null, is the recipe that
// is made again, whose names for them stay.
std::vector<cards::Metadata> metadata_for(const diffusion::RequestFile& file,
                                          const diffusion::Pipeline::Traits& model,
                                          const diffusion::Generation& made,
                                          const GenerateOptions& options,
                                          const recipes::PictureRecipe* again);

}  // namespace affiche::cli

// SPDX-License-Identifier: Apache-2.0
// Recipes of other programs as requests of ours. What is read is named, what has no counterpart is
// listed, and nothing is left out in silence. Thread-safe.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace affiche::recipes {

enum class NoteKind {
  NoCounterpart,  // left out: the picture will be another
  NotEqual,       // translated to what comes nearest
  ToFind,         // a file that only has a name
  NoEffect,       // left out, does not concern the pixels
};
const char* name(NoteKind kind);  // "no_counterpart", "not_equal", "to_find", "no_effect"

struct ImportNote {
  NoteKind kind;
  std::string subject;  // "node 5 FreeU_V2: b1", "Sampler"
  std::string reason;
};

struct Imported {
  std::string source;  // "comfyui-api", "comfyui-workflow", "a1111", "diffusers", "affiche"
  nlohmann::ordered_json request;  // as `generate --request` takes it; files by name
  std::vector<ImportNote> notes;

  void note(NoteKind kind, std::string subject, std::string reason);
};

// A ComfyUI workflow (API or UI JSON), an A1111 parameters text, a diffusers call as JSON, one of
// our own recipes (JSON), or a PNG, JPEG or WebP that carries one of the first two or ours; told by
// the bytes. BadInput, starting with `what`, for anything else, for damaged files, and for
// workflows that make no picture or go in circles.
Imported import_recipe(std::span<const std::uint8_t> bytes, const std::string& what);

// The parts of import_recipe().
Imported import_comfyui(const nlohmann::ordered_json& workflow, const std::string& what);
Imported import_parameters(std::string_view text, const std::string& what);
Imported import_diffusers(const nlohmann::ordered_json& call, const std::string& what);
bool is_comfyui(const nlohmann::ordered_json& json);

// Names of files become paths relative to `folder`, where the recipe will lie. With `models` (may
// be empty) they are looked for there, by name, at most five folders deep; what was found is no
// longer listed as ToFind, the rest is expected in `models`.
void locate_files(Imported& imported, const std::filesystem::path& models,
                  const std::filesystem::path& folder);

// The recipe as TOML, the notes as comments before it. `what` names the source.
std::string recipe_toml(const Imported& imported, const std::string& what);

}  // namespace affiche::recipes

// SPDX-License-Identifier: Apache-2.0
// affiche recipe: recipes of other programs as ours, with a list of what has no counterpart, and
// what a picture says of its making.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/border.h"
#include "cli/command.h"
#include "cli/inspect_picture.h"
#include "recipes/import.h"

namespace affiche::cli {
namespace {

namespace fs = std::filesystem;
using recipes::NoteKind;

struct Options {
  std::string file;
  std::string models;
  std::string out;
};

Json notes_of(const recipes::Imported& imported, NoteKind kind) {
  Json list = Json::array();
  for (const recipes::ImportNote& note : imported.notes) {
    if (note.kind == kind) list.push_back({{"what", note.subject}, {"why", note.reason}});
  }
  return list;
}

void print_json(const recipes::Imported& imported, const std::string& toml,
                const std::string& out) {
  Json answer = {{"source", imported.source}, {"recipe", imported.request}, {"toml", toml}};
  for (const NoteKind kind :
       {NoteKind::NoCounterpart, NoteKind::NotEqual, NoteKind::ToFind, NoteKind::NoEffect}) {
    answer[name(kind)] = notes_of(imported, kind);
  }
  if (!out.empty()) answer["out"] = out;
  std::puts(answer.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_notes(const recipes::Imported& imported, int verbosity) {
  static constexpr std::pair<NoteKind, const char*> kHeadings[] = {
      {NoteKind::NoCounterpart, "no counterpart"},
      {NoteKind::NotEqual, "not equal"},
      {NoteKind::ToFind, "to be found"},
      {NoteKind::NoEffect, "no effect"}};
  for (const auto& [kind, heading] : kHeadings) {
    if (kind == NoteKind::NoEffect && verbosity < 1) continue;
    for (const recipes::ImportNote& note : imported.notes) {
      if (note.kind != kind) continue;
      std::fprintf(stderr, "%-15s %s: %s\n", heading, printable(note.subject).c_str(),
                   printable(note.reason).c_str());
    }
  }
}

int import(const Options& options, const Shared& shared) {
  const fs::path file = options.file;
  recipes::Imported imported = recipes::import_recipe(read_bytes(file), file.string());
  const fs::path folder = fs::path(options.out).parent_path();
  recipes::locate_files(imported, options.models, folder);
  const std::string toml = recipe_toml(imported, file.filename().string());
  if (!options.out.empty()) write_atomically(fs::path(options.out), toml);
  if (shared.json) {
    print_json(imported, toml, options.out);
    return 0;
  }
  if (options.out.empty()) {
    std::fputs(toml.c_str(), stdout);
  } else if (shared.verbosity >= 0) {
    std::printf("%s\n", options.out.c_str());
  }
  if (shared.verbosity >= 0) print_notes(imported, shared.verbosity);
  return 0;
}

void add_show(CLI::App& recipe, Shared& shared) {
  const auto what = std::make_shared<InspectPicture>();
  const auto file = std::make_shared<std::string>();
  CLI::App* command = recipe.add_subcommand("show", "say how a picture was made, or make it again");
  command->add_option("picture", *file, "PNG, JPEG or WebP")->required()->check(existing_input());
  CLI::Option* out = command->add_option("--out", what->out, "Where the new picture goes");
  CLI::Option* rerun = command->add_flag("--rerun", what->rerun, "Make the picture again");
  out->needs(rerun);
  rerun->needs(out);
  command
      ->add_option("--models", what->models,
                   "Folder in which its files are looked for; may be given several times")
      ->allow_extra_args(false)
      ->check(existing_input());
  command->footer("Example: affiche recipe show card.png --rerun --out again.png");
  command->callback([&shared, what, file] {
    what->file = *file;
    shared.run = [&shared, what] { return inspect_picture(*what, shared); };
  });
}

}  // namespace

void add_recipe(CLI::App& app, Shared& shared) {
  CLI::App* recipe = app.add_subcommand("recipe", "recipes of pictures and of other programs");
  recipe->require_subcommand(1);
  recipe->footer("Example: affiche recipe import workflow.json --out recipe.toml");
  add_show(*recipe, shared);
  const auto options = std::make_shared<Options>();
  CLI::App* command = recipe->add_subcommand(
      "import", "translate a ComfyUI workflow, A1111 parameters or a diffusers call");
  command
      ->add_option("file", options->file,
                   "Workflow (API or UI JSON), parameters text, call as JSON, or a PNG, JPEG or "
                   "WebP that carries one")
      ->required()
      ->check(existing_input());
  command
      ->add_option("--models", options->models,
                   "Folder in which the named models, LoRAs and pictures are looked for")
      ->check(existing_input());
  command->add_option("--out", options->out,
                      "TOML file to write, for generate --recipe; default: standard output");
  command->footer(
      "What has no counterpart, is not equal, or is still to be found is listed on standard error "
      "and in the file (docs/recipes.md).\nExample: affiche recipe import workflow.json --models "
      "~/models --out recipe.toml");
  command->callback(
      [&shared, options] { shared.run = [&shared, options] { return import(*options, shared); }; });
}

}  // namespace affiche::cli

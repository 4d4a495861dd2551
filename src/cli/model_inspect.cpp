// SPDX-License-Identifier: Apache-2.0
// affiche model inspect: what a model on disk is, and whether all of it is there; and how a picture
// was made.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cli/border.h"
#include "cli/inspect_picture.h"
#include "cli/model.h"
#include "cli/picture_recipe.h"
#include "diffusion/checkpoints/inspect.h"

namespace affiche::cli {
namespace {

namespace fs = std::filesystem;
using diffusion::ModelReport;
using diffusion::PartReport;

struct Options {
  std::string path;
  bool tensors = false;
  bool no_hash = false;
  bool allow_pickle = false;
  bool rerun = false;  // of a picture
  std::string out;
  std::vector<std::string> models;
};

// "F16", or "F32 260, Q4_0 49".
std::string dtypes_text(const PartReport& part) {
  std::string text;
  for (const auto& [name, count] : part.dtypes) {
    if (!text.empty()) text += ", ";
    text += part.dtypes.size() == 1 ? name : concat(name, " ", count);
  }
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += concat(text.empty() ? "" : "x", size);
  return text.empty() ? "scalar" : text;
}

// Three digits and a unit of 1000.
std::string short_number(double value) {
  static constexpr const char* kUnits[] = {"", "k", "M", "G", "T"};
  int unit = 0;
  while (value >= 999.5 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.3g%s", value, kUnits[unit]);
  return text;
}

std::string hint_for(const ModelReport& report) {
  if (report.family == "a LoRA file") {
    return "affiche lora inspect FILE --model DIR lists which weights it changes";
  }
  return "";
}

Json to_json(const PartReport& part, bool tensors) {
  Json json = {{"name", part.name},
               {"class", part.class_name},
               {"tensors", part.tensors.size()},
               {"parameters", part.parameters},
               {"bytes", part.bytes},
               {"dtypes", part.dtypes},
               {"missing", part.missing},
               {"extra", part.extra},
               {"mismatched", part.mismatched}};
  if (!part.problem.empty()) json["problem"] = part.problem;
  if (!tensors) return json;
  json["tensor_list"] = Json::array();
  for (const PartReport::Tensor& tensor : part.tensors) {
    json["tensor_list"].push_back(
        {{"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}});
  }
  return json;
}

void print_json(const ModelReport& report, const Options& options) {
  Json json = {{"path", options.path},          {"layout", report.layout},
               {"family", report.family},       {"pipeline", report.pipeline_class},
               {"complete", report.complete()}, {"parts", Json::array()}};
  for (const PartReport& part : report.parts) {
    json["parts"].push_back(to_json(part, options.tensors));
  }
  json["schedulers"] = report.schedulers;
  json["tokenizers"] = report.tokenizers;
  json["warnings"] = report.warnings;
  json["files"] = Json::array();
  for (const fs::path& file : report.files) {
    Json entry = {{"path", file.string()}, {"bytes", fs::file_size(file)}};
    if (!options.no_hash) entry["sha256"] = sha256_file(file);
    json["files"].push_back(std::move(entry));
  }
  if (!hint_for(report).empty()) json["hint"] = hint_for(report);
  std::puts(json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_part(const PartReport& part, bool tensors) {
  std::printf("%-17s %-27s %8zu %10s %9sB  %s\n", part.name.c_str(),
              printable(part.class_name).c_str(), part.tensors.size(),
              short_number(static_cast<double>(part.parameters)).c_str(),
              short_number(static_cast<double>(part.bytes)).c_str(), dtypes_text(part).c_str());
  if (tensors) {
    for (const PartReport::Tensor& tensor : part.tensors) {
      std::printf("  %-6s %-20s %s\n", tensor.dtype.c_str(), shape_text(tensor.shape).c_str(),
                  printable(tensor.name).c_str());
    }
  }
}

void print_faults(const PartReport& part) {
  const std::string where = part.name.empty() ? "" : part.name + ": ";
  if (!part.problem.empty()) std::printf("problem     %s\n", printable(part.problem).c_str());
  for (const auto& [kind, names] :
       {std::pair{"missing", &part.missing}, std::pair{"extra", &part.extra},
        std::pair{"mismatched", &part.mismatched}}) {
    for (const std::string& name : *names) {
      std::printf("%-11s %s%s\n", kind, where.c_str(), printable(name).c_str());
    }
  }
}

void print_table(const ModelReport& report, const Options& options) {
  std::printf("%s: %s%s%s (%s)\n", options.path.c_str(), printable(report.family).c_str(),
              report.pipeline_class.empty() ? "" : ", ", printable(report.pipeline_class).c_str(),
              report.layout.c_str());
  std::printf("%-17s %-27s %8s %10s %10s  %s\n", "part", "class", "tensors", "parameters", "size",
              "numbers");
  for (const PartReport& part : report.parts) print_part(part, options.tensors);
  for (const auto& [name, scheduler] : report.schedulers) {
    std::printf("%-17s %s\n", printable(name).c_str(), printable(scheduler).c_str());
  }
  for (const auto& [name, size] : report.tokenizers) {
    std::printf("%-17s CLIPTokenizer, %lld tokens\n", printable(name).c_str(),
                static_cast<long long>(size));
  }
  for (const fs::path& file : report.files) {
    const std::string hash = options.no_hash ? std::string() : sha256_file(file) + "  ";
    std::printf("file        %s%s\n", hash.c_str(), printable(file.string()).c_str());
  }
  for (const PartReport& part : report.parts) print_faults(part);
  for (const std::string& warning : report.warnings) {
    std::printf("warning     %s\n", printable(warning).c_str());
  }
  if (!hint_for(report).empty()) std::printf("%s\n", hint_for(report).c_str());
}

int inspect(const Options& options, const Shared& shared) {
  std::error_code unreadable;
  if (fs::is_regular_file(options.path, unreadable) && is_picture(options.path)) {
    return inspect_picture({options.path, options.rerun, options.out, options.models}, shared);
  }
  if (options.rerun) {
    fail(Cause::Usage, "--rerun: ", options.path, ": expected a picture, found none");
  }
  const service::ModelPlace place = model_place(options.path, shared);
  const ModelReport report =
      diffusion::inspect_model(place.path, {.allow_pickle = options.allow_pickle});
  if (shared.json) {
    print_json(report, options);
  } else {
    print_table(report, options);
  }
  return report.complete() ? 0 : exit_code(Cause::BadInput);
}

}  // namespace

void add_model_inspect(CLI::App& model, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand(
      "inspect", "say what a model is and what it lacks, or how a picture was made");
  command->add_option("path", options->path, "Folder, file, picture, or hub:… of a fetched model")
      ->required()
      ->check(model_input());
  command->add_flag("--tensors", options->tensors, "List every tensor");
  command->add_flag("--no-hash", options->no_hash, "Leave out the SHA-256 of the files");
  command->add_flag("--allow-pickle", options->allow_pickle, "Also read .ckpt, .pt and .bin files");
  CLI::Option* out =
      command->add_option("--out", options->out, "With --rerun: the picture to write");
  command
      ->add_flag("--rerun", options->rerun,
                 "Make a picture again from what it says: the same bytes on the same build")
      ->needs(out);
  command->add_option("--models", options->models,
                      "With --rerun: folders in which the picture's files are looked for");
  command->footer(
      "Exit code 2 when something is missing, too much or cannot be built.\nExample: affiche model "
      "inspect assets/models/affiche-mini");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return inspect(*options, shared); };
  });
}

}  // namespace affiche::cli

// SPDX-License-Identifier: Apache-2.0
// affiche compose: one card from files, or a stream of cards with everything kept warm.
#include <algorithm>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "cli/border.h"
#include "cli/command.h"
#include "service/card_bench.h"
#include "service/config.h"
#include "service/outputs.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string card_template;
  std::string brand;
  std::vector<std::string> set;
  std::string data;
  std::string photo;
  std::string credit;
  std::vector<std::string> out;
  std::string hero;
  std::string outputs;
  std::string jobs;
};

// One object of --data or --jobs. Paths in it are relative to the working folder.
service::CardRequest read_request(const std::string& text, const std::string& what) {
  const Json json = parse_json(text, what);
  if (!json.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  static const std::vector<std::string> kKeys = {"template", "brand", "set",  "photo",
                                                 "credit",   "out",   "hero", "outputs"};
  service::CardRequest request;
  for (const auto& [key, value] : json.items()) {
    if (key == "set" && value.is_object()) {
      request.variables = value.dump();
    } else if (key == "credit" && value.is_object()) {
      request.credit = credit_from_json(value.dump(), what + ": credit");
    } else if (key == "credit" && value.is_string()) {
      const std::string file = value.get<std::string>();
      request.credit = credit_from_json(read_text(file), file);
    } else if (key == "template" && value.is_string()) {
      request.card_template = value.get<std::string>();
    } else if (key == "brand" && value.is_string()) {
      request.brand = value.get<std::string>();
    } else if (key == "photo" && value.is_string()) {
      request.photo = value.get<std::string>();
    } else if (key == "hero" && value.is_string()) {
      request.hero = value.get<std::string>();
    } else if (key == "outputs") {
      request.outputs = service::read_outputs(value, what + ": outputs");
    } else if (key == "out" && value.is_string()) {
      request.out = {value.get<std::string>()};
    } else if (key == "out" && value.is_array() &&
               std::all_of(value.begin(), value.end(),
                           [](const Json& each) { return each.is_string(); })) {
      request.out = value.get<std::vector<std::string>>();
    } else {
      fail(Cause::BadInput, what, ": unknown key or wrong type: \"", key, "\"",
           suggestion(key, kKeys));
    }
  }
  return request;
}

service::CardRequest request_from(const Options& options) {
  service::CardRequest request;
  if (!options.data.empty()) request = read_request(read_text(options.data), options.data);
  if (!options.card_template.empty()) request.card_template = options.card_template;
  if (!options.brand.empty()) request.brand = options.brand;
  if (!options.photo.empty()) request.photo = options.photo;
  if (!options.credit.empty()) {
    request.credit = credit_from_json(read_text(options.credit), options.credit);
  }
  if (!options.out.empty()) request.out = options.out;
  if (!options.hero.empty()) request.hero = options.hero;
  if (!options.outputs.empty()) {
    request.outputs = service::read_outputs(Json(options.outputs), "--outputs");
  }
  Json variables = parse_json(request.variables, "set");
  for (const std::string& pair : options.set) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      fail(Cause::Usage, "--set \"", pair, "\": expected NAME=VALUE");
    }
    variables[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  try {
    request.variables = variables.dump();
  } catch (const Json::exception&) {
    fail(Cause::Usage, "--set: expected text in UTF-8, found other bytes");
  }
  return request;
}

// Bytes from outside that are not UTF-8 are replaced.
void print(const Json& line) {
  std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

Json answer(const service::CardAnswer& made) {
  Json line = {{"out", made.path}, {"ms", made.milliseconds}, {"bytes", made.bytes}};
  if (!made.warnings.empty()) line["warnings"] = made.warnings;
  return line;
}

// What an error of one line answers, known or not: the stream goes on.
Json answer(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  return {{"error", error.what()},
          {"cause", name(known != nullptr ? known->cause() : Cause::Internal)}};
}

int compose_one(const Options& options, const Shared& shared) {
  const service::Config config = service::load_config(shared.config_file);
  service::CardBench bench(config);
  for (const service::CardAnswer& made : bench.make(request_from(options))) {
    if (shared.json) {
      print(answer(made));
    } else if (shared.verbosity >= 0) {
      std::cout << made.path << "  " << made.bytes << " bytes  " << made.milliseconds << " ms\n";
      for (const std::string& warning : made.warnings) std::cerr << "warning: " << warning << '\n';
    }
  }
  return 0;
}

// An answer a line, also for lines that fail: the reader on the other side counts on it.
int compose_stream(std::istream& lines, const std::string& what, const Shared& shared) {
  const service::Config config = service::load_config(shared.config_file);
  service::CardBench bench(config);
  int good = 0;
  int bad = 0;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      for (const service::CardAnswer& made :
           bench.make(read_request(line, concat(what, ":", number)))) {
        print(answer(made));
      }
      ++good;
    } catch (const std::exception& error) {
      print(answer(error));
      ++bad;
    }
  }
  return bad == 0 ? 0 : good > 0 ? 3 : 1;
}

}  // namespace

void add_compose(CLI::App& app, Shared& shared) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compose", "make cards from files, without a queue");
  command->add_option("--template", options->card_template, "name or path of a template");
  command->add_option("--brand", options->brand, "name or path of a brand");
  command->add_option("--set", options->set, "a variable of the template, NAME=VALUE")
      ->allow_extra_args(true)
      ->expected(1, -1);
  command
      ->add_option("--data", options->data,
                   "JSON file: template, brand, set, photo, credit, out, outputs")
      ->check(existing_input());
  command->add_option("--photo", options->photo, "the photograph; needs --credit")
      ->check(existing_input());
  command->add_option("--credit", options->credit, "JSON file with the photograph's credit")
      ->check(existing_input());
  command
      ->add_option("--out", options->out,
                   "file to write: .jpg, .png, .webp or .avif, or folder/; several allowed")
      ->expected(1, -1);
  command->add_option("--outputs", options->outputs,
                      "files to make in the folder of --out, such as "
                      "card.jpg,square.webp:200000,hero.jpg");
  command->add_option("--hero", options->hero,
                      "also the photo alone, 1600x900 without text, as search engines want it");
  command
      ->add_option("--jobs", options->jobs,
                   "JSON lines, each like --data; - for standard input; an answer a line")
      ->check(existing_input(true));
  command->footer(
      "Example: affiche compose --template article --brand demo --set headline='Tides turn' "
      "--photo sea.jpg --credit sea.json --out card.jpg");
  command->callback([options, &shared] {
    shared.run = [options, &shared]() -> int {
      if (options->jobs.empty()) return compose_one(*options, shared);
      if (options->jobs == "-") return compose_stream(std::cin, "standard input", shared);
      std::ifstream file(options->jobs);
      if (!file) fail(Cause::NotFound, options->jobs, ": cannot open");
      return compose_stream(file, options->jobs, shared);
    };
  });
}

}  // namespace affiche::cli

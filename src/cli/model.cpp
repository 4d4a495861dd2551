// SPDX-License-Identifier: Apache-2.0
// affiche model: what is done with models as files. And how other commands take one.
#include "cli/model.h"

#include "base/error.h"
#include "hub/reference.h"
#include "service/config.h"

namespace affiche::cli {

service::ModelPlace model_place(const std::string& name, const Shared& shared) {
  if (!hub::is_reference(name)) return {name, nullptr};
  return service::find_model(name, service::load_config(shared.config_file));
}

CLI::Validator model_input() {
  return {[](std::string& place) -> std::string {
            if (!hub::is_reference(place)) {
              std::error_code unreadable;
              const bool there = std::filesystem::exists(place, unreadable);
              return there ? "" : place + ": there is no such file or folder";
            }
            try {
              hub::parse_reference(place);
              return "";
            } catch (const Error& error) {
              return error.what();
            }
          },
          ""};
}

void add_model(CLI::App& app, Shared& shared) {
  CLI::App* model =
      app.add_subcommand("model", "fetch, look into and convert models (docs/models.md)");
  model->require_subcommand(1);
  model->footer("Example: affiche model fetch hub:OWNER/NAME --variant fp16");
  add_model_fetch(*model, shared);
  add_model_inspect(*model, shared);
  add_model_convert(*model, shared);
}

}  // namespace affiche::cli

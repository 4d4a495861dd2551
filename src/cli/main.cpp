// SPDX-License-Identifier: Apache-2.0
// Table of contents of the command line: one line a command, in the order of --help.
#include <span>
#include <string_view>

#include "cli/border.h"
#include "cli/command.h"
#include "diffusion/weights/huge_pages.h"
#include "service/picture_room.h"

int main(int argc, char** argv) {
  using namespace affiche::cli;
  // This program as the process in which foreign pictures are decoded; no command of people.
  if (argc > 1 && std::string_view(argv[1]) == affiche::service::kRoomArgument) {
    return affiche::service::decode_in_room(std::span(argv, argv + argc).subspan(2));
  }
  affiche::diffusion::use_huge_pages();
  CLI::App app("Open Graph cards with credited photographs and brand backgrounds.", "affiche");
  Shared shared;
  app.require_subcommand(1);
  app.footer(
      "Example: affiche run --drain\nExit codes: 0 done, 1 failed, 2 wrong usage or bad input "
      "file, 3 partly done, 75 try later.");

  add_serve(app, shared);
  add_enqueue(app, shared);
  add_run(app, shared);
  add_jobs(app, shared);
  add_compose(app, shared);
  add_preview(app, shared);
  add_template(app, shared);
  add_generate(app, shared);
  add_photos(app, shared);
  add_credits(app, shared);
  add_lora(app, shared);
  add_model(app, shared);
  add_recipe(app, shared);
  add_train(app, shared);
  add_migrate(app, shared);
  add_doctor(app, shared);
  add_bench(app, shared);

  add_shared_options(app, shared);
  return run_guarded(app, shared, argc, argv);
}

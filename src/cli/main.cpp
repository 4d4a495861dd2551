// SPDX-License-Identifier: Apache-2.0
// Table of contents of the command line: one line a command, in the order of --help.
#include "cli/border.h"
#include "cli/command.h"

int main(int argc, char** argv) {
  using namespace affiche::cli;
  CLI::App app("Open Graph cards with credited photographs and brand backgrounds.", "affiche");
  Shared shared;
  app.require_subcommand(1);
  app.footer(
      "Example: affiche run --drain\nExit codes: 0 done, 1 failed, 2 wrong usage or bad input "
      "file, 3 partly done, 75 try later.");

#ifdef AFFICHE_HAS_SERVE
  add_serve(app, shared);
#endif
#ifdef AFFICHE_HAS_ENQUEUE
  add_enqueue(app, shared);
#endif
#ifdef AFFICHE_HAS_RUN
  add_run(app, shared);
#endif
#ifdef AFFICHE_HAS_JOBS
  add_jobs(app, shared);
#endif
#ifdef AFFICHE_HAS_COMPOSE
  add_compose(app, shared);
#endif
#ifdef AFFICHE_HAS_GENERATE
  add_generate(app, shared);
#endif
#ifdef AFFICHE_HAS_PHOTOS
  add_photos(app, shared);
#endif
#ifdef AFFICHE_HAS_CREDITS
  add_credits(app, shared);
#endif
#ifdef AFFICHE_HAS_TRAIN
  add_train(app, shared);
#endif
#ifdef AFFICHE_HAS_MIGRATE
  add_migrate(app, shared);
#endif
#ifdef AFFICHE_HAS_DOCTOR
  add_doctor(app, shared);
#endif

  add_shared_options(app, shared);
  return run_guarded(app, shared, argc, argv);
}

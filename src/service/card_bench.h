// SPDX-License-Identifier: Apache-2.0
// Cards straight from files, without a queue: what `affiche compose` and previews use. Templates,
// brands, the model and the generated pictures stay warm between cards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cards/compose.h"
#include "service/backgrounds.h"
#include "service/card_files.h"
#include "service/config.h"
#include "service/kept_files.h"
#include "service/photo_library.h"

namespace affiche::service {

struct CardRequest {
  std::string card_template;     // name or path
  std::string brand;             // name or path; empty: the only one
  std::string variables = "{}";  // JSON object
  std::string photo;             // path; empty: none
  std::optional<Credit> credit;  // required with a photo
  // Files, or folders (ending in "/") that get TITLE-HASH.jpg; one composition is encoded for each.
  std::vector<std::string> out;
  std::string hero;  // file or folder for the text-free 1600x900 of the photo; empty: none
  std::vector<Output> outputs;  // in place of the first size: into the one folder of `out`
};

struct CardAnswer {
  std::string path;
  std::size_t bytes = 0;
  double milliseconds = 0;  // from the request to the written file
  std::vector<std::string> warnings;
};

// Not thread-safe: one for each thread.
class CardBench {
 public:
  // Opens the store for the generated pictures and the ledger. `config` must outlive it.
  explicit CardBench(const Config& config);

  // Writes every file of `request.out` and its .credits.json, and the ledger's row. The files carry
  // no date, so that the same request gives the same bytes whenever it is made. Usage without
  // `out` or with a photo without credit; Refused by the licence policy; else as cards::compose().
  std::vector<CardAnswer> make(const CardRequest& request);

 private:
  CardAnswer write(const CardFile& file, const std::filesystem::path& path,
                   const cards::CardInputs& inputs);
  cards::CardInputs inputs_for(const CardRequest& request, const cards::Template& card,
                               const cards::Brand& brand);

  const Config& config_;
  SystemClock clock_;
  store::Store store_;
  store::Artifacts artifacts_;
  PhotoLibrary library_;
  Backgrounds backgrounds_;
  std::shared_ptr<cards::PreparedParts> parts_ = std::make_shared<cards::PreparedParts>();
  KeptFiles<cards::Template> templates_;
  KeptFiles<cards::Brand> brands_;
};

}  // namespace affiche::service

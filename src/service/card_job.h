// SPDX-License-Identifier: Apache-2.0
// The typed reading of what a job row holds as JSON, and of what its stages hand on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imaging/credit.h"
#include "service/backgrounds.h"
#include "store/job.h"

namespace affiche::service {

// What a job says about its photograph.
struct PhotoRequest {
  std::string query;       // words that the places of photos.order are searched for; empty: none
  std::string id;          // SHA-256 of a picture of the library; empty: none
  std::string path;        // a file, with its credit; empty: none
  Credit credit;           // for `path`
  std::string reference;   // "PROVIDER:ID", or the URL of a provider's page; empty: none
  bool automatic = false;  // by the words of the job's variables
  std::string language;    // of query or variables, BCP 47; may be empty
  bool wanted() const {
    return automatic || !query.empty() || !id.empty() || !path.empty() || !reference.empty();
  }
};

// job.photo: null, a text (a query, a URL or PROVIDER:ID), or an object with exactly one of
// "query", "id" (of the library, or PROVIDER:ID), "url", "auto": true and "path", the last with
// "credit"; "language" beside "query" and "auto". BadInput otherwise.
PhotoRequest photo_request(const std::string& json, const std::string& what);

// job.variables: an object whose values are strings or numbers. BadInput otherwise.
std::map<std::string, std::string> job_variables(const std::string& json, const std::string& what);

// What to search for with the words of the variables: the headline (headline, title, quote or name)
// and the category (category, kicker, section or topic).
std::vector<std::string> queries_of_variables(const std::map<std::string, std::string>& variables,
                                              const std::string& language);

// The detail of the photo stage: the photograph and its credit, or why the variant without is made.
struct ChosenPhoto {
  std::string id;
  Credit credit;
};
std::string to_json(const ChosenPhoto& chosen);
std::string without_photo(const std::string& reason);
std::optional<ChosenPhoto> chosen_photo(const store::Stages& done);

// The detail of the background stage: each generated picture by its layer's source name.
using MadeByName = std::map<std::string, Backgrounds::Made>;
std::string to_json(const MadeByName& made);
MadeByName made_pictures(const store::Stages& done);

}  // namespace affiche::service

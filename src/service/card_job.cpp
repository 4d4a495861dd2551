// SPDX-License-Identifier: Apache-2.0
#include "service/card_job.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"
#include "photos/providers/providers.h"
#include "photos/queries.h"

namespace affiche::service {
namespace {

// The stages' details were written by this program; a row that was edited by hand fails its own
// job.
Json stage_detail(const store::Stages& done, const std::string& stage) {
  const auto found = done.find(stage);
  if (found == done.end()) fail(Cause::Internal, "stage \"", stage, "\": expected to be finished");
  return parse_json(found->second.detail, "detail of stage " + stage);
}

// "https://…", or "commons:File:Dune.jpg". A word with a colon is no reference unless it names a
// provider.
bool is_reference(const std::string& text) {
  if (text.find("://") != std::string::npos) return true;
  const std::span<const photos::ProviderKind> kinds = photos::provider_kinds();
  return std::any_of(kinds.begin(), kinds.end(), [&](const photos::ProviderKind& kind) {
    return text.starts_with(std::string(kind.name) + ":");
  });
}

}  // namespace

PhotoRequest photo_request(const std::string& json, const std::string& what) {
  PhotoRequest request;
  const Json value = parse_json(json.empty() ? "null" : json, what);
  if (value.is_null()) return request;
  if (value.is_string()) {
    request.query = value.get<std::string>();
    if (is_reference(request.query)) request.reference = std::exchange(request.query, "");
    return request;
  }
  if (!value.is_object()) {
    fail(Cause::BadInput, what, ": expected null, a text or an object, found ", value.type_name());
  }
  static const std::vector<std::string> kKeys = {"query",  "id",   "url",     "path",
                                                 "credit", "auto", "language"};
  for (const auto& [key, entry] : value.items()) {
    if (key == "credit" && entry.is_object()) {
      request.credit = credit_from_json(entry.dump(), what + ": credit");
    } else if (key == "auto" && entry.is_boolean()) {
      request.automatic = entry.get<bool>();
    } else if (key == "language" && entry.is_string()) {
      request.language = entry.get<std::string>();
    } else if (key == "query" && entry.is_string()) {
      request.query = entry.get<std::string>();
    } else if (key == "id" && entry.is_string()) {
      const std::string id = entry.get<std::string>();
      (id.find(':') == std::string::npos ? request.id : request.reference) = id;
    } else if (key == "url" && entry.is_string()) {
      if (!request.reference.empty()) {
        fail(Cause::BadInput, what, ": expected exactly one of query, id, url and path");
      }
      request.reference = entry.get<std::string>();
    } else if (key == "path" && entry.is_string()) {
      request.path = entry.get<std::string>();
    } else {
      fail(Cause::BadInput, what, ": unknown key or wrong type: \"", key, "\"",
           suggestion(key, kKeys));
    }
  }
  if (!request.query.empty() + !request.id.empty() + !request.path.empty() +
          !request.reference.empty() + request.automatic !=
      1) {
    fail(Cause::BadInput, what, ": expected exactly one of query, id, url, path and auto");
  }
  if (!request.path.empty()) validate(request.credit);
  return request;
}

std::map<std::string, std::string> job_variables(const std::string& json, const std::string& what) {
  const Json value = parse_json(json, what);
  if (!value.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  std::map<std::string, std::string> variables;
  for (const auto& [key, entry] : value.items()) {
    if (entry.is_string()) {
      variables[key] = entry.get<std::string>();
    } else if (entry.is_number()) {
      variables[key] = entry.dump();
    } else {
      fail(Cause::BadInput, what, ": ", key, ": expected a string or a number, found ",
           entry.type_name());
    }
  }
  return variables;
}

std::vector<std::string> queries_of_variables(const std::map<std::string, std::string>& variables,
                                              const std::string& language) {
  const auto first = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* name : names) {
      const auto found = variables.find(name);
      if (found != variables.end() && !found->second.empty()) return found->second;
    }
    return "";
  };
  return photos::queries_of(first({"headline", "title", "quote", "name"}),
                            first({"category", "kicker", "section", "topic"}), language);
}

std::string to_json(const ChosenPhoto& chosen) {
  return Json{{"photo", {{"id", chosen.id}, {"credit", Json::parse(to_json(chosen.credit))}}}}
      .dump();
}

std::string without_photo(const std::string& reason) {
  return Json{{"photo", nullptr}, {"reason", reason}}.dump();
}

std::optional<ChosenPhoto> chosen_photo(const store::Stages& done) {
  const Json photo = stage_detail(done, "photo").at("photo");
  if (photo.is_null()) return std::nullopt;
  return ChosenPhoto{photo.at("id").get<std::string>(),
                     credit_from_json(photo.at("credit").dump(), "credit of stage photo")};
}

std::string to_json(const MadeByName& made) {
  Json pictures = Json::object();
  for (const auto& [source, picture] : made) {
    pictures[source] = {{"artifact", picture.artifact},
                        {"recipe_sha256", picture.recipe_sha256},
                        {"recipe", Json::parse(picture.recipe)},
                        {"cached", picture.cached},
                        {"note", picture.note}};
  }
  return Json{{"pictures", pictures}}.dump();
}

MadeByName made_pictures(const store::Stages& done) {
  MadeByName made;
  const Json detail = stage_detail(done, "background");
  for (const auto& [source, picture] : detail.at("pictures").items()) {
    made[source] = {picture.at("artifact").get<std::string>(),
                    picture.at("recipe_sha256").get<std::string>(), picture.at("recipe").dump(),
                    picture.at("cached").get<bool>(), picture.value("note", "")};
  }
  return made;
}

}  // namespace affiche::service

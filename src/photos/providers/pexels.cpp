// SPDX-License-Identifier: Apache-2.0
// Pexels, by the operator's key. Answers are kept for a day, as its terms allow; the photographer
// and Pexels are credited with links.
#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

const char* orientation(Shape shape) {
  switch (shape) {
    case Shape::Landscape:
      return "landscape";
    case Shape::Portrait:
      return "portrait";
    case Shape::Square:
      return "square";
    case Shape::Any:
      break;
  }
  return "";
}

class Pexels final : public WebProvider {
 public:
  Pexels(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"pexels",
                     "https://api.pexels.com",
                     {{{200, std::chrono::hours(1)}, {20'000, std::chrono::hours(24 * 30)}},
                      std::chrono::milliseconds(0),
                      1},
                     {{}, std::chrono::milliseconds(100), 2},
                     {"images.pexels.com"}},
                    fetcher, settings) {
    authorization_ = settings.key;
  }

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Query query = {{"query", wanted.query},
                   {"per_page", std::to_string(std::clamp(wanted.count, 1, 80))}};
    if (wanted.shape != Shape::Any) query.emplace_back("orientation", orientation(wanted.shape));
    if (wanted.least_width > 600) query.emplace_back("size", "large");
    if (!wanted.language.empty()) query.emplace_back("locale", wanted.language);
    Answer answer;
    const Json json = ask("/v1/search", query, answer, stop);
    std::vector<Candidate> candidates;
    for (const Json& photo : member(json, "photos")) {
      if (!text_of(photo, "id").empty()) candidates.push_back(read(photo, answer));
    }
    return candidates;
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Answer answer;
    const Json json = ask_now("/v1/photos/" + net::escaped(id_of(id)), {}, answer, stop);
    if (text_of(json, "id").empty()) {
      fail(Cause::BadInput, "pexels: ", id, ": expected a record with an id, found none");
    }
    return read(json, answer);
  }

  bool knows(const std::string& url) const override {
    return url.starts_with("https://www.pexels.com/photo/") || url.starts_with(base() + "/photo/");
  }

 private:
  // "…/photo/brown-rocks-2014422/" ends in the number.
  static std::string id_of(std::string id) {
    while (id.ends_with('/')) id.pop_back();
    return id.substr(id.find_last_of("/-") == std::string::npos ? 0 : id.find_last_of("/-") + 1);
  }

  Candidate read(const Json& photo, const Answer& answer) const {
    Candidate made = record(photo, answer);
    made.source = "Pexels";
    made.source_id = text_of(photo, "id");
    made.title = text_of(photo, "alt");
    made.creator = text_of(photo, "photographer");
    made.creator_url = text_of(photo, "photographer_url");
    made.landing_url = text_of(photo, "url");
    made.license = {"pexels", "", "Pexels License", "https://www.pexels.com/license/", "", {}};
    made.width = number_of(photo, "width");
    made.height = number_of(photo, "height");
    const Json& sources = member(photo, "src");
    made.file_url = text_of(sources, "original");
    made.thumbnail_url = text_of(sources, "medium");
    return made;
  }
};

}  // namespace

std::unique_ptr<Provider> make_pexels(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Pexels>(fetcher, settings);
}

}  // namespace affiche::photos

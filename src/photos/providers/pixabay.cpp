// SPDX-License-Identifier: Apache-2.0
// Pixabay, by the operator's key. Answers are kept for a day, as its terms demand; pictures are
// downloaded, never linked to; those of a model are marked and not photographs.
#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

constexpr std::size_t kMostQuery = 100;  // characters, of the API
constexpr int kLargeSide = 1'280;        // of largeImageURL

// At most kMostQuery bytes, between words.
std::string shortened(std::string query) {
  if (query.size() <= kMostQuery) return query;
  const std::size_t space = query.rfind(' ', kMostQuery);
  query.resize(space == std::string::npos ? kMostQuery : space);
  while (!query.empty() && (static_cast<unsigned char>(query.back()) & 0x80) != 0) {
    query.pop_back();  // rather a character less than half of one
  }
  return query;
}

class Pixabay final : public WebProvider {
 public:
  Pixabay(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"pixabay",
                     "https://pixabay.com",
                     {{{100, std::chrono::seconds(60)}}, std::chrono::milliseconds(0), 1},
                     {{{60, std::chrono::seconds(60)}}, std::chrono::milliseconds(0), 2},
                     {".pixabay.com"}},
                    fetcher, settings) {
    secrets_ = {{"key", settings.key}};
  }

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Query query = {{"q", shortened(wanted.query)},
                   {"image_type", "photo"},
                   {"safesearch", "true"},
                   {"per_page", std::to_string(std::clamp(wanted.count, 3, 200))}};
    if (wanted.shape == Shape::Landscape) query.emplace_back("orientation", "horizontal");
    if (wanted.shape == Shape::Portrait) query.emplace_back("orientation", "vertical");
    if (wanted.least_width > 0) {
      query.emplace_back("min_width", std::to_string(wanted.least_width));
    }
    if (wanted.language.size() == 2) query.emplace_back("lang", wanted.language);
    Answer answer;
    return read_all(ask("/api/", query, answer, stop), answer);
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Answer answer;
    const Json json = ask_now("/api/", {{"id", id_of(id)}}, answer, stop);
    std::vector<Candidate> found = read_all(json, answer);
    if (found.empty()) fail(Cause::NotFound, "pixabay: ", id, ": there is no such picture");
    return std::move(found.front());
  }

  bool knows(const std::string& url) const override {
    return url.starts_with("https://pixabay.com/") && url.find("/api/") == std::string::npos;
  }

 private:
  // "…/photos/blossom-bloom-flower-195893/" ends in the number.
  static std::string id_of(std::string id) {
    while (id.ends_with('/')) id.pop_back();
    const std::size_t at = id.find_last_of("/-");
    return at == std::string::npos ? id : id.substr(at + 1);
  }

  std::vector<Candidate> read_all(const Json& json, const Answer& answer) const {
    std::vector<Candidate> candidates;
    for (const Json& hit : member(json, "hits")) {
      if (!text_of(hit, "id").empty()) candidates.push_back(read(hit, answer));
    }
    return candidates;
  }

  static MadeByAi made_by(const Json& hit, const std::vector<std::string>& tags) {
    const bool tagged = std::any_of(tags.begin(), tags.end(), [](const std::string& tag) {
      return tag == "ai generated" || tag == "ai" || tag == "ai art" || tag == "midjourney" ||
             tag == "ai-generated" || tag == "stable diffusion";
    });
    if (tagged || flag_of(hit, "isAiGenerated")) return MadeByAi::Yes;
    return member(hit, "isAiGenerated").is_boolean() ? MadeByAi::No : MadeByAi::Unknown;
  }

  Candidate read(const Json& hit, const Answer& answer) const {
    Candidate made = record(hit, answer);
    made.source = "Pixabay";
    made.source_id = text_of(hit, "id");
    made.keywords = split(text_of(hit, "tags"), ',');
    for (const std::string& word : made.keywords) {
      made.title += (made.title.empty() ? "" : ", ") + word;
    }
    made.creator = text_of(hit, "user");
    const std::string user = text_of(hit, "user_id");
    if (!made.creator.empty() && !user.empty()) {
      made.creator_url =
          "https://pixabay.com/users/" + net::escaped(made.creator) + "-" + user + "/";
    }
    made.landing_url = text_of(hit, "pageURL");
    made.license = {"pixabay-content",
                    "",
                    "Pixabay Content License",
                    "https://pixabay.com/service/license-summary/",
                    "",
                    {}};
    made.ai = made_by(hit, made.keywords);
    const int width = number_of(hit, "imageWidth"), height = number_of(hit, "imageHeight");
    // Full size is for keys that Pixabay approved.
    made.file_url = text_of(hit, "imageURL");
    made.width = width;
    made.height = height;
    if (made.file_url.empty() && width > 0 && height > 0) {
      made.file_url = text_of(hit, "largeImageURL");
      const double scale = std::min(1.0, double{kLargeSide} / std::max(width, height));
      made.width = static_cast<int>(width * scale);
      made.height = static_cast<int>(height * scale);
    }
    made.thumbnail_url = text_of(hit, "previewURL");
    return made;
  }
};

}  // namespace

std::unique_ptr<Provider> make_pixabay(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Pixabay>(fetcher, settings);
}

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
// Unsplash, by the operator's key. Its guidelines demand that the use of a picture is reported to
// its download_location, exactly as given, and that credits link with utm parameters.
#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

constexpr int kWidth = 2'400;  // pixels asked of the picture server

class Unsplash final : public WebProvider {
 public:
  Unsplash(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"unsplash",
                     "https://api.unsplash.com",
                     {{{50, std::chrono::hours(1)}}, std::chrono::milliseconds(0), 1},
                     {{}, std::chrono::milliseconds(0), 2},
                     {"images.unsplash.com"}},
                    fetcher, settings) {
    authorization_ = "Client-ID " + settings.key;
    headers_["Accept-Version"] = "v1";
  }

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Query query = {{"query", wanted.query},
                   {"per_page", std::to_string(std::clamp(wanted.count, 1, 30))},
                   {"content_filter", "high"}};
    if (wanted.shape == Shape::Landscape) query.emplace_back("orientation", "landscape");
    if (wanted.shape == Shape::Portrait) query.emplace_back("orientation", "portrait");
    if (wanted.shape == Shape::Square) query.emplace_back("orientation", "squarish");
    Answer answer;
    const Json json = ask("/search/photos", query, answer, stop);
    std::vector<Candidate> candidates;
    for (const Json& photo : member(json, "results")) {
      if (!text_of(photo, "id").empty()) candidates.push_back(read(photo, answer));
    }
    return candidates;
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Answer answer;
    const Json json = ask_now("/photos/" + net::escaped(id_of(id)), {}, answer, stop);
    if (text_of(json, "id").empty()) {
      fail(Cause::BadInput, "unsplash: ", id, ": expected a record with an id, found none");
    }
    return read(json, answer);
  }

  bool knows(const std::string& url) const override {
    return url.starts_with("https://unsplash.com/photos/") || url.starts_with(base() + "/photos/");
  }

  void used(const Candidate& candidate, std::stop_token stop) override {
    std::string url = candidate.use_url;
    if (url.empty()) {
      const Json record = parse_json(candidate.raw, "unsplash " + candidate.source_id);
      url = text_of(member(record, "links"), "download_location");
    }
    if (url.empty()) {
      fail(Cause::BadInput, "unsplash ", candidate.source_id,
           ": expected a download_location to report the use to, found none");
    }
    touch(url, stop);
  }

 private:
  // "…/photos/a-man-in-a-red-jacket-Dwu85P9SOIk": ids have 11 characters, hyphens among them.
  static std::string id_of(std::string id) {
    constexpr std::size_t kLength = 11;
    if (id.find("://") == std::string::npos) return id;
    id = net::parse_url(id, "unsplash").path;
    while (id.ends_with('/')) id.pop_back();
    id = id.substr(id.rfind('/') + 1);
    return id.size() > kLength ? id.substr(id.size() - kLength) : id;
  }

  std::string referred(const std::string& url) const {
    if (url.empty()) return url;
    return with_query(url, {{"utm_source", settings().app}, {"utm_medium", "referral"}});
  }

  Candidate read(const Json& photo, const Answer& answer) const {
    Candidate made = record(photo, answer);
    made.source = "Unsplash";
    made.source_id = text_of(photo, "id");
    made.title = text_of(photo, "alt_description");
    made.description = text_of(photo, "description");
    const Json& user = member(photo, "user");
    made.creator = text_of(user, "name");
    if (made.creator.empty()) made.creator = text_of(user, "username");
    made.creator_url = referred(text_of(member(user, "links"), "html"));
    const Json& links = member(photo, "links");
    made.landing_url = referred(text_of(links, "html"));
    made.use_url = text_of(links, "download_location");
    made.license = {"unsplash", "", "Unsplash License", "https://unsplash.com/license", "", {}};
    for (const Json& topic : member(photo, "tags")) {
      const std::string word = text_of(topic, "title");
      if (!word.empty() && made.keywords.size() < 100) made.keywords.push_back(word);
    }
    const Json& urls = member(photo, "urls");
    const int width = number_of(photo, "width"), height = number_of(photo, "height");
    if (const std::string raw = text_of(urls, "raw"); !raw.empty() && width > 0) {
      made.file_url = with_query(
          raw, {{"fm", "jpg"}, {"q", "85"}, {"w", std::to_string(kWidth)}, {"fit", "max"}});
      made.width = std::min(width, kWidth);
      made.height = static_cast<int>(std::int64_t{height} * made.width / width);
    }
    made.media_type = "image/jpeg";
    made.uploaded_at = instant_of(photo, "created_at");
    made.thumbnail_url = text_of(urls, "thumb");
    return made;
  }
};

}  // namespace

std::unique_ptr<Provider> make_unsplash(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Unsplash>(fetcher, settings);
}

}  // namespace affiche::photos

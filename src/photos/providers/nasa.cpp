// SPDX-License-Identifier: Apache-2.0
// NASA's image library. It tells no licence: what NASA made is in the public domain of the US, what
// others made is named so in a field or in the description, and is objected to.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

// Best first: the original may be a TIFF of 100 MB.
constexpr std::array<const char*, 5> kSizes = {"~large.jpg", "~orig.jpg", "~orig.png",
                                               "~medium.jpg", "~large.png"};

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// Words by which a description names the rights of others.
void object_to(LicenseClaim& claim, const Json& data) {
  const std::string second = text_of(data, "secondary_creator");
  if (!second.empty() && lower(second).find("nasa") == std::string::npos) {
    claim.objections.push_back("third-party credit: " + second);
  }
  const std::string text = lower(text_of(data, "description") + " " + text_of(data, "title"));
  for (const char* sign : {"©", "(c) ", "copyright", "all rights reserved", "courtesy of"}) {
    if (text.find(sign) != std::string::npos) {
      claim.objections.push_back(std::string("the description says \"") + sign + "\"");
      return;
    }
  }
}

class Nasa final : public WebProvider {
 public:
  Nasa(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"nasa",
                     "https://images-api.nasa.gov",
                     {{{60, std::chrono::seconds(60)}}, std::chrono::milliseconds(200), 1},
                     {{}, std::chrono::milliseconds(200), 2},
                     {"images-assets.nasa.gov"}},
                    fetcher, settings) {}

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    return find({{"q", wanted.query},
                 {"media_type", "image"},
                 {"page_size", std::to_string(std::clamp(wanted.count, 1, 100))}},
                stop, false);
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    std::vector<Candidate> found =
        find({{"nasa_id", id_of(id)}, {"media_type", "image"}}, stop, true);
    if (found.empty()) fail(Cause::NotFound, "nasa: ", id, ": there is no such picture");
    return std::move(found.front());
  }

  bool knows(const std::string& url) const override {
    return url.starts_with("https://images.nasa.gov/details/") ||
           url.starts_with(base() + "/details/");
  }

  // Which files there are is asked for the chosen picture only.
  Fetched fetch(const Candidate& candidate, std::stop_token stop) override {
    Answer answer;
    const Json json = ask("/asset/" + net::escaped(candidate.source_id), {}, answer, stop);
    Candidate with_file = candidate;
    with_file.file_url.clear();
    for (const char* ending : kSizes) {
      for (const Json& item : member(member(json, "collection"), "items")) {
        const std::string url = text_of(item, "href");
        if (with_file.file_url.empty() && url.ends_with(ending)) with_file.file_url = url;
      }
    }
    return WebProvider::fetch(with_file, stop);
  }

 private:
  static std::string id_of(const std::string& id) {
    if (id.find("://") == std::string::npos) return id;
    const std::string path = net::parse_url(id, "nasa").path;
    return net::unescaped(path.substr(path.rfind('/') + 1));
  }

  std::vector<Candidate> find(const Query& query, std::stop_token stop, bool now) {
    Answer answer;
    const Json json =
        now ? ask_now("/search", query, answer, stop) : ask("/search", query, answer, stop);
    std::vector<Candidate> candidates;
    for (const Json& item : member(member(json, "collection"), "items")) {
      const Json& data = member(item, "data");
      if (!data.is_array() || data.empty()) continue;
      if (text_of(data.front(), "nasa_id").empty()) continue;
      candidates.push_back(read(item, data.front(), answer));
    }
    return candidates;
  }

  Candidate read(const Json& item, const Json& data, const Answer& answer) const {
    Candidate made = record(item, answer);
    made.source_id = text_of(data, "nasa_id");
    made.source = "NASA";
    made.title = text_of(data, "title");
    made.creator = text_of(data, "photographer");
    if (made.creator.empty()) {
      const std::string center = text_of(data, "center");
      made.creator = center.empty() ? "NASA" : "NASA/" + center;
    }
    made.description = text_of(data, "description");
    made.keywords = texts_of(data, "keywords");
    made.landing_url = "https://images.nasa.gov/details/" + net::escaped(made.source_id);
    made.license.statement = text_of(data, "rights");
    object_to(made.license, data);
    for (const Json& link : member(item, "links")) {
      const std::string url = text_of(link, "href");
      if (text_of(link, "render") == "image" && made.thumbnail_url.empty()) {
        made.thumbnail_url = url;
        made.file_url = url;  // fetch() finds the larger ones
      }
    }
    return made;
  }
};

}  // namespace

std::unique_ptr<Provider> make_nasa(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Nasa>(fetcher, settings);
}

}  // namespace affiche::photos

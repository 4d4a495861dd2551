// SPDX-License-Identifier: Apache-2.0
// Openverse: an index of pictures under Creative Commons. Its word on a licence is second-hand, so
// each record names the provider whose word counts, where there is one. Its pictures lie on any
// public host.
#include <algorithm>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

constexpr int kMostAtOnce = 20;  // of an anonymous client
constexpr int kMostAtOnceWithKey = 50;
constexpr Millis kRenewEarly = 60'000;  // before a token ends

// Requests a minute and a day: of anybody, and of a registered client.
Manners manners(bool registered) {
  return {{{registered ? 100 : 20, std::chrono::seconds(60)},
           {registered ? 10'000 : 200, std::chrono::hours(24)}},
          std::chrono::milliseconds(0),
          1};
}

// What the credit calls them, and by which provider's record they are checked.
struct Origin {
  const char* source;
  const char* name;
  const char* provider;
};
constexpr Origin kOrigins[] = {{"wikimedia", "Wikimedia Commons", "commons"},
                               {"flickr", "Flickr", "flickr"},
                               {"nasa", "NASA", "nasa"},
                               {"rawpixel", "rawpixel", ""},
                               {"stocksnap", "StockSnap", ""},
                               {"met", "The Metropolitan Museum of Art", ""},
                               {"rijksmuseum", "Rijksmuseum", ""},
                               {"europeana", "Europeana", ""},
                               {"smithsonian_institution", "Smithsonian Institution", ""}};

const char* aspect(Shape shape) {
  switch (shape) {
    case Shape::Landscape:
      return "wide";
    case Shape::Portrait:
      return "tall";
    case Shape::Square:
      return "square";
    case Shape::Any:
      break;
  }
  return "";
}

class Openverse final : public WebProvider {
 public:
  Openverse(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"openverse",
                     "https://api.openverse.org",
                     manners(!settings.key.empty()),
                     {{{60, std::chrono::seconds(60)}}, std::chrono::milliseconds(200), 1},
                     {}},
                    fetcher, settings) {
    if (settings.key.empty()) return;
    const std::size_t colon = settings.key.find(':');
    if (colon == 0 || colon == std::string::npos || colon + 1 == settings.key.size()) {
      fail(Cause::Usage,
           "AFFICHE_OPENVERSE_KEY: expected CLIENT_ID:CLIENT_SECRET as Openverse gave them, found "
           "something else");
    }
    client_id_ = settings.key.substr(0, colon);
    client_secret_ = settings.key.substr(colon + 1);
  }

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Query query = {{"q", wanted.query},
                   {"license_type", "commercial,modification"},
                   {"category", "photograph"},
                   {"mature", "false"},
                   {"page_size",
                    std::to_string(std::clamp(
                        wanted.count, 1, client_id_.empty() ? kMostAtOnce : kMostAtOnceWithKey))}};
    if (wanted.least_width > 600) query.emplace_back("size", "large");
    if (wanted.shape != Shape::Any) query.emplace_back("aspect_ratio", aspect(wanted.shape));
    Answer answer;
    const Json json = ask("/v1/images/", query, answer, stop);
    std::vector<Candidate> candidates;
    for (const Json& result : member(json, "results")) {
      if (!text_of(result, "id").empty()) candidates.push_back(read(result, answer));
    }
    return candidates;
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Answer answer;
    const Json json = ask_now("/v1/images/" + net::escaped(id_of(id)) + "/", {}, answer, stop);
    if (text_of(json, "id").empty()) {
      fail(Cause::BadInput, "openverse: ", id, ": expected a record with an id, found none");
    }
    return read(json, answer);
  }

  bool knows(const std::string& url) const override {
    return url.starts_with("https://openverse.org/image/") || url.starts_with(base() + "/v1/");
  }

 protected:
  // OAuth 2.0 client credentials (RFC 6749, 4.4). The token lives in memory only.
  std::string authorization(std::stop_token stop) override {
    if (client_id_.empty()) return "";
    const std::lock_guard guard(mutex_);
    if (token_.empty() || clock().now() >= token_ends_) {
      const Json answer = ask_secret("/v1/auth_tokens/token/",
                                     {{"grant_type", "client_credentials"},
                                      {"client_id", client_id_},
                                      {"client_secret", client_secret_}},
                                     stop);
      token_ = text_of(answer, "access_token");
      const int seconds = number_of(answer, "expires_in");
      if (token_.empty() || seconds == 0) {
        fail(Cause::BadInput,
             "openverse: expected a token with access_token and expires_in, "
             "found none");
      }
      token_ends_ = clock().now() + Millis{1'000} * seconds - kRenewEarly;
    }
    return "Bearer " + token_;
  }
  bool drop_authorization() override {
    const std::lock_guard guard(mutex_);
    return !std::exchange(token_, "").empty();
  }

 private:
  // The last part of the path, where it is a URL.
  static std::string id_of(const std::string& id) {
    if (id.find("://") == std::string::npos) return id;
    std::string path = net::parse_url(id, "openverse").path;
    while (path.ends_with('/')) path.pop_back();
    return path.substr(path.rfind('/') + 1);
  }

  Candidate read(const Json& result, const Answer& answer) const {
    Candidate made = record(result, answer);
    made.source_id = text_of(result, "id");
    made.source = text_of(result, "source");
    for (const Origin& origin : kOrigins) {
      if (made.source != origin.source) continue;
      made.source = origin.name;
      made.origin_check = origin.provider;
      break;
    }
    made.indexed = true;
    made.title = text_of(result, "title");
    made.creator = text_of(result, "creator");
    made.creator_url = text_of(result, "creator_url");
    made.landing_url = text_of(result, "foreign_landing_url");
    for (const Json& tag : member(result, "tags")) {
      const std::string word = text_of(tag, "name");
      if (!word.empty() && made.keywords.size() < 100) made.keywords.push_back(word);
    }
    made.license.code = text_of(result, "license");
    made.license.version = text_of(result, "license_version");
    made.license.url = text_of(result, "license_url");
    made.license.statement = text_of(result, "attribution");
    made.mature = flag_of(result, "mature") || !texts_of(result, "unstable__sensitivity").empty();
    made.file_url = text_of(result, "url");
    made.media_type = text_of(result, "filetype");
    made.width = number_of(result, "width");
    made.height = number_of(result, "height");
    made.bytes = static_cast<std::uint64_t>(number_of(result, "filesize"));
    made.thumbnail_url = text_of(result, "thumbnail");
    return made;
  }

  std::string client_id_, client_secret_;
  std::mutex mutex_;  // guards the token
  std::string token_;
  Millis token_ends_ = 0;
};

}  // namespace

std::unique_ptr<Provider> make_openverse(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Openverse>(fetcher, settings);
}

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
// Wikimedia Commons, by MediaWiki's API (action=query, prop=imageinfo with extmetadata). One
// request at a time, as its etiquette asks; pictures over at most two connections and 25 Mbit/s.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "net/http.h"
#include "net/url.h"
#include "photos/plain_text.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

// The widths that thumbnails are served in; any other is answered with 400.
constexpr std::array<int, 4> kWidths = {960, 1280, 1920, 3840};
constexpr int kUsualWidth = 1920;
constexpr long kFileSpeed = 25'000'000 / 8 / 2;
constexpr const char* kFields =
    "ObjectName|Artist|Credit|Attribution|AttributionRequired|License|LicenseShortName|LicenseUrl|"
    "UsageTerms|Copyrighted|NonFree|Restrictions|DeletionReason|ImageDescription";

int served_width(int least) {
  const int wanted = std::max(least, kUsualWidth);
  const auto found = std::lower_bound(kWidths.begin(), kWidths.end(), wanted);
  return found == kWidths.end() ? kWidths.back() : *found;
}

// Values of extmetadata are HTML; some are numbers or booleans.
std::string html_value(const Json& metadata, const char* key) {
  const Json& value = member(member(metadata, key), "value");
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() || value.is_structured() ? "" : value.dump();
}

HtmlText read_value(const Json& metadata, const char* key) {
  return read_html(html_value(metadata, key), std::string("commons: ") + key);
}

std::string file_title(const std::string& page) {
  std::string title = page.starts_with("File:") ? page.substr(5) : page;
  const std::size_t dot = title.rfind('.');
  if (dot != std::string::npos && title.size() - dot <= 5) title.resize(dot);
  return title;
}

// With status 200: {"error": {"code": "maxlag", …}}.
void check_answer(const Json& json) {
  const Json& error = member(json, "error");
  if (error.is_null()) return;
  const std::string text =
      "commons: answered " + text_of(error, "code") + ": " + text_of(error, "info");
  const std::string code = text_of(error, "code");
  if (code == "maxlag" || code == "ratelimited" || code == "readonly") {
    throw net::Transient(text, std::chrono::seconds(5));
  }
  fail(Cause::BadInput, text);
}

class Commons final : public WebProvider {
 public:
  Commons(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"commons",
                     "https://commons.wikimedia.org",
                     {{{100, std::chrono::seconds(60)}}, std::chrono::milliseconds(100), 1},
                     {{}, std::chrono::milliseconds(100), 2},
                     {"upload.wikimedia.org", "thumb.wikimedia.org"},
                     kFileSpeed},
                    fetcher, settings) {}

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Query query = usual(wanted.least_width);
    query.insert(query.end(), {{"generator", "search"},
                               {"gsrnamespace", "6"},
                               {"gsrlimit", std::to_string(std::clamp(wanted.count, 1, 50))},
                               {"gsrsearch", wanted.query + " filetype:bitmap"}});
    if (!wanted.language.empty()) query.emplace_back("uselang", wanted.language);
    Answer answer;
    const Json json = ask("/w/api.php", query, answer, stop, &check_answer);
    std::vector<std::pair<int, Candidate>> found;  // pages come unordered, with their rank
    for (const Json& page : member(member(json, "query"), "pages")) {
      if (auto made = read(page, answer)) {
        found.emplace_back(number_of(page, "index"), std::move(*made));
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Candidate> candidates;
    for (auto& [rank, made] : found) candidates.push_back(std::move(made));
    return candidates;
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Query query = usual(0);
    query.emplace_back("titles", title_of(id));
    Answer answer;
    const Json json = ask_now("/w/api.php", query, answer, stop, &check_answer);
    for (const Json& page : member(member(json, "query"), "pages")) {
      if (auto made = read(page, answer)) return std::move(*made);
    }
    fail(Cause::NotFound, "commons: ", id, ": there is no such picture; was it deleted?");
  }

  bool knows(const std::string& url) const override {
    try {
      const net::Url parsed = net::parse_url(url, "URL");
      return (parsed.host == "commons.wikimedia.org" || is_base_host(parsed.host)) &&
             parsed.path.starts_with("/wiki/File:");
    } catch (const Error&) {
      return false;
    }
  }

 private:
  static Query usual(int least_width) {
    return {{"action", "query"},
            {"format", "json"},
            {"formatversion", "2"},
            {"maxlag", "5"},
            {"prop", "imageinfo"},
            {"iiprop", "url|size|mime|sha1|user|timestamp|extmetadata"},
            {"iiurlwidth", std::to_string(served_width(least_width))},
            {"iiextmetadatafilter", kFields}};
  }

  static std::string title_of(const std::string& id) {
    if (id.find("://") == std::string::npos) return id.starts_with("File:") ? id : "File:" + id;
    return net::unescaped(net::parse_url(id, "commons").path.substr(6));  // behind "/wiki/"
  }

  std::optional<Candidate> read(const Json& page, const Answer& answer) const {
    const Json& infos = member(page, "imageinfo");
    if (!infos.is_array() || infos.empty() || text_of(page, "title").empty()) return {};
    const Json& info = infos.front();
    const Json& data = member(info, "extmetadata");
    Candidate made = record(page, answer);
    try {
      read_people(made, data);
    } catch (const Error&) {
      return {};  // markup beyond all bounds
    }
    made.source = "Wikimedia Commons";
    made.source_id = text_of(page, "title");
    if (made.title.empty()) made.title = file_title(made.source_id);
    made.landing_url = secure(text_of(info, "descriptionurl"));
    read_license(made.license, data);
    made.restrictions = split(html_value(data, "Restrictions"), '|');
    read_file(made, info);
    return made;
  }

  static void read_people(Candidate& made, const Json& data) {
    made.title = read_value(data, "ObjectName").text;
    const HtmlText artist = read_value(data, "Artist");
    made.creator = artist.text;
    made.creator_url = artist.link;
    made.attribution = read_value(data, "Attribution").text;
    made.description = read_value(data, "ImageDescription").text;
  }

  static void read_license(LicenseClaim& claim, const Json& data) {
    claim.code = html_value(data, "License");
    claim.name = html_value(data, "LicenseShortName");
    claim.url = secure(html_value(data, "LicenseUrl"));
    claim.statement = read_value(data, "UsageTerms").text;
    if (html_value(data, "NonFree") == "true") claim.objections.emplace_back("NonFree");
    const std::string deletion = read_value(data, "DeletionReason").text;
    if (!deletion.empty()) claim.objections.push_back("DeletionReason: " + deletion);
  }

  static void read_file(Candidate& made, const Json& info) {
    made.media_type = text_of(info, "mime");
    made.uploaded_at = instant_of(info, "timestamp");
    made.thumbnail_url = text_of(info, "thumburl");
    const int width = number_of(info, "width"), thumb_width = number_of(info, "thumbwidth");
    const bool scaled = thumb_width > 0 && thumb_width < width && !made.thumbnail_url.empty();
    made.file_url = scaled ? made.thumbnail_url : text_of(info, "url");
    made.width = scaled ? thumb_width : width;
    made.height = number_of(info, scaled ? "thumbheight" : "height");
    if (!scaled) made.sha1 = text_of(info, "sha1");
    if (!scaled) made.bytes = static_cast<std::uint64_t>(number_of(info, "size"));
  }
};

}  // namespace

std::unique_ptr<Provider> make_commons(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Commons>(fetcher, settings);
}

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
// Flickr, by its REST API and the operator's key. Licences are numbers; what is wrong is answered
// with status 200 and {"stat": "fail"}.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "net/http.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

// BY and BY-SA of both versions, no known restrictions, US government, CC0, PDM.
constexpr const char* kLicenses = "4,5,7,8,9,10,11,12";
constexpr int kEnough = 2'048;  // of the sizes that are as wide, the smallest is fetched

void check_answer(const Json& json) {
  if (text_of(json, "stat") == "ok") return;
  const std::string code = text_of(json, "code");
  const std::string text = "flickr: answered " + code + ": " + text_of(json, "message");
  if (code == "105" || code == "106" || code == "201") throw net::Transient(text);
  if (code == "1") fail(Cause::NotFound, text);
  if (code == "100") fail(Cause::Refused, text, "; check AFFICHE_FLICKR_KEY");
  fail(Cause::BadInput, text);
}

// Texts are plain in a search and objects in a record of one picture.
std::string content_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_object() ? text_of(value, "_content") : text_of(object, key);
}

struct Size {
  std::string url;
  int width = 0, height = 0;
};

// The smallest that is wide enough, else the largest.
Size choose(const std::vector<Size>& sizes) {
  Size best;
  for (const Size& size : sizes) {
    if (size.url.empty()) continue;
    const bool better = best.width < kEnough ? size.width > best.width
                                             : size.width >= kEnough && size.width < best.width;
    if (better) best = size;
  }
  return best;
}

class Flickr final : public WebProvider {
 public:
  Flickr(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"flickr",
                     "https://api.flickr.com",
                     {{{3'000, std::chrono::hours(1)}}, std::chrono::milliseconds(200), 2},
                     {{}, std::chrono::milliseconds(100), 2},
                     {".staticflickr.com"}},
                    fetcher, settings) {
    secrets_ = {{"api_key", settings.key}};
  }

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Answer answer;
    const Json json = ask(
        "/services/rest/",
        {{"method", "flickr.photos.search"},
         {"text", wanted.query},
         {"license", kLicenses},
         {"content_types", "0"},
         {"safe_search", "1"},
         {"sort", "relevance"},
         {"extras",
          "license,owner_name,path_alias,description,date_upload,date_taken,tags,url_n,url_o,url_l,"
          "url_k,original_format"},
         {"per_page", std::to_string(std::clamp(wanted.count, 1, 100))},
         {"format", "json"},
         {"nojsoncallback", "1"}},
        answer, stop, &check_answer);
    std::vector<Candidate> candidates;
    for (const Json& photo : member(member(json, "photos"), "photo")) {
      if (text_of(photo, "id").empty()) continue;
      Candidate made = read(photo, answer);
      made.creator = text_of(photo, "ownername");
      set_pages(made, text_of(photo, "owner"), text_of(photo, "pathalias"));
      made.keywords = split(text_of(photo, "tags"), ' ');
      made.thumbnail_url = text_of(photo, "url_n");
      made.uploaded_at = instant_of(photo, "dateupload");
      set_file(made, choose({size(photo, "l"), size(photo, "k"), size(photo, "o")}));
      candidates.push_back(std::move(made));
    }
    return candidates;
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Answer answer;
    const Json json = ask_method("flickr.photos.getInfo", id_of(id), answer, stop);
    const Json& photo = member(json, "photo");
    if (text_of(photo, "id").empty()) {
      fail(Cause::BadInput, "flickr: ", id, ": expected a record with a photo, found none");
    }
    Candidate made = read(photo, answer);
    made.uploaded_at = instant_of(photo, "dateuploaded");
    const Json& owner = member(photo, "owner");
    made.creator = text_of(owner, "realname");
    if (made.creator.empty()) made.creator = text_of(owner, "username");
    set_pages(made, text_of(owner, "nsid"), text_of(owner, "path_alias"));
    Answer sizes_answer;
    const Json sizes = ask_method("flickr.photos.getSizes", made.source_id, sizes_answer, stop);
    std::vector<Size> found;
    for (const Json& each : member(member(sizes, "sizes"), "size")) {
      if (text_of(each, "media") != "photo") continue;
      found.push_back(
          {text_of(each, "source"), number_of(each, "width"), number_of(each, "height")});
    }
    set_file(made, choose(found));
    return made;
  }

  bool knows(const std::string& url) const override {
    return url.starts_with("https://www.flickr.com/photos/") ||
           url.starts_with("https://flickr.com/photos/") || url.starts_with(base() + "/photos/");
  }

 private:
  Json ask_method(const char* method, const std::string& id, Answer& answer, std::stop_token stop) {
    return ask_now(
        "/services/rest/",
        {{"method", method}, {"photo_id", id}, {"format", "json"}, {"nojsoncallback", "1"}}, answer,
        stop, &check_answer);
  }

  // ".../photos/OWNER/ID/"
  static std::string id_of(const std::string& id) {
    if (id.find("://") == std::string::npos) return id;
    const std::vector<std::string> parts = split(net::parse_url(id, "flickr").path, '/');
    return parts.size() >= 3 ? parts[2] : "";
  }

  static Size size(const Json& photo, const std::string& letter) {
    return {text_of(photo, ("url_" + letter).c_str()),
            number_of(photo, ("width_" + letter).c_str()),
            number_of(photo, ("height_" + letter).c_str())};
  }

  static void set_file(Candidate& made, const Size& size) {
    made.file_url = size.url;
    made.width = size.width;
    made.height = size.height;
  }

  static void set_pages(Candidate& made, const std::string& owner, const std::string& alias) {
    const std::string who = net::escaped(alias.empty() ? owner : alias);
    made.creator_url = "https://www.flickr.com/people/" + who + "/";
    made.landing_url = "https://www.flickr.com/photos/" + who + "/" + made.source_id;
  }

  Candidate read(const Json& photo, const Answer& answer) const {
    Candidate made = record(photo, answer);
    made.source = "Flickr";
    made.source_id = text_of(photo, "id");
    made.title = content_of(photo, "title");
    made.description = content_of(photo, "description");
    made.license.code = text_of(photo, "license");
    made.media_type = "image/jpeg";
    return made;
  }
};

}  // namespace

std::unique_ptr<Provider> make_flickr(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Flickr>(fetcher, settings);
}

}  // namespace affiche::photos

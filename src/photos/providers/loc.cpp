// SPDX-License-Identifier: Apache-2.0
// The Library of Congress, by its JSON pages (fo=json). Rights are sentences, in any of three
// fields; the sizes of a picture stand in the fragments of its URLs.
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

struct Size {
  std::string url;
  int width = 0, height = 0;
};

int after(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + "=");
  int value = 0;
  if (at == std::string::npos) return 0;
  std::from_chars(text.data() + at + name.size() + 1, text.data() + text.size(), value);
  return std::clamp(value, 0, 1'000'000);
}

// "https://tile.loc.gov/….jpg#h=465&w=640"
Size size_of(std::string url) {
  if (url.starts_with("//")) url = "https:" + url;
  const std::size_t hash = std::min(url.find('#'), url.size());
  const std::string fragment = url.substr(hash);
  return {url.substr(0, hash), after(fragment, "w"), after(fragment, "h")};
}

class LibraryOfCongress final : public WebProvider {
 public:
  LibraryOfCongress(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"loc",
                     "https://www.loc.gov",
                     // Of its two limits (search and items) the lower one each.
                     {{{10, std::chrono::seconds(10)}, {80, std::chrono::seconds(60)}},
                      std::chrono::milliseconds(0),
                      1},
                     {{{60, std::chrono::seconds(60)}}, std::chrono::milliseconds(0), 2},
                     {".loc.gov"}},
                    fetcher, settings) {}

  std::vector<Candidate> search(const Wanted& wanted, std::stop_token stop) override {
    Answer answer;
    const Json json = ask("/photos/",
                          {{"q", wanted.query},
                           {"fo", "json"},
                           {"c", std::to_string(std::clamp(wanted.count, 1, 100))},
                           {"sp", "1"}},
                          answer, stop);
    std::vector<Candidate> candidates;
    for (const Json& result : member(json, "results")) {
      if (!text_of(result, "id").empty()) candidates.push_back(read(result, answer));
    }
    return candidates;
  }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    Answer answer;
    const Json json =
        ask_now("/item/" + net::escaped(number(id)) + "/", {{"fo", "json"}}, answer, stop);
    const Json& item = member(json, "item");
    if (text_of(item, "id").empty()) {
      fail(Cause::BadInput, "loc: ", id, ": expected a record with an item, found none");
    }
    Candidate made = read(item, answer);
    if (made.file_url.empty()) read_sizes(made, texts_of(json, "image_url"));
    return made;
  }

  bool knows(const std::string& url) const override {
    return secure(url).starts_with("https://www.loc.gov/item/") ||
           url.starts_with(base() + "/item/");
  }

 private:
  // "2002699540" of "http://www.loc.gov/item/2002699540/".
  static std::string number(std::string id) {
    while (id.ends_with('/')) id.pop_back();
    return id.substr(id.rfind('/') + 1);
  }

  static void read_sizes(Candidate& made, const std::vector<std::string>& urls) {
    Size best;
    for (const std::string& url : urls) {
      const Size size = size_of(url);
      const bool picture = size.url.ends_with(".jpg") || size.url.ends_with(".png");
      if (picture && (best.url.empty() || size.width > best.width)) best = size;
      if (made.thumbnail_url.empty()) made.thumbnail_url = size.url;
    }
    made.file_url = best.url;
    made.width = best.width;
    made.height = best.height;
  }

  Candidate read(const Json& result, const Answer& answer) const {
    Candidate made = record(result, answer);
    made.source_id = number(text_of(result, "id"));
    made.source = "Library of Congress, Prints & Photographs Division";
    const std::vector<std::string> negative = texts_of(result, "reproduction_number");
    if (!negative.empty()) made.source += ", " + negative.front();
    made.title = text_of(result, "title");
    for (const char* field : {"creator", "contributor", "contributor_names"}) {
      const std::vector<std::string> people = texts_of(result, field);
      if (made.creator.empty() && !people.empty()) made.creator = people.front();
    }
    made.landing_url = secure(text_of(result, "url"));
    if (made.landing_url.empty()) made.landing_url = secure(text_of(result, "id"));
    made.keywords = texts_of(result, "subject");
    const std::vector<std::string> words = texts_of(result, "description");
    if (!words.empty()) made.description = words.front();
    for (const char* field : {"rights", "rights_advisory", "rights_information"}) {
      for (const std::string& sentence : texts_of(result, field)) {
        made.license.statement += (made.license.statement.empty() ? "" : " | ") + sentence;
      }
    }
    if (flag_of(result, "access_restricted")) {
      made.license.objections.emplace_back("access_restricted");
    }
    read_sizes(made, texts_of(result, "image_url"));
    return made;
  }
};

}  // namespace

std::unique_ptr<Provider> make_loc(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<LibraryOfCongress>(fetcher, settings);
}

}  // namespace affiche::photos

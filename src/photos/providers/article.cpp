// SPDX-License-Identifier: Apache-2.0
// The article's own picture: what a page names as its og:image. A picture on a page says nothing of
// its rights, so this works only for pages of sites whose rights the operator declared in
// config.toml, and the declaration, with the page's answer, is the evidence.
#include <libxml/HTMLparser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "net/url.h"
#include "photos/licenses.h"
#include "photos/plain_text.h"
#include "photos/providers/providers.h"

namespace affiche::photos {
namespace {

constexpr int kMostElements = 20'000;

struct Page {
  std::string image, title, description, author;
  int width = 0, height = 0;
};

std::string attribute(xmlNodePtr node, const char* name) {
  const std::unique_ptr<xmlChar, decltype(xmlFree)> value(
      xmlGetProp(node, reinterpret_cast<const xmlChar*>(name)), xmlFree);
  return value ? plain_line(reinterpret_cast<const char*>(value.get())) : "";
}

void take(Page& page, xmlNodePtr meta) {
  std::string name = attribute(meta, "property");
  if (name.empty()) name = attribute(meta, "name");
  const std::string content = attribute(meta, "content");
  const auto first = [&](std::string& value) {
    if (value.empty()) value = content;
  };
  if (name == "og:image:secure_url") page.image = content;
  if (name == "og:image" || name == "og:image:url") first(page.image);
  if (name == "og:title") first(page.title);
  if (name == "og:image:alt") first(page.description);
  if (name == "author" || name == "article:author") first(page.author);
  const Json number = content;
  if (name == "og:image:width") page.width = number_of(Json{{"n", number}}, "n");
  if (name == "og:image:height") page.height = number_of(Json{{"n", number}}, "n");
}

// In the order of the document, without recursion: its depth is the author's.
Page read_page(std::span<const std::uint8_t> html, const std::string& what) {
  const int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                      HTML_PARSE_NONET | HTML_PARSE_COMPACT;
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      htmlReadMemory(reinterpret_cast<const char*>(html.data()), static_cast<int>(html.size()),
                     nullptr, nullptr, options),
      &xmlFreeDoc);
  Page page;
  xmlNodePtr node = document ? xmlDocGetRootElement(document.get()) : nullptr;
  if (node == nullptr) fail(Cause::BadInput, what, ": expected an HTML page, found none");
  for (int count = 0; node != nullptr && count < kMostElements; ++count) {
    const bool element = node->type == XML_ELEMENT_NODE && node->name != nullptr;
    if (element && xmlStrcasecmp(node->name, reinterpret_cast<const xmlChar*>("meta")) == 0) {
      take(page, node);
    }
    if (node->type == XML_ELEMENT_NODE && node->children != nullptr) {
      node = node->children;
      continue;
    }
    while (node != nullptr && node->next == nullptr) node = node->parent;
    if (node != nullptr) node = node->next;
  }
  return page;
}

bool is_picture(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  std::string ending = dot == std::string::npos ? "" : path.substr(dot);
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png" || ending == ".webp";
}

class Article final : public WebProvider {
 public:
  Article(Fetcher& fetcher, const ProviderSettings& settings)
      : WebProvider({"article",
                     "https://article.invalid",  // each site is its own
                     {{{30, std::chrono::seconds(60)}}, std::chrono::milliseconds(0), 1},
                     {{{60, std::chrono::seconds(60)}}, std::chrono::milliseconds(0), 2},
                     {}},
                    fetcher, settings),
        fetcher_(fetcher) {
    if (settings.sites.empty() || settings.license.empty() || settings.author.empty()) {
      fail(Cause::Usage,
           "photos.providers.article: expected sites, license and author, which declare the rights "
           "of the pictures on these sites; set them or take \"article\" out of photos.order");
    }
  }

  // Nothing to search in.
  std::vector<Candidate> search(const Wanted&, std::stop_token) override { return {}; }

  Candidate lookup(const std::string& id, std::stop_token stop) override {
    const net::Url url = net::parse_url(id, "article");
    if (!knows(id)) {
      fail(Cause::Refused, "article: ", net::shown(id),
           ": expected a page of photos.providers.article.sites, whose rights are declared, found ",
           url.host);
    }
    // A feed's enclosure is the picture itself.
    if (!is_picture(url.path)) return from_page(url, stop);
    Page enclosure;
    enclosure.image = url.text;
    return declared(enclosure, url, 0);
  }

  bool knows(const std::string& url) const override {
    try {
      const std::string host = net::parse_url(url, "URL").host;
      const std::vector<std::string>& sites = settings().sites;
      return std::find(sites.begin(), sites.end(), host) != sites.end();
    } catch (const Error&) {
      return false;
    }
  }

 private:
  Candidate from_page(const net::Url& url, std::stop_token stop) {
    Ask ask;
    ask.url = url.text;
    ask.hosts = {url.host};
    ask.fresh = std::chrono::hours(1);
    ask.manners = {{{30, std::chrono::seconds(60)}}, std::chrono::milliseconds(0), 1};
    const Got got = fetcher_.get(ask, stop);
    const std::string what = "article: " + net::shown(url.text);
    if (!got.good()) {
      fail(got.status == 404 || got.status == 410 ? Cause::NotFound : Cause::BadInput, what,
           ": answered ", got.status);
    }
    Page page = read_page(got.body, what);
    if (page.image.empty()) fail(Cause::NotFound, what, ": the page names no og:image");
    page.image = net::follow(url, page.image).text;
    return declared(page, url, got.fetched_at);
  }

  Candidate declared(const Page& page, const net::Url& url, Millis at) const {
    const Json evidence = {{"page", url.text},
                           {"image", page.image},
                           {"title", page.title},
                           {"declared_license", settings().license},
                           {"declared_author", settings().author},
                           {"declared_source", settings().source}};
    Answer answer;
    answer.url = net::shown(url.text);
    answer.at = at == 0 ? fetcher_.clock().now() : at;
    Candidate made = record(evidence, answer);
    made.source_id = url.text;
    made.source = settings().source.empty() ? url.host : settings().source;
    made.title = page.title;
    made.creator = settings().author;
    made.description = page.description;
    made.landing_url = url.text;
    made.license.code = settings().license;
    made.license.url = photos::read_license(settings().license).url;
    made.license.statement = "declared in photos.providers.article";
    made.file_url = page.image;
    made.width = page.width;
    made.height = page.height;
    return made;
  }

  Fetcher& fetcher_;
};

}  // namespace

std::unique_ptr<Provider> make_article(Fetcher& fetcher, const ProviderSettings& settings) {
  return std::make_unique<Article>(fetcher, settings);
}

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
#include "photos/plain_text.h"

#include <glib.h>
#include <libxml/HTMLparser.h>

#include <algorithm>
#include <memory>

#include "base/error.h"

namespace affiche::photos {
namespace {

constexpr std::size_t kMaxHtmlBytes = 64 * 1024;
constexpr int kMaxMarks = 4;

std::string_view text_of(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string attribute(const xmlNode& element, const char* name) {
  for (const xmlAttr* at = element.properties; at != nullptr; at = at->next) {
    if (text_of(at->name) != name) continue;
    std::string value;
    for (const xmlNode* part = at->children; part != nullptr; part = part->next) {
      value += text_of(part->content);
    }
    return value;
  }
  return "";
}

// Commons hides machine-readable names in spans with style="display: none;".
bool is_hidden(const xmlNode& element) {
  if (is_one_of(text_of(element.name), {"script", "style", "head", "template", "noscript"})) {
    return true;
  }
  std::string style = attribute(element, "style");
  std::erase_if(style, [](char c) { return c == ' ' || c == '\t' || c == '\n'; });
  std::transform(style.begin(), style.end(), style.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return style.find("display:none") != style.npos || style.find("visibility:hidden") != style.npos;
}

bool breaks_line(std::string_view name) {
  return is_one_of(name, {"br", "p",  "div", "li", "ul", "ol", "tr", "td", "th",         "table",
                          "dd", "dt", "h1",  "h2", "h3", "h4", "h5", "h6", "blockquote", "hr"});
}

std::string web_link(std::string href) {
  if (href.starts_with("//")) href.insert(0, "https:");
  const bool web = href.starts_with("https://") || href.starts_with("http://");
  const bool odd = std::any_of(href.begin(), href.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '<' || c == '>' ||
           c == '\\';
  });
  return web && !odd ? href : "";
}

// The parser bounds the depth of the tree (256), and so of this walk.
void walk(const xmlNode* node, HtmlText& found) {
  for (; node != nullptr; node = node->next) {
    if (node->type == XML_TEXT_NODE) {
      found.text += text_of(node->content);
    } else if (node->type == XML_ELEMENT_NODE && !is_hidden(*node)) {
      const std::string_view name = text_of(node->name);
      if (name == "a" && found.link.empty()) found.link = web_link(attribute(*node, "href"));
      if (breaks_line(name)) found.text += ' ';
      walk(node->children, found);
      if (breaks_line(name)) found.text += ' ';
    }
  }
}

bool is_mark(gunichar c) {
  const GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK;
}

bool is_unwanted(gunichar c) {
  const GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_CONTROL || type == G_UNICODE_SURROGATE || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE001F);
}

}  // namespace

HtmlText read_html(std::string_view html, const std::string& what) {
  if (html.size() > kMaxHtmlBytes) {
    fail(Cause::BadInput, what, ": expected at most ", kMaxHtmlBytes, " bytes of HTML, found ",
         html.size());
  }
  static const bool started = [] {
    xmlInitParser();
    return true;
  }();
  static_cast<void>(started);
  // The tag keeps a fragment that begins with text from being taken for a text document.
  const std::string page = "<html><body>" + std::string(html) + "</body></html>";
  const std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> parser(htmlNewParserCtxt(),
                                                                              &htmlFreeParserCtxt);
  if (parser == nullptr) fail(Cause::Unavailable, what, ": out of memory");
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      htmlCtxtReadMemory(
          parser.get(), page.data(), static_cast<int>(page.size()), nullptr, "UTF-8",
          HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING),
      &xmlFreeDoc);
  // A parser that gave up has lost the rest, and with it perhaps half a name.
  if (document == nullptr || parser->disableSAX != 0) {
    fail(Cause::BadInput, what, ": expected HTML, found what the parser gives up on");
  }
  HtmlText found;
  walk(xmlDocGetRootElement(document.get()), found);
  found.text = plain_line(found.text);
  return found;
}

std::string plain_line(std::string_view text) {
  const std::unique_ptr<gchar, decltype(&g_free)> valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), &g_free);
  const std::unique_ptr<gchar, decltype(&g_free)> normal(
      g_utf8_normalize(valid.get(), -1, G_NORMALIZE_NFC), &g_free);
  std::string line;
  int marks = 0;
  bool space = false;
  for (const gchar* at = normal.get(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    if (g_unichar_isspace(c) || c == '\t' || c == '\n' || c == '\r' || c == 0x85) {
      space = !line.empty();
      continue;
    }
    if (is_unwanted(c)) continue;
    marks = is_mark(c) ? marks + 1 : 0;
    if (marks > kMaxMarks) continue;
    if (space) line += ' ';
    space = false;
    line.append(at, static_cast<std::size_t>(g_utf8_next_char(at) - at));
  }
  return line;
}

}  // namespace affiche::photos

// SPDX-License-Identifier: Apache-2.0
#include "recipes/xmp.h"

#include <charconv>
#include <utility>

#include "base/error.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

constexpr std::pair<std::string_view, char> kEntities[] = {
    {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : clean_text(text)) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// "&#10;" and "&#xA;", of ASCII characters: all that JSON without other escapes can hold.
std::optional<char> numeric_entity(std::string_view entity) {
  if (!entity.starts_with("&#") || entity.size() < 4) return std::nullopt;
  const bool hex = entity[2] == 'x';
  const char* first = entity.data() + (hex ? 3 : 2);
  const char* last = entity.data() + entity.size() - 1;
  int value = 0;
  const auto [end, error] = std::from_chars(first, last, value, hex ? 16 : 10);
  if (error != std::errc() || end != last || value <= 0 || value > 126) return std::nullopt;
  return static_cast<char>(value);
}

std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t used = 1;
    char c = text[0];
    if (c == '&') {
      const std::size_t end = text.substr(0, 12).find(';');
      const std::string_view entity =
          end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
      for (const auto& [name, value] : kEntities) {
        if (entity == name) {
          c = value;
          used = entity.size();
        }
      }
      if (const std::optional<char> value = numeric_entity(entity)) {
        c = *value;
        used = entity.size();
      }
    }
    out.push_back(c);
    text.remove_prefix(used);
  }
  return out;
}

std::optional<std::string> between(std::string_view text, std::string_view begin,
                                   std::string_view end) {
  const std::size_t first = text.find(begin);
  if (first == std::string_view::npos) return std::nullopt;
  text.remove_prefix(first + begin.size());
  const std::size_t last = text.find(end);
  if (last == std::string_view::npos) return std::nullopt;
  return unescaped(text.substr(0, last));
}

}  // namespace

std::string recipe_xmp(const std::string& recipe, const std::string& software) {
  return concat(
      "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
      "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
      "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
      "<rdf:Description rdf:about=\"\"\n"
      "  xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\"\n"
      "  xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"\n"
      "  xmlns:affiche=\"urn:affiche:recipe:1/\">\n"
      "<xmp:CreatorTool>",
      escaped(software),
      "</xmp:CreatorTool>\n"
      "<Iptc4xmpExt:DigitalSourceType>"
      "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
      "</Iptc4xmpExt:DigitalSourceType>\n"
      "<affiche:recipe>",
      escaped(recipe),
      "</affiche:recipe>\n"
      "</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>");
}

std::optional<std::string> recipe_in_xmp(std::string_view packet) {
  if (auto found = between(packet, "<affiche:recipe>", "</affiche:recipe>")) return found;
  if (auto found = between(packet, "affiche:recipe=\"", "\"")) return found;
  return between(packet, "affiche:recipe='", "'");
}

}  // namespace affiche::recipes

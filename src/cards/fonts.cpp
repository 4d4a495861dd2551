// SPDX-License-Identifier: Apache-2.0
#include "cards/fonts.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangofc-fontmap.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "base/error.h"
#include "cards/language.h"

namespace affiche::cards {
namespace {

// Families of the scripts that Noto has, "*" being Serif or Sans. Noto Color Emoji is left out:
// named in a list it takes the digits (Pango finds it for emoji).
constexpr std::array kScriptFamilies = {
    "Noto *",          "Noto * Hebrew",   "Noto * Devanagari", "Noto * Bengali", "Noto * Gurmukhi",
    "Noto * Gujarati", "Noto * Tamil",    "Noto * Telugu",     "Noto * Kannada", "Noto * Malayalam",
    "Noto * Sinhala",  "Noto * Thai",     "Noto * Lao",        "Noto * Khmer",   "Noto * Myanmar",
    "Noto * Armenian", "Noto * Georgian", "Noto * Ethiopic"};
constexpr std::array kSymbolFamilies = {"Noto Sans Math", "Noto Sans Symbols",
                                        "Noto Sans Symbols2"};

// Han characters are drawn in four ways; the language decides which comes first.
std::array<const char*, 4> cjk_order(const std::string& language) {
  const std::string primary = primary_language(language);
  if (primary == "ja") return {"JP", "SC", "TC", "KR"};
  if (primary == "ko") return {"KR", "JP", "SC", "TC"};
  const bool traditional = language.find("Hant") != std::string::npos ||
                           language.ends_with("-TW") || language.ends_with("-HK") ||
                           language.ends_with("-MO");
  if (primary == "zh" && traditional) return {"TC", "SC", "JP", "KR"};
  return {"SC", "JP", "TC", "KR"};
}

std::string families(const std::string& own, const std::string& language) {
  const bool serif = own.find("Serif") != std::string::npos;
  const std::string style = serif ? "Serif" : "Sans";
  std::string list = own;
  if (primary_language(language) == "ur") list += ",Noto Nastaliq Urdu";
  list += serif ? ",Noto Naskh Arabic" : ",Noto Sans Arabic,Noto Naskh Arabic";
  for (const char* pattern : kScriptFamilies) {
    std::string family = pattern;
    list += "," + family.replace(family.find('*'), 1, style);
  }
  // A serif for Han where it is installed, else the sans.
  for (const char* place : cjk_order(language)) list += ",Noto " + style + " CJK " + place;
  if (serif) list += std::string(",Noto Sans CJK ") + cjk_order(language).front();
  for (const char* family : kSymbolFamilies) list += std::string(",") + family;
  return list;
}

std::string escape_xml(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

// Folders of the system that hold Noto fonts.
std::vector<std::filesystem::path> noto_folders() {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  const auto open = [&](const std::filesystem::path& folder) {
    return std::filesystem::directory_iterator(
        folder, std::filesystem::directory_options::skip_permission_denied, error);
  };
  for (const auto& kind : open("/usr/share/fonts")) {
    if (!kind.is_directory(error)) continue;
    if (kind.path().filename().string().find("noto") != std::string::npos) {
      folders.push_back(kind.path());
      continue;
    }
    for (const auto& folder : open(kind.path())) {
      if (folder.path().filename().string().find("noto") != std::string::npos) {
        folders.push_back(folder.path());
      }
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

std::string configuration(const std::filesystem::path& folder) {
  std::string xml = "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>";
  for (const auto& noto : noto_folders()) xml += "<dir>" + escape_xml(noto.string()) + "</dir>";
  if (!folder.empty()) {
    xml += "<dir>" + escape_xml(std::filesystem::absolute(folder).string()) + "</dir>";
  }
  return xml +
         "<cachedir>/var/cache/fontconfig</cachedir><cachedir prefix=\"xdg\">fontconfig</cachedir>"
         // Pango asks for this family where Unicode wants a coloured picture.
         "<match target=\"pattern\"><test name=\"family\"><string>emoji</string></test>"
         "<edit name=\"family\" mode=\"prepend\" binding=\"strong\">"
         "<string>Noto Color Emoji</string></edit></match></fontconfig>";
}

// Configurations may be shared between threads once built.
FcConfig* shared_configuration(const std::filesystem::path& folder) {
  static std::mutex mutex;
  static std::map<std::string, FcConfig*> configurations;
  const std::lock_guard lock(mutex);
  FcConfig*& config = configurations[folder.string()];
  if (config == nullptr) {
    FcConfig* made = FcConfigCreate();
    const std::string xml = configuration(folder);
    const auto* bytes = reinterpret_cast<const FcChar8*>(xml.data());
    if (made == nullptr || FcConfigParseAndLoadFromMemory(made, bytes, FcTrue) == FcFalse ||
        FcConfigBuildFonts(made) == FcFalse) {
      fail(Cause::Internal, "fonts: fontconfig refuses its configuration for ", folder.string());
    }
    config = made;
  }
  return config;
}

PangoFontMap* thread_font_map(const std::filesystem::path& folder) {
  thread_local std::map<std::string, GObjectPtr<PangoFontMap>> maps;
  GObjectPtr<PangoFontMap>& map = maps[folder.string()];
  if (map == nullptr) {
    map.reset(pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT));
    if (map == nullptr) fail(Cause::Internal, "fonts: Pango has no FreeType fonts");
    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(map.get()), shared_configuration(folder));
    // Points would depend on this; sizes are absolute, so it only has to be fixed.
    pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(map.get()), 96);
  }
  return map.get();
}

// OpenType's width classes (OS/2 usWidthClass): percent of the normal width.
PangoStretch stretch_of(double width) {
  constexpr std::array<double, 9> widths = {50, 62.5, 75, 87.5, 100, 112.5, 125, 150, 200};
  const auto nearest = std::min_element(widths.begin(), widths.end(), [&](double a, double b) {
    return std::abs(a - width) < std::abs(b - width);
  });
  return static_cast<PangoStretch>(nearest - widths.begin());
}

}  // namespace

GObjectPtr<PangoContext> make_text_context(const std::filesystem::path& font_folder,
                                           const std::string& language) {
  GObjectPtr<PangoContext> context(pango_font_map_create_context(thread_font_map(font_folder)));
  const std::unique_ptr<cairo_font_options_t, CairoDeleter> options(cairo_font_options_create());
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options(context.get(), options.get());
  pango_context_set_round_glyph_positions(context.get(), FALSE);
  // Without one Pango asks the environment.
  pango_context_set_language(
      context.get(), pango_language_from_string(language.empty() ? "en" : language.c_str()));
  return context;
}

FontDescriptionPtr describe(const Font& font, double size, const std::string& language) {
  FontDescriptionPtr description(pango_font_description_new());
  PangoFontDescription* to = description.get();
  pango_font_description_set_family(to, families(font.family, language).c_str());
  pango_font_description_set_weight(to, static_cast<PangoWeight>(font.weight));
  pango_font_description_set_style(to, font.italic ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
  pango_font_description_set_stretch(to, stretch_of(font.width));
  if (font.small_caps) pango_font_description_set_variant(to, PANGO_VARIANT_SMALL_CAPS);
  pango_font_description_set_absolute_size(to, size * PANGO_SCALE);
  // Fonts without the axis ignore it.
  std::string axes;
  if (font.width != 100) axes += concat("wdth=", font.width);
  for (const auto& [axis, value] : font.axes) {
    axes += concat(axes.empty() ? "" : ",", axis, "=", value);
  }
  if (!axes.empty()) pango_font_description_set_variations(to, axes.c_str());
  return description;
}

const FontFacts& font_facts(const Font& font, const std::filesystem::path& font_folder) {
  thread_local std::map<std::string, FontFacts> all;
  constexpr double kSize = 200;
  const FontDescriptionPtr wanted = describe(font, kSize, "en");
  const std::unique_ptr<char, decltype(&g_free)> name(
      pango_font_description_to_string(wanted.get()), &g_free);
  const std::string key = font_folder.string() + '\n' + name.get();
  if (const auto found = all.find(key); found != all.end()) return found->second;
  if (all.size() > 256) all.clear();

  const GObjectPtr<PangoContext> context = make_text_context(font_folder, "en");
  const GObjectPtr<PangoLayout> layout(pango_layout_new(context.get()));
  pango_layout_set_font_description(layout.get(), wanted.get());
  pango_layout_set_text(layout.get(), "H", 1);
  PangoRectangle ink{};
  pango_layout_line_get_extents(pango_layout_get_line_readonly(layout.get(), 0), &ink, nullptr);
  FontFacts facts;
  facts.cap_height = -static_cast<double>(ink.y) / PANGO_SCALE / kSize;
  const GObjectPtr<PangoFont> used(pango_context_load_font(context.get(), wanted.get()));
  if (used != nullptr) {
    const FontDescriptionPtr description(pango_font_describe(used.get()));
    facts.family = pango_font_description_get_family(description.get());
  }
  return all.emplace(key, std::move(facts)).first->second;
}

void check_fonts(const std::filesystem::path& font_folder) {
  constexpr std::uintmax_t kLargest = 128U << 20;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(font_folder)) {
    const std::string kind = entry.path().extension().string();
    const std::set<std::string> kinds = {".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2"};
    if (!entry.is_regular_file() || !kinds.contains(kind)) continue;
    const std::string file = entry.path().string();
    if (entry.file_size() > kLargest) {
      fail(Cause::BadInput, file, ": font of ", entry.file_size(), " bytes, at most ", kLargest);
    }
    int count = 0;
    FcPattern* pattern =
        FcFreeTypeQuery(reinterpret_cast<const FcChar8*>(file.c_str()), 0, nullptr, &count);
    if (pattern == nullptr) {
      fail(Cause::BadInput, file, ": expected a font, found something that FreeType cannot read; ",
           "replace or remove it");
    }
    FcPatternDestroy(pattern);
  }
}

}  // namespace affiche::cards

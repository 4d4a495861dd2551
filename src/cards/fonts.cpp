// SPDX-License-Identifier: Apache-2.0
#include "cards/fonts.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangofc-fontmap.h>

#include <map>
#include <mutex>

#include "base/error.h"

namespace affiche::cards {
namespace {

// Noto Color Emoji is left out: named in a list it takes the digits (Pango finds it for emoji).
constexpr const char* kFallbacks[] = {
    "Noto Sans",          "Noto Naskh Arabic",  "Noto Sans Hebrew",   "Noto Sans Devanagari",
    "Noto Sans Bengali",  "Noto Sans Tamil",    "Noto Sans Telugu",   "Noto Sans Thai",
    "Noto Sans Armenian", "Noto Sans Georgian", "Noto Sans Ethiopic", "Noto Sans Khmer",
    "Noto Sans CJK SC",   "Noto Sans CJK JP",   "Noto Sans CJK KR",   "Noto Sans Math",
    "Noto Sans Symbols",  "Noto Sans Symbols2"};

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

std::string configuration(const std::filesystem::path& folder) {
  std::string xml =
      "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>"
      "<dir>/usr/share/fonts</dir>";
  if (!folder.empty()) {
    xml += "<dir>" + escape_xml(std::filesystem::absolute(folder).string()) + "</dir>";
  }
  xml +=
      "<cachedir>/var/cache/fontconfig</cachedir><cachedir prefix=\"xdg\">fontconfig</cachedir>"
      "<match target=\"pattern\"><edit name=\"family\" mode=\"append_last\">";
  for (const char* family : kFallbacks) xml += std::string("<string>") + family + "</string>";
  return xml + "</edit></match></fontconfig>";
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

FontDescriptionPtr describe(const Font& font, double size) {
  FontDescriptionPtr description(pango_font_description_new());
  pango_font_description_set_family(description.get(), font.family.c_str());
  pango_font_description_set_weight(description.get(), static_cast<PangoWeight>(font.weight));
  pango_font_description_set_style(description.get(),
                                   font.italic ? PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
  pango_font_description_set_absolute_size(description.get(), size * PANGO_SCALE);
  return description;
}

double cap_height(PangoContext* context, const Font& font) {
  constexpr double kSize = 200;
  const GObjectPtr<PangoLayout> layout(pango_layout_new(context));
  const FontDescriptionPtr description = describe(font, kSize);
  pango_layout_set_font_description(layout.get(), description.get());
  pango_layout_set_text(layout.get(), "H", 1);
  PangoRectangle ink{};
  pango_layout_line_get_extents(pango_layout_get_line_readonly(layout.get(), 0), &ink, nullptr);
  return -static_cast<double>(ink.y) / PANGO_SCALE / kSize;
}

std::string installed_family(PangoContext* context, const Font& font) {
  const FontDescriptionPtr wanted = describe(font, 16);
  const GObjectPtr<PangoFont> found(pango_context_load_font(context, wanted.get()));
  if (found == nullptr) return "";
  const FontDescriptionPtr description(pango_font_describe(found.get()));
  return pango_font_description_get_family(description.get());
}

}  // namespace affiche::cards

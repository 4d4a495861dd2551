// SPDX-License-Identifier: Apache-2.0
// Fonts by a private fontconfig configuration: Debian's Noto fonts and the brand's own files,
// nothing else. The host's other fonts and everybody's settings change nothing.
#pragma once

#include <pango/pangocairo.h>

#include <filesystem>
#include <string>

#include "cards/brand.h"
#include "cards/handles.h"

namespace affiche::cards {

// A Pango context for this thread: no hinting, sub-pixel positions, grey antialiasing. Font maps
// are kept per thread and folder, and configurations per folder, because reading them is slow.
GObjectPtr<PangoContext> make_text_context(const std::filesystem::path& font_folder,
                                           const std::string& language);

struct FontDescriptionDeleter {
  void operator()(PangoFontDescription* description) const {
    pango_font_description_free(description);
  }
};
using FontDescriptionPtr = std::unique_ptr<PangoFontDescription, FontDescriptionDeleter>;

// The font at `size` pixels per em, and behind it the Noto families that its other scripts come
// from: of its own style (serif or not), those of `language` first.
FontDescriptionPtr describe(const Font& font, double size, const std::string& language);

// What must be known of a font before it is used; kept per thread, for it costs a layout.
struct FontFacts {
  double cap_height = 0;  // of "H", per pixel of font size
  std::string family;     // that is really used: one that is not installed shows here
};
const FontFacts& font_facts(const Font& font, const std::filesystem::path& font_folder);

// BadInput, naming the file, for a font file of the folder that FreeType cannot read.
void check_fonts(const std::filesystem::path& font_folder);

}  // namespace affiche::cards

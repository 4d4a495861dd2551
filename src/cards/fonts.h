// SPDX-License-Identifier: Apache-2.0
// Fonts by a private fontconfig configuration, so that the host's and the user's settings change
// nothing: the system's font folder, the brand's folder, and a fixed order of fallbacks.
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
FontDescriptionPtr describe(const Font& font, double size);

// Height of "H" above the baseline per pixel of font size.
double cap_height(PangoContext* context, const Font& font);

// The family that `font` really gives: a brand's family that is not installed shows here.
std::string installed_family(PangoContext* context, const Font& font);

}  // namespace affiche::cards

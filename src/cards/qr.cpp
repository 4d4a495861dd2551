// SPDX-License-Identifier: Apache-2.0
#include <qrencode.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "cards/shapes.h"

namespace affiche::cards {
namespace {

struct CodeDeleter {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

constexpr double kLeastContrast = 4;
constexpr int kLeastModule = 2;  // pixels: cards are shown at half their size

QRecLevel level_of(QrLayer::Level level) {
  switch (level) {
    case QrLayer::Level::Low:
      return QR_ECLEVEL_L;
    case QrLayer::Level::Medium:
      return QR_ECLEVEL_M;
    case QrLayer::Level::Quartile:
      return QR_ECLEVEL_Q;
    default:
      return QR_ECLEVEL_H;
  }
}

}  // namespace

void draw_qr(cairo_t* context, const QrLayer& layer, const std::string& content, const Box& box,
             const Colour& dark, const Colour& light, const std::string& what) {
  if (!(luminance(light) > luminance(dark)) ||
      contrast(luminance(light), luminance(dark)) < kLeastContrast || light.alpha < 1 ||
      dark.alpha < 1) {
    fail(Cause::BadInput, what, ": expected opaque dark modules on a light ground, contrast ",
         kLeastContrast, " or more, found ", contrast(luminance(light), luminance(dark)),
         "; readers need it");
  }
  const std::unique_ptr<QRcode, CodeDeleter> code(
      QRcode_encodeString8bit(content.c_str(), 0, level_of(layer.level)));
  if (code == nullptr) {
    fail(Cause::BadInput, what, ": a text of ", content.size(),
         " bytes is too long for a QR code; shorten it or use a lower level");
  }
  const int modules = code->width + 2 * layer.quiet;
  const int side = static_cast<int>(std::min(box.width, box.height));
  const int module = side / modules;
  if (module < kLeastModule) {
    fail(Cause::BadInput, what, ": the code needs ", modules * kLeastModule,
         " pixels, the box has ", side, "; enlarge it or shorten the text");
  }
  const int size = module * modules;
  const double left = std::round(box.x + (box.width - size) / 2);
  const double top = std::round(box.y + (box.height - size) / 2);
  cairo_save(context);
  cairo_set_antialias(context, CAIRO_ANTIALIAS_NONE);
  set_source(context, light);
  cairo_rectangle(context, left, top, size, size);
  cairo_fill(context);
  set_source(context, dark);
  for (int y = 0; y < code->width; ++y) {
    for (int x = 0; x < code->width; ++x) {
      if ((code->data[static_cast<std::ptrdiff_t>(y) * code->width + x] & 1) == 0) continue;
      cairo_rectangle(context, left + (x + layer.quiet) * module, top + (y + layer.quiet) * module,
                      module, module);
    }
  }
  cairo_fill(context);
  cairo_restore(context);
}

}  // namespace affiche::cards

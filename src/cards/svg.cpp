// SPDX-License-Identifier: Apache-2.0
#include "cards/svg.h"

#include <librsvg/rsvg.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "cards/handles.h"

namespace affiche::cards {
namespace {

constexpr std::size_t kMaxSvgBytes = std::size_t{1} << 20;
constexpr int kMaxElements = 5000;
constexpr int kMaxDepth = 64;

constexpr std::array<std::string_view, 22> kElements = {
    "svg",     "g",        "defs",           "symbol",         "use",  "title",
    "desc",    "path",     "rect",           "circle",         "line", "ellipse",
    "polygon", "polyline", "linearGradient", "radialGradient", "stop", "clipPath",
    "mask",    "pattern",  "metadata",       "marker"};

struct Check {
  int elements = 0;
  int depth = 0;
  int uses = 0;
};

GQuark quark() {
  return g_quark_from_static_string("affiche-svg");
}

template <typename... Args>
void refuse(GError** error, const Args&... args) {
  g_set_error_literal(error, quark(), 0, concat(args...).c_str());
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// True when every url(…) points into the file itself and nothing is imported.
bool refers_inside_only(const std::string& value) {
  const std::string text = lower(value);
  if (text.find("@import") != std::string::npos || text.find('\\') != std::string::npos ||
      text.find("javascript:") != std::string::npos || text.find("data:") != std::string::npos) {
    return false;
  }
  for (std::size_t at = text.find("url("); at != std::string::npos;
       at = text.find("url(", at + 4)) {
    const std::size_t target = text.find_first_not_of(" \t\r\n'\"", at + 4);
    if (target == std::string::npos || text[target] != '#') return false;
  }
  return true;
}

void on_attribute(Check& check, const std::string& element, const std::string& name,
                  const std::string& value, GError** error) {
  const std::string key = lower(name);
  const std::string local = key.substr(key.find(':') == std::string::npos ? 0 : key.find(':') + 1);
  if (local.rfind("on", 0) == 0) {
    refuse(error, "event attribute ", name, " on <", element, ">; remove it");
  } else if (local == "href" && (value.empty() || value[0] != '#')) {
    refuse(error, "external reference ", name, "=\"", value, "\"; only #id is allowed");
  } else if (local == "base") {
    refuse(error, "attribute ", name, " is not allowed");
  } else if (key.rfind("xmlns", 0) != 0 && !refers_inside_only(value)) {
    refuse(error, "external reference in ", name, "=\"", value, "\"; only url(#id) is allowed");
  } else if (local == "href" && element == "use" && ++check.uses > 200) {
    refuse(error, "more than 200 <use> elements");
  }
}

void on_start(GMarkupParseContext*, const gchar* element, const gchar** names, const gchar** values,
              gpointer data, GError** error) {
  Check& check = *static_cast<Check*>(data);
  if (std::find(kElements.begin(), kElements.end(), element) == kElements.end()) {
    refuse(error, "element <", element, "> is not allowed; shapes, paths, gradients, clips, masks ",
           "and groups are (turn text into paths)");
    return;
  }
  if (check.elements == 0 && std::string_view(element) != "svg") {
    refuse(error, "expected <svg> as the first element, found <", element, ">");
    return;
  }
  if (++check.elements > kMaxElements || ++check.depth > kMaxDepth) {
    refuse(error, "more than ", kMaxElements, " elements or ", kMaxDepth, " levels");
    return;
  }
  for (; *names != nullptr && *error == nullptr; ++names, ++values) {
    on_attribute(check, element, *names, *values, error);
  }
}

void on_end(GMarkupParseContext*, const gchar*, gpointer data, GError**) {
  --static_cast<Check*>(data)->depth;
}

void on_passthrough(GMarkupParseContext*, const gchar* text, gsize size, gpointer, GError** error) {
  const std::string_view markup(text, size);
  if (markup.rfind("<!--", 0) == 0 || markup.rfind("<?xml ", 0) == 0) return;
  refuse(error, "document types, entities and processing instructions are not allowed: ",
         markup.substr(0, 40));
}

GObjectPtr<RsvgHandle> load(const std::string& svg, const std::string& what) {
  GError* error = nullptr;
  GObjectPtr<RsvgHandle> handle(
      rsvg_handle_new_from_data(reinterpret_cast<const guint8*>(svg.data()), svg.size(), &error));
  if (handle == nullptr) {
    const std::string message = error != nullptr ? error->message : "unknown error";
    g_clear_error(&error);
    fail(Cause::BadInput, what, ": not a readable SVG: ", message);
  }
  return handle;
}

}  // namespace

void check_svg(const std::string& svg, const std::string& what) {
  if (svg.size() > kMaxSvgBytes) {
    fail(Cause::BadInput, what, ": SVG of ", svg.size(), " bytes: at most ", kMaxSvgBytes);
  }
  Check check;
  const GMarkupParser parser = {on_start, on_end, nullptr, on_passthrough, nullptr};
  GMarkupParseContext* context =
      g_markup_parse_context_new(&parser, G_MARKUP_PREFIX_ERROR_POSITION, &check, nullptr);
  GError* error = nullptr;
  const bool good =
      g_markup_parse_context_parse(context, svg.data(), static_cast<gssize>(svg.size()), &error) &&
      g_markup_parse_context_end_parse(context, &error);
  g_markup_parse_context_free(context);
  if (!good) {
    const std::string message = error != nullptr ? error->message : "not well formed";
    g_clear_error(&error);
    fail(Cause::BadInput, what, ": SVG refused: ", message);
  }
}

std::string recolour(const std::string& svg,
                     const std::function<Colour(const std::string& name)>& find,
                     const std::string& what) {
  std::string result;
  std::size_t from = 0;
  for (std::size_t at = svg.find("{{"); at != std::string::npos; at = svg.find("{{", from)) {
    const std::size_t end = svg.find("}}", at);
    if (end == std::string::npos) fail(Cause::BadInput, what, ": \"{{\" without \"}}\"");
    result.append(svg, from, at - from);
    std::string name = svg.substr(at + 2, end - at - 2);
    name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
    result += to_hex(find(name));
    from = end + 2;
  }
  return result.append(svg, from, std::string::npos);
}

double svg_aspect(const std::string& svg, const std::string& what) {
  const GObjectPtr<RsvgHandle> handle = load(svg, what);
  gboolean has_width = FALSE;
  gboolean has_height = FALSE;
  gboolean has_viewbox = FALSE;
  RsvgLength width{};
  RsvgLength height{};
  RsvgRectangle viewbox{};
  rsvg_handle_get_intrinsic_dimensions(handle.get(), &has_width, &width, &has_height, &height,
                                       &has_viewbox, &viewbox);
  if (has_viewbox && viewbox.width > 0 && viewbox.height > 0) return viewbox.width / viewbox.height;
  if (has_width && has_height && width.length > 0 && height.length > 0) {
    return width.length / height.length;
  }
  fail(Cause::BadInput, what, ": expected a viewBox or width and height on <svg>; add a viewBox");
}

void draw_svg(cairo_t* context, const std::string& svg, const Box& box, const std::string& what) {
  const GObjectPtr<RsvgHandle> handle = load(svg, what);
  const RsvgRectangle viewport = {box.x, box.y, box.width, box.height};
  GError* error = nullptr;
  if (!rsvg_handle_render_document(handle.get(), context, &viewport, &error)) {
    const std::string message = error != nullptr ? error->message : "unknown error";
    g_clear_error(&error);
    fail(Cause::BadInput, what, ": the SVG cannot be drawn: ", message);
  }
}

}  // namespace affiche::cards

// SPDX-License-Identifier: Apache-2.0
// Properties: IPTC Photo Metadata 2025.1, and ccREL (creativecommons.org/ns).
#include "photos/embedded.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>

#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "photos/licenses.h"
#include "photos/plain_text.h"

namespace affiche::photos {
namespace {

constexpr const char* kExt = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr const char* kCc = "http://creativecommons.org/ns#";
constexpr std::size_t kMostXmp = 64 << 10;  // kept as evidence

using File = std::unique_ptr<std::remove_pointer_t<XmpFilePtr>, decltype(&xmp_files_free)>;
using Packet = std::unique_ptr<std::remove_pointer_t<XmpPtr>, decltype(&xmp_free)>;
using Text = std::unique_ptr<std::remove_pointer_t<XmpStringPtr>, decltype(&xmp_string_free)>;

Text make_text() {
  return {xmp_string_new(), &xmp_string_free};
}

std::string value_of(const Packet& packet, const char* space, const char* name) {
  const Text text = make_text();
  if (!xmp_get_property(packet.get(), space, name, text.get(), nullptr)) return "";
  return plain_line(xmp_string_cstr(text.get()));
}

// Of a property by language, the one for everybody.
std::string localized(const Packet& packet, const char* space, const char* name) {
  const Text text = make_text(), language = make_text();
  if (!xmp_get_localized_text(packet.get(), space, name, "", "x-default", language.get(),
                              text.get(), nullptr)) {
    return "";
  }
  return plain_line(xmp_string_cstr(text.get()));
}

std::vector<std::string> items(const Packet& packet, const char* space, const char* name) {
  constexpr int kMost = 100;
  std::vector<std::string> found;
  for (int i = 1; i <= kMost; ++i) {
    const Text text = make_text();
    if (!xmp_get_array_item(packet.get(), space, name, i, text.get(), nullptr)) break;
    const std::string item = plain_line(xmp_string_cstr(text.get()));
    if (!item.empty()) found.push_back(item);
  }
  return found;
}

std::string first_of(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return "";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& text : texts) line += (line.empty() ? "" : ", ") + text;
  return line;
}

// The first of the fields for rights that names a licence of the table.
License license_of(const Packet& packet) {
  for (const std::string& text :
       {value_of(packet, kCc, "license"), value_of(packet, NS_XAP_RIGHTS, "WebStatement"),
        localized(packet, NS_XAP_RIGHTS, "UsageTerms"), localized(packet, NS_DC, "rights")}) {
    const License license = read_license(text);
    if (license.known) return license;
  }
  return {};
}

void refuse_generated(const Packet& packet, const std::string& what) {
  const std::string type = value_of(packet, kExt, "DigitalSourceType");
  for (const char* made : {"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia",
                           "compositeSynthetic", "algorithmicMedia"}) {
    if (type.ends_with(std::string("/") + made)) {
      fail(Cause::Refused, what, ": expected a photograph, found one that says it was made by a ",
           "model or a program (DigitalSourceType ", made, ")");
    }
  }
}

std::string web_only(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://") ? url : "";
}

// exempi's start and its namespaces are of the whole process.
void start_exempi() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (!xmp_init()) fail(Cause::Internal, "exempi does not start");
    xmp_register_namespace(kExt, "Iptc4xmpExt", nullptr);
    xmp_register_namespace(kCc, "cc", nullptr);
  });
}

}  // namespace

std::optional<Embedded> read_embedded(const std::filesystem::path& picture) {
  start_exempi();
  const File file(xmp_files_open_new(picture.c_str(), XMP_OPEN_READ), &xmp_files_free);
  if (!file) return {};
  const Packet packet(xmp_files_get_new_xmp(file.get()), &xmp_free);
  xmp_files_close(file.get(), XMP_CLOSE_NOOPTION);
  if (!packet) return {};
  const std::string what = picture.string() + ": its own metadata";
  refuse_generated(packet, what);
  const License license = license_of(packet);
  if (!license.known) return {};

  const Json fields = {
      {"title", first_of({localized(packet, NS_DC, "title"),
                          value_of(packet, NS_PHOTOSHOP, "Headline"), picture.stem().string()})},
      {"author", joined(items(packet, NS_DC, "creator"))},
      {"author_url", web_only(value_of(packet, kCc, "attributionURL"))},
      {"source", first_of({value_of(packet, NS_PHOTOSHOP, "Source"),
                           value_of(packet, NS_PHOTOSHOP, "Credit")})},
      {"source_url", web_only(first_of({value_of(packet, NS_DC, "source"),
                                        value_of(packet, NS_DC, "identifier")}))},
      {"license", license.id},
      {"license_url", license.url},
      {"keywords", items(packet, NS_DC, "subject")}};
  Embedded found;
  found.sidecar = parse_sidecar_json(fields.dump(), what);
  const Text text = make_text();
  if (xmp_serialize(packet.get(), text.get(), XMP_SERIAL_OMITPACKETWRAPPER, 0)) {
    found.xmp = std::string(xmp_string_cstr(text.get())).substr(0, kMostXmp);
  }
  return found;
}

}  // namespace affiche::photos

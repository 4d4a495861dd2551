// SPDX-License-Identifier: Apache-2.0
#include "cards/metadata.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "cards/decode.h"
#include "cards/text.h"
#include "cards/xmp_toolkit.h"

namespace affiche::cards {
namespace {

constexpr const char* kExt = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr const char* kCore = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
constexpr const char* kPlus = "http://ns.useplus.org/ldf/xmp/1.0/";
constexpr const char* kCc = "http://creativecommons.org/ns#";
constexpr const char* kMedia = "http://ns.adobe.com/xap/1.0/mm/";
constexpr const char* kSourceTypes = "http://cv.iptc.org/newscodes/digitalsourcetype/";

// One packet under construction. Empty values are left out.
class Packet {
 public:
  Packet() : xmp_(xmp_new_empty(), &xmp_free) {
    if (xmp_ == nullptr) fail(Cause::Unavailable, "XMP: out of memory");
  }

  void set(const char* schema, const std::string& name, const std::string& value) {
    if (value.empty()) return;
    check(xmp_set_property(xmp_.get(), schema, name.c_str(), value.c_str(), 0), name);
  }
  void localized(const char* schema, const std::string& name, const std::string& value,
                 const std::string& language) {
    if (value.empty()) return;
    check(
        xmp_set_localized_text(xmp_.get(), schema, name.c_str(), "", "x-default", value.c_str(), 0),
        name);
    if (language.empty()) return;
    check(xmp_set_localized_text(xmp_.get(), schema, name.c_str(), "", language.c_str(),
                                 value.c_str(), 0),
          name);
  }
  void append(const char* schema, const std::string& name, const std::string& value,
              std::uint32_t kind) {
    if (value.empty()) return;
    check(xmp_append_array_item(xmp_.get(), schema, name.c_str(), kind, value.c_str(), 0), name);
  }
  void append_struct(const char* schema, const std::string& name, std::uint32_t kind) {
    check(xmp_append_array_item(xmp_.get(), schema, name.c_str(), kind, nullptr,
                                XMP_PROP_VALUE_IS_STRUCT),
          name);
  }

  std::string serialize() const {
    const std::unique_ptr<_XmpString, decltype(&xmp_string_free)> text(xmp_string_new(),
                                                                       &xmp_string_free);
    if (!xmp_serialize(xmp_.get(), text.get(), XMP_SERIAL_USECOMPACTFORMAT, 0)) {
      fail(Cause::Internal, "XMP: cannot be written, exempi error ", xmp_get_error());
    }
    return xmp_string_cstr(text.get());
  }

 private:
  static void check(bool good, const std::string& name) {
    if (!good) fail(Cause::Internal, "XMP: ", name, ": exempi error ", xmp_get_error());
  }
  std::unique_ptr<_Xmp, decltype(&xmp_free)> xmp_;
};

constexpr std::uint32_t kSeq = XMP_PROP_VALUE_IS_ARRAY | XMP_PROP_ARRAY_IS_ORDERED;
constexpr std::uint32_t kBag = XMP_PROP_VALUE_IS_ARRAY;

bool by_model(const Composed& card) {
  for (const auto& [source, recipe] : card.recipes) {
    if (recipe.model != "drawn") return true;
  }
  return false;
}

bool is_public_domain(const Credit& credit) {
  return credit.license == "CC0-1.0" || credit.license == "PDM-1.0" ||
         credit.license == "CC-PDDC" || credit.license == "US-GOV" ||
         credit.license == "LicenseRef-No-Known-Restrictions";
}

bool is_sharealike(const Credit& credit) {
  return credit.license.find("-SA-") != std::string::npos;
}

// The whole file is under the photo's licence.
bool has_photo_licence(const Composed& card) {
  return card.credit && (card.hero || is_sharealike(*card.credit)) &&
         card.credit->license_url.find("creativecommons.org") != std::string::npos;
}

std::string photo_notice(const Credit& credit, const PhotoRights& rights) {
  if (!rights.copyright.empty()) return rights.copyright + ", " + license_label(credit.license);
  return (is_public_domain(credit) ? "" : "© ") + credit.author + ", " +
         license_label(credit.license);
}

// "Card © 2026 Northlight Review; photo © NAME, CC BY 4.0"
std::string rights_line(const Composed& card, const CardFacts& facts) {
  if (card.hero) return photo_notice(*card.credit, facts.photo_rights);
  std::string line = "Card ©";
  if (facts.created.size() >= 4) line += " " + facts.created.substr(0, 4);
  line += " " + facts.publisher;
  if (card.credit) {
    line += is_public_domain(*card.credit) ? "; photo by " : "; photo © ";
    line += card.credit->author + ", " + license_label(card.credit->license);
    if (is_sharealike(*card.credit)) line += "; this card is under the photo's licence";
  }
  return line;
}

std::string licensor_url(const Credit& credit) {
  return !credit.source_url.empty() ? credit.source_url : credit.license_url;
}

// The page that says under which terms the file may be used.
std::string web_statement(const Composed& card, const CardFacts& facts) {
  if (card.credit && (card.hero || facts.page_url.empty())) return card.credit->license_url;
  return facts.page_url;
}

void add_photo(Packet& packet, const CardFacts& facts, const Credit& credit) {
  packet.append(NS_DC, "dc:creator", credit.author, kSeq);
  packet.set(NS_PHOTOSHOP, "photoshop:Source", credit.source);
  packet.append_struct(kPlus, "plus:Licensor", kSeq);
  packet.set(kPlus, "plus:Licensor[1]/plus:LicensorName", credit.author);
  packet.set(kPlus, "plus:Licensor[1]/plus:LicensorURL", licensor_url(credit));
  packet.append_struct(kExt, "Iptc4xmpExt:ArtworkOrObject", kBag);
  const std::string part = "Iptc4xmpExt:ArtworkOrObject[1]/Iptc4xmpExt:";
  packet.localized(kExt, part + "AOTitle", credit.title, "");
  packet.append(kExt, part + "AOCreator", credit.author, kSeq);
  packet.set(kExt, part + "AOCopyrightNotice",
             photo_notice(credit, facts.photo_rights) + ", " + credit.license_url);
  packet.set(kExt, part + "AOSource",
             !credit.source.empty() ? credit.source : facts.photo_rights.credit);
  packet.set(kExt, part + "AOSourceInvURL", credit.source_url);
  if (facts.photo_sha256.empty()) return;
  packet.append_struct(kMedia, "xmpMM:Ingredients", kBag);
  packet.set(kMedia, "xmpMM:Ingredients[1]/stRef:documentID", "sha256:" + facts.photo_sha256);
  packet.set(kMedia, "xmpMM:Ingredients[1]/stRef:filePath", credit.source_url);
}

void add_licence(Packet& packet, const Credit& credit) {
  packet.set(kCc, "cc:license", credit.license_url);
  packet.set(kCc, "cc:attributionName", credit.author);
  packet.set(kCc, "cc:attributionURL", credit.source_url);
}

void add_model(Packet& packet, const Composed& card) {
  std::string system;
  std::string version;
  std::string prompts;
  const auto add = [](std::string& list, const std::string& text) {
    if (list.find(text) == std::string::npos) list += (list.empty() ? "" : "; ") + text;
  };
  for (const auto& [source, recipe] : card.recipes) {
    if (recipe.model == "drawn") continue;
    std::string used = recipe.model;
    std::string made_by = recipe.build + ", model sha256 " + recipe.model_sha256;
    for (const RecipeLora& lora : recipe.loras) {
      used += " + " + lora.name;
      made_by += ", " + lora.name + " sha256 " + lora.sha256;
    }
    add(system, used);
    add(version, made_by);
    add(prompts, source + ": " + recipe.prompt);
  }
  packet.set(kExt, "Iptc4xmpExt:AISystemUsed", system);
  packet.set(kExt, "Iptc4xmpExt:AISystemVersionUsed", version);
  packet.set(kExt, "Iptc4xmpExt:AIPromptInformation", prompts);
}

std::string property(XmpPtr xmp, const char* schema, const char* name) {
  const std::unique_ptr<_XmpString, decltype(&xmp_string_free)> value(xmp_string_new(),
                                                                      &xmp_string_free);
  if (!xmp_get_property(xmp, schema, name, value.get(), nullptr)) return "";
  return xmp_string_cstr(value.get());
}

// From outside: one line of at most so many characters of valid UTF-8, or nothing.
std::string sound(const std::string& text) {
  constexpr std::size_t kLongest = 500;
  try {
    const std::string clean = clean_text(text, "photo's own rights");
    return clean.size() > kLongest ? "" : clean;
  } catch (const Error&) {
    return "";
  }
}

// "NAME (NAME, ASCII, 5 components, 5 bytes)", as libvips keeps EXIF.
std::string exif_text(const vips::VImage& image, const char* field) {
  if (image.get_typeof(field) == 0) return "";
  const std::string text = image.get_string(field);
  return text.substr(0, text.rfind(" ("));
}

bool has_c2pa(const Bytes& file) {
  // The label of a manifest store in its JUMBF box; in JPEG, PNG and WebP it is near the front.
  constexpr std::string_view kLabel = "c2pa\0";
  const std::string_view head(reinterpret_cast<const char*>(file.data()),
                              std::min<std::size_t>(file.size(), 1 << 18));
  return head.find("jumb") != std::string_view::npos && head.find(kLabel) != std::string_view::npos;
}

}  // namespace

PhotoRights read_photo_rights(const Photo& photo) {
  PhotoRights rights;
  rights.c2pa = has_c2pa(photo.encoded());
  start_vips();
  try {
    const Bytes& file = photo.encoded();
    const vips::VImage image = vips::VImage::new_from_buffer(file.data(), file.size(), "");
    rights.copyright = sound(exif_text(image, "exif-ifd0-Copyright"));
    if (image.get_typeof(VIPS_META_XMP_NAME) == 0) return rights;
    std::size_t size = 0;
    const void* packet = image.get_blob(VIPS_META_XMP_NAME, &size);
    const std::lock_guard lock(toolkit_mutex());
    start_toolkit();
    const std::unique_ptr<_Xmp, decltype(&xmp_free)> xmp(
        xmp_new(static_cast<const char*>(packet), size), &xmp_free);
    if (xmp == nullptr) return rights;
    const std::string notice = sound(property(xmp.get(), NS_DC, "rights[1]"));
    if (!notice.empty()) rights.copyright = notice;
    rights.credit = sound(property(xmp.get(), NS_PHOTOSHOP, "Credit"));
    rights.web_statement = sound(property(xmp.get(), NS_XAP_RIGHTS, "WebStatement"));
    const std::string type = sound(property(xmp.get(), kExt, "DigitalSourceType"));
    if (type.rfind(kSourceTypes, 0) == 0) rights.source_type = type;
  } catch (const vips::VError&) {
    vips_error_clear();  // A damaged record says nothing; whether the pixels can be read shows
                         // later.
  }
  return rights;
}

std::string digital_source_type(const Composed& card, const CardFacts& facts) {
  const std::string types = kSourceTypes;
  if (!card.hero) return types + (by_model(card) ? "compositeSynthetic" : "composite");
  const std::vector<std::string>& changes = card.credit->changes;
  const bool edited = std::any_of(changes.begin(), changes.end(),
                                  [](const std::string& change) { return change != "cropped"; });
  if (edited) return types + "humanEdits";
  const std::string& own = facts.photo_rights.source_type;
  return own.empty() ? types + "digitalCapture" : own;
}

std::string xmp_packet(const Composed& card, const CardFacts& facts) {
  const std::lock_guard lock(toolkit_mutex());
  start_toolkit();
  Packet packet;
  if (!card.hero) packet.append(NS_DC, "dc:creator", facts.publisher, kSeq);
  packet.localized(NS_DC, "dc:title", facts.title, facts.language);
  packet.localized(NS_DC, "dc:description", facts.description, facts.language);
  packet.localized(NS_DC, "dc:rights", rights_line(card, facts), "");
  packet.set(NS_PHOTOSHOP, "photoshop:Credit",
             card.credit_line.empty() ? facts.publisher : card.credit_line);
  // A hero in the public domain is nobody's; a card with such a photo is still its publisher's.
  const bool free = card.hero && is_public_domain(*card.credit);
  packet.set(NS_XAP_RIGHTS, "xmpRights:Marked", free ? "False" : "True");
  packet.append(NS_XAP_RIGHTS, "xmpRights:Owner",
                free        ? ""
                : card.hero ? card.credit->author
                            : facts.publisher,
                kBag);
  packet.set(NS_XAP_RIGHTS, "xmpRights:WebStatement", web_statement(card, facts));
  if (card.credit) {
    packet.localized(NS_XAP_RIGHTS, "xmpRights:UsageTerms",
                     "The photo is under " + license_label(card.credit->license) + ", " +
                         card.credit->license_url,
                     "");
    add_photo(packet, facts, *card.credit);
    if (has_photo_licence(card)) add_licence(packet, *card.credit);
  }
  if (!facts.document_id.empty()) {
    packet.set(kMedia, "xmpMM:DocumentID", "xmp.did:" + facts.document_id);
  }
  packet.set(kExt, "Iptc4xmpExt:DigitalSourceType", digital_source_type(card, facts));
  if (by_model(card)) add_model(packet, card);
  packet.localized(kCore, "Iptc4xmpCore:AltTextAccessibility",
                   facts.alt_text.empty() ? facts.title : facts.alt_text, facts.language);
  packet.set(NS_XAP, "xmp:CreatorTool", facts.software);
  packet.set(NS_XAP, "xmp:CreateDate", facts.created);
  return packet.serialize();
}

namespace {

// The photograph by itself, as its own licence wants it named.
Json photo_part(const Credit& credit, const Json& person, const CardFacts& facts) {
  Json part = {{"@type", "ImageObject"},
               {"name", credit.title},
               {"creator", person},
               {"creditText", credit_line(credit)},
               {"copyrightNotice", photo_notice(credit, facts.photo_rights)},
               {"license", credit.license_url}};
  if (!credit.source.empty())
    part["publisher"] = {{"@type", "Organization"}, {"name", credit.source}};
  if (!credit.source_url.empty()) part["url"] = credit.source_url;
  return part;
}

}  // namespace

std::string json_ld(const Composed& card, const CardFacts& facts) {
  Json json = {{"@context", "https://schema.org"},
               {"@type", "ImageObject"},
               {"name", facts.title},
               {"width", card.image.width},
               {"height", card.image.height},
               {"creditText", card.credit_line.empty() ? facts.publisher : card.credit_line},
               {"copyrightNotice", rights_line(card, facts)},
               {"creator", Json::array()}};
  if (!facts.content_url.empty()) json["contentUrl"] = facts.content_url;
  if (!facts.alt_text.empty()) json["description"] = facts.alt_text;
  if (!card.hero && !facts.publisher.empty()) {
    json["creator"].push_back({{"@type", "Organization"}, {"name", facts.publisher}});
  }
  if (card.credit) {
    Json person = {{"@type", "Person"}, {"name", card.credit->author}};
    if (!card.credit->author_url.empty()) person["url"] = card.credit->author_url;
    json["creator"].push_back(person);
    json["license"] = web_statement(card, facts);
    json["acquireLicensePage"] = licensor_url(*card.credit);
    if (!card.hero) json["isBasedOn"] = photo_part(*card.credit, person, facts);
  }
  json["digitalSourceType"] = digital_source_type(card, facts);
  return json.dump();
}

std::string credits_json(const Composed& card, const CardFacts& facts) {
  Json json = {{"title", facts.title},
               {"publisher", facts.publisher},
               {"credit_line", card.credit_line},
               {"rights", rights_line(card, facts)},
               {"digital_source_type", digital_source_type(card, facts)},
               {"photo", nullptr},
               {"generated", Json::object()},
               {"software", facts.software}};
  json["json_ld"] = Json::parse(json_ld(card, facts));
  if (facts.photo_rights.c2pa) json["photo_content_credentials"] = true;
  if (!facts.created.empty()) json["created"] = facts.created;
  if (!card.notes.empty()) json["notes"] = card.notes;
  if (card.credit) json["photo"] = Json::parse(to_json(*card.credit));
  for (const auto& [source, recipe] : card.recipes) {
    json["generated"][source] = Json::parse(to_json(recipe));
  }
  return json.dump(2) + "\n";
}

}  // namespace affiche::cards

// SPDX-License-Identifier: Apache-2.0
#include "cards/metadata.h"

#include <exempi/xmp.h>
#include <exempi/xmpconsts.h>

#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "cards/xmp_toolkit.h"

namespace affiche::cards {
namespace {

constexpr const char* kExt = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
constexpr const char* kCore = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/";
constexpr const char* kPlus = "http://ns.useplus.org/ldf/xmp/1.0/";
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
  return credit.license == "CC0-1.0" || credit.license == "PDM-1.0" || credit.license == "CC-PDDC";
}

// "Card © 2026 Northlight Review; photo © NAME, CC BY 4.0"
std::string rights_line(const Composed& card, const CardFacts& facts) {
  std::string line = "Card ©";
  if (facts.created.size() >= 4) line += " " + facts.created.substr(0, 4);
  line += " " + facts.publisher;
  if (card.credit) {
    line += is_public_domain(*card.credit) ? "; photo by " : "; photo © ";
    line += card.credit->author + ", " + license_label(card.credit->license);
  }
  return line;
}

void add_photo(Packet& packet, const Credit& credit) {
  packet.append(NS_DC, "dc:creator", credit.author, kSeq);
  packet.set(NS_PHOTOSHOP, "photoshop:Source", credit.source);
  packet.append_struct(kPlus, "plus:Licensor", kSeq);
  packet.set(kPlus, "plus:Licensor[1]/plus:LicensorName", credit.author);
  packet.set(kPlus, "plus:Licensor[1]/plus:LicensorURL",
             !credit.source_url.empty() ? credit.source_url : credit.license_url);
  packet.append_struct(kExt, "Iptc4xmpExt:ArtworkOrObject", kBag);
  const std::string part = "Iptc4xmpExt:ArtworkOrObject[1]/Iptc4xmpExt:";
  packet.localized(kExt, part + "AOTitle", credit.title, "");
  packet.append(kExt, part + "AOCreator", credit.author, kSeq);
  packet.set(kExt, part + "AOCopyrightNotice",
             (is_public_domain(credit) ? "" : "© " + credit.author + ", ") +
                 license_label(credit.license) + ", " + credit.license_url);
  packet.set(kExt, part + "AOSource", credit.source);
  packet.set(kExt, part + "AOSourceInvURL", credit.source_url);
}

void add_model(Packet& packet, const Composed& card) {
  std::string system;
  std::string version;
  std::string prompts;
  for (const auto& [source, recipe] : card.recipes) {
    if (recipe.model == "drawn") continue;
    std::string used = recipe.model;
    for (const RecipeLora& lora : recipe.loras) used += " + " + lora.name;
    if (system.find(used) == std::string::npos) system += (system.empty() ? "" : "; ") + used;
    version = recipe.build + ", model sha256 " + recipe.model_sha256;
    prompts += (prompts.empty() ? "" : "; ") + source + ": " + recipe.prompt;
  }
  packet.set(kExt, "Iptc4xmpExt:AISystemUsed", system);
  packet.set(kExt, "Iptc4xmpExt:AISystemVersionUsed", version);
  packet.set(kExt, "Iptc4xmpExt:AIPromptInformation", prompts);
}

}  // namespace

std::string digital_source_type(const Composed& card) {
  return std::string(kSourceTypes) + (by_model(card) ? "compositeSynthetic" : "composite");
}

std::string xmp_packet(const Composed& card, const CardFacts& facts) {
  const std::lock_guard lock(toolkit_mutex());
  start_toolkit();
  Packet packet;
  packet.append(NS_DC, "dc:creator", facts.publisher, kSeq);
  packet.localized(NS_DC, "dc:title", facts.title, facts.language);
  packet.localized(NS_DC, "dc:description", facts.description, facts.language);
  packet.localized(NS_DC, "dc:rights", rights_line(card, facts), "");
  packet.set(NS_PHOTOSHOP, "photoshop:Credit",
             card.credit_line.empty() ? facts.publisher : card.credit_line);
  packet.set(NS_XAP_RIGHTS, "xmpRights:Marked", "True");
  packet.append(NS_XAP_RIGHTS, "xmpRights:Owner", facts.publisher, kBag);
  packet.set(NS_XAP_RIGHTS, "xmpRights:WebStatement",
             !facts.page_url.empty() || !card.credit ? facts.page_url : card.credit->license_url);
  if (card.credit) {
    packet.localized(NS_XAP_RIGHTS, "xmpRights:UsageTerms",
                     "The photo is under " + license_label(card.credit->license) + ", " +
                         card.credit->license_url,
                     "");
    add_photo(packet, *card.credit);
  }
  packet.set(kExt, "Iptc4xmpExt:DigitalSourceType", digital_source_type(card));
  if (by_model(card)) add_model(packet, card);
  packet.localized(kCore, "Iptc4xmpCore:AltTextAccessibility",
                   facts.alt_text.empty() ? facts.title : facts.alt_text, facts.language);
  packet.set(NS_XAP, "xmp:CreatorTool", facts.software);
  packet.set(NS_XAP, "xmp:CreateDate", facts.created);
  return packet.serialize();
}

std::string credits_json(const Composed& card, const CardFacts& facts) {
  Json json = {{"title", facts.title},
               {"publisher", facts.publisher},
               {"credit_line", card.credit_line},
               {"rights", rights_line(card, facts)},
               {"digital_source_type", digital_source_type(card)},
               {"photo", nullptr},
               {"generated", Json::object()},
               {"software", facts.software}};
  if (!facts.created.empty()) json["created"] = facts.created;
  if (!card.notes.empty()) json["notes"] = card.notes;
  if (card.credit) json["photo"] = Json::parse(to_json(*card.credit));
  for (const auto& [source, recipe] : card.recipes) {
    json["generated"][source] = Json::parse(to_json(recipe));
  }
  return json.dump(2) + "\n";
}

}  // namespace affiche::cards

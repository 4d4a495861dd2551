// SPDX-License-Identifier: Apache-2.0
#include "service/card_files.h"

#include "base/error.h"
#include "base/sha256.h"
#include "cards/metadata.h"
#include "service/names.h"

namespace affiche::service {
namespace {

bool is_file_name(const std::string& out) {
  return !out.empty() && out.back() != '/' && std::filesystem::path(out).has_extension() &&
         !std::filesystem::is_directory(out);
}

std::string variable(const cards::CardInputs& inputs, const std::string& name) {
  const auto found = inputs.variables.find(name);
  return found == inputs.variables.end() ? "" : found->second;
}

// What the card is called in its metadata: its headline, or the first text that there is.
std::string title_of(const cards::CardInputs& inputs) {
  for (const char* name : {"headline", "title", "quote", "name"}) {
    if (const std::string text = variable(inputs, name); !text.empty()) return text;
  }
  return inputs.variables.empty() ? "card" : inputs.variables.begin()->second;
}

}  // namespace

CardFile encode_card(const cards::Composed& composed, const cards::Brand& brand,
                     const cards::CardInputs& inputs, cards::Format format,
                     const std::string& created, const std::string& site_url) {
  cards::CardFacts facts;
  facts.title = title_of(inputs);
  facts.alt_text = variable(inputs, "alt");
  facts.publisher = brand.publisher;
  facts.page_url = site_url;
  facts.created = created;
  facts.language = composed.language;
  facts.software = "affiche " AFFICHE_VERSION;
  if (composed.credit && inputs.photo) {
    facts.photo_sha256 = sha256_hex(inputs.photo->encoded());
    facts.photo_rights = cards::read_photo_rights(*inputs.photo);
  }
  // The same card has the same name in every format; what makes it another one is in the hash.
  facts.document_id =
      sha256_hex(concat(composed.hero ? "hero" : "card", composed.image.width, "x",
                        composed.image.height, "\n", brand.publisher, "\n", facts.title, "\n",
                        composed.credit_line, "\n", facts.photo_sha256))
          .substr(0, 32);

  cards::Encoded encoded =
      cards::encode(composed.image, format, {}, {.xmp = xmp_packet(composed, facts)});
  CardFile file;
  file.title = facts.title;
  file.credit = composed.credit;
  file.credit_line = composed.credit_line;
  file.credits_json = credits_json(composed, facts);
  file.quality = encoded.quality;
  file.warnings = composed.notes;
  file.warnings.insert(file.warnings.end(), composed.warnings.begin(), composed.warnings.end());
  if (!encoded.given_up.empty()) {
    file.warnings.push_back("for the byte budget: " + encoded.given_up);
  }
  if (encoded.over_budget) {
    file.warnings.push_back(
        concat("the file has ", encoded.bytes.size(), " bytes, more than its ", "budget of ",
               cards::EncodeOptions{}.budget,
               format == cards::Format::Png ? "; a JPEG would be smaller" : ""));
  }
  file.bytes = std::move(encoded.bytes);
  return file;
}

CardFile make_card_file(const cards::Template& card, const cards::Brand& brand,
                        const cards::CardInputs& inputs, cards::Format format,
                        const std::string& created, const std::string& site_url) {
  return encode_card(compose(card, brand, inputs), brand, inputs, format, created, site_url);
}

cards::Format card_format(const std::string& out) {
  return is_file_name(out) ? cards::format_for(out) : cards::Format::Jpeg;
}

std::filesystem::path card_path(const std::string& out, const std::filesystem::path& folder,
                                const std::string& title, const std::string& sha256) {
  if (is_file_name(out)) return out;
  return (out.empty() ? folder : std::filesystem::path(out)) /
         (slug(title) + "-" + sha256.substr(0, 8) + ".jpg");
}

std::filesystem::path credits_path(const std::filesystem::path& card) {
  std::filesystem::path path = card;
  return path.replace_extension(".credits.json");
}

}  // namespace affiche::service

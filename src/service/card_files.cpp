// SPDX-License-Identifier: Apache-2.0
#include "service/card_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/sha256.h"
#include "cards/hero.h"
#include "cards/metadata.h"
#include "service/content_credentials.h"
#include "service/names.h"

namespace affiche::service {
namespace {

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

cards::CardFacts facts_of(const cards::Composed& composed, const cards::Brand& brand,
                          const cards::CardInputs& inputs, const CardEncoding& encoding) {
  cards::CardFacts facts;
  facts.title = title_of(inputs);
  facts.alt_text = variable(inputs, "alt");
  facts.publisher = brand.publisher;
  facts.page_url = encoding.site_url;
  facts.created = encoding.created;
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
  return facts;
}

}  // namespace

CardFile encode_card(const cards::Composed& composed, const cards::Brand& brand,
                     const cards::CardInputs& inputs, const CardEncoding& encoding) {
  const cards::CardFacts facts = facts_of(composed, brand, inputs, encoding);
  const Output& output = encoding.output;
  cards::EncodeOptions options;
  options.quality = output.quality;
  options.quality_floor = std::min(options.quality_floor, output.quality);
  options.budget = output.budget;
  const cards::Metadata metadata = {.xmp = xmp_packet(composed, facts)};
  cards::Encoded encoded = cards::encode(composed.image, output.format, options, metadata);
  const ContentCredentials credentials(encoding.signing);
  if (credentials.on()) {
    const auto sign = [&] {
      return credentials.sign(encoded.bytes, output.format, composed, inputs.photo, facts.title,
                              digital_source_type(composed, facts));
    };
    Bytes signed_bytes = sign();
    const std::size_t more = signed_bytes.size() - encoded.bytes.size();
    if (options.budget > more && signed_bytes.size() > options.budget) {
      options.budget -= more;
      encoded = cards::encode(composed.image, output.format, options, metadata);
      signed_bytes = sign();
    }
    encoded.bytes = std::move(signed_bytes);
    encoded.over_budget = output.budget != 0 && encoded.bytes.size() > output.budget;
  }
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
    file.warnings.push_back(concat(
        "the file has ", encoded.bytes.size(), " bytes, more than its ", "budget of ",
        output.budget, output.format == cards::Format::Png ? "; a JPEG would be smaller" : ""));
  }
  file.bytes = std::move(encoded.bytes);
  return file;
}

CardFile make_card_file(const cards::Template& card, const cards::Brand& brand,
                        const cards::CardInputs& inputs, const CardEncoding& encoding) {
  if (encoding.output.size != kHeroSize) {
    return encode_card(compose(card, brand, inputs), brand, inputs, encoding);
  }
  if (!inputs.photo) fail(Cause::NotFound, "hero: expected a photograph, found none");
  return encode_card(cards::make_hero(*inputs.photo), brand, inputs, encoding);
}

bool is_file_name(const std::string& out) {
  return !out.empty() && out.back() != '/' && std::filesystem::path(out).has_extension() &&
         !std::filesystem::is_directory(out);
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

std::filesystem::path output_path(const std::string& out, const std::filesystem::path& folder,
                                  const std::string& title, const Output& output,
                                  const std::string& sha256) {
  if (is_file_name(out)) return out;
  return (out.empty() ? folder : std::filesystem::path(out)) /
         (slug(title) + "-" + slug(output.size) + "-" + sha256.substr(0, 8) +
          cards::extension(output.format));
}

std::filesystem::path credits_path(const std::filesystem::path& card) {
  std::filesystem::path path = card;
  return path.replace_extension(".credits.json");
}

}  // namespace affiche::service

// SPDX-License-Identifier: Apache-2.0
// A composed card as bytes, and where its files go. Used by the worker and by `affiche compose`, so
// that both make the same files from the same inputs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "cards/compose.h"
#include "cards/encode.h"
#include "service/config.h"
#include "service/outputs.h"

namespace affiche::service {

struct CardFile {
  Bytes bytes;
  std::string title;
  std::optional<Credit> credit;  // as printed
  std::string credit_line;
  std::string credits_json;  // the content of NAME.credits.json
  int quality = 0;           // of the encoder; 0 for lossless formats
  std::vector<std::string> warnings;
};

struct CardEncoding {
  Output output;            // format, quality and budget
  std::string created;      // ISO 8601, goes into the file; empty: no date
  std::string site_url;     // may be empty
  SigningSettings signing;  // without a tool: not signed
};

// Writes the metadata, encodes and signs: unsigned, the same composition and encoding give the same
// bytes. Signed files meet their budget too. Errors as cards::encode() and ContentCredentials.
CardFile encode_card(const cards::Composed& composed, const cards::Brand& brand,
                     const cards::CardInputs& inputs, const CardEncoding& encoding);

// The composition too: of `card` as it is, or for an output of the size "hero" the photograph
// alone. NotFound for a hero without a photograph; else as cards::compose().
CardFile make_card_file(const cards::Template& card, const cards::Brand& brand,
                        const cards::CardInputs& inputs, const CardEncoding& encoding);

// Whether `out` names a file: it has an extension and is no folder.
bool is_file_name(const std::string& out);

// JPEG for a folder or no name; else by the file's extension (Usage for unknown ones).
cards::Format card_format(const std::string& out);

// `out` when it names a file; else OUT/TITLE-HASH.jpg, or FOLDER/TITLE-HASH.jpg when it is empty.
// The name carries the start of the content's SHA-256, because platforms cache cards by URL.
std::filesystem::path card_path(const std::string& out, const std::filesystem::path& folder,
                                const std::string& title, const std::string& sha256);

// The same for one of several outputs: FOLDER/TITLE-SIZE-HASH.FORMAT.
std::filesystem::path output_path(const std::string& out, const std::filesystem::path& folder,
                                  const std::string& title, const Output& output,
                                  const std::string& sha256);

// NAME.jpg -> NAME.credits.json
std::filesystem::path credits_path(const std::filesystem::path& card);

}  // namespace affiche::service

// SPDX-License-Identifier: Apache-2.0
// From the names that jobs and users write to files, and from headlines to file names.
#pragma once

#include <filesystem>
#include <string>

namespace affiche::service {

// "article" is FOLDER/article.toml; anything with a slash or ending in .toml is a path of its own.
// `kind` is "template" or "brand", for the message. NotFound lists what the folder holds. An empty
// name means the only file of the folder; Usage when there are none or several.
std::filesystem::path named_file(const std::string& name, const std::filesystem::path& folder,
                                 const std::string& kind);

// "Rates fall for a third time" -> "rates-fall-for-a-third-time": ASCII letters and digits in lower
// case, runs of anything else as one hyphen, at most `limit` bytes, cut between words where
// possible. Text without ASCII letters or digits gives "card".
std::string slug(const std::string& text, std::size_t limit = 60);

}  // namespace affiche::service

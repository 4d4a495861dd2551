// SPDX-License-Identifier: Apache-2.0
// The files that one job makes: sizes of the template and formats, each with its byte budget, and
// the plain photograph that search engines want.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cards/encode.h"
#include "cards/template.h"

namespace affiche::service {

// A size of this name is the photograph alone, 1600x900 and without text.
inline constexpr const char* kHeroSize = "hero";

struct Output {
  std::string size;  // of the template, or kHeroSize; empty: the template's first
  cards::Format format = cards::Format::Jpeg;
  int quality = cards::EncodeOptions{}.quality;        // at most; less to meet the budget
  std::size_t budget = cards::EncodeOptions{}.budget;  // bytes with the metadata; 0: none
  bool operator==(const Output&) const = default;
};

// "square.webp", and what a stage of the job is called by: unique in its list.
std::string label(const Output& output);

// A list, or one text of them parted by spaces or commas. Each is "SIZE.FORMAT",
// "SIZE.FORMAT:BYTES" or an object with "size", "format" (jpg), "budget" (bytes) and "quality".
// BadInput, naming `what`, for anything else, for one that occurs twice and for more than 40.
std::vector<Output> read_outputs(const Json& list, const std::string& what);
std::string to_json(const std::vector<Output>& outputs);

// BadInput for a size that the template lacks, and for a hero of a template without photographs.
void check_outputs(const std::vector<Output>& outputs, const cards::Template& card,
                   const std::string& what);

// What `names` gives for any of the outputs' sizes of the template; without outputs, for the first.
std::vector<std::string> names_of(
    const cards::Template& card, const std::vector<Output>& outputs,
    const std::function<std::vector<std::string>(const cards::Template&)>& names);

}  // namespace affiche::service

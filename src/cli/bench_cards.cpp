// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_cards.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <sstream>

#include "cards/compose.h"
#include "cards/encode.h"
#include "cards/metadata.h"
#include "imaging/raw.h"

namespace affiche::cli {
namespace {

constexpr int kWarmUp = 3;
constexpr int kCardsPerPhoto = 10;

double since(std::chrono::steady_clock::time_point start) {
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  return elapsed.count();
}

// A comment with a number, so that no cache takes the photo for one that it knows.
Bytes renamed(Bytes jpeg, int number) {
  const Bytes comment = {0xff,
                         0xfe,
                         0,
                         6,
                         static_cast<std::uint8_t>(number >> 24),
                         static_cast<std::uint8_t>(number >> 16),
                         static_cast<std::uint8_t>(number >> 8),
                         static_cast<std::uint8_t>(number)};
  jpeg.insert(jpeg.begin() + 2, comment.begin(), comment.end());
  return jpeg;
}

Photo read_photo(const BenchParts& parts, int number, int unique) {
  const auto file = parts.folder / ("photo-" + std::to_string(number % parts.count) + ".jpg");
  return Photo(renamed(read_bytes(file), unique), parts.credit);
}

Generated read_background(const BenchParts& parts, int number, int unique) {
  const auto file = parts.folder / ("background-" + std::to_string(number % parts.count) + ".raw");
  Recipe recipe;
  recipe.model = "bench";
  recipe.seed = unique;
  return Generated(from_raw(read_bytes(file), file.string()), recipe);
}

// The finished file; what each step took goes into `steps`.
Bytes make_card(const cards::Template& card, const cards::Brand& brand,
                const cards::CardInputs& inputs, std::map<std::string, double>& steps) {
  cards::Composed composed = compose(card, brand, inputs);
  const auto describing = std::chrono::steady_clock::now();
  cards::CardFacts facts;
  facts.title = inputs.variables.at("headline");
  facts.publisher = brand.publisher;
  const std::string xmp = xmp_packet(composed, facts);
  steps = std::move(composed.timings);
  steps["metadata"] = since(describing);
  const auto encoding = std::chrono::steady_clock::now();
  Bytes file =
      cards::encode(composed.image, cards::Format::Jpeg,
                    {.quality = 85, .budget = 0, .progressive = false, .full_chroma = false},
                    {.xmp = xmp})
          .bytes;
  steps["encode"] = since(encoding);
  return file;
}

const std::string& headline_of(const BenchParts& parts, int number) {
  return parts.headlines[static_cast<std::size_t>(number) % parts.headlines.size()];
}

}  // namespace

Measured measure_cards(const cards::Template& card, const cards::Brand& brand,
                       const BenchParts& parts, bool fresh, int count,
                       const std::shared_ptr<cards::PreparedParts>& kept) {
  static std::atomic<int> made_before = 0;
  int unique = made_before.fetch_add(count + kWarmUp);
  std::vector<cards::CardInputs> ready;
  for (int i = 0; i < parts.count && !fresh; ++i) {
    ready.emplace_back().photo = read_photo(parts, i, 0);
    ready.back().generated.emplace("background", read_background(parts, i, i));
  }
  // Each photo with each headline: what the words cover moves the crop.
  const int warm_up = fresh ? kWarmUp : static_cast<int>(parts.headlines.size());
  Measured measured;
  for (int i = 0; i < count + warm_up; ++i) {
    const auto start = std::chrono::steady_clock::now();
    cards::CardInputs inputs;
    if (fresh) {
      ++unique;
      inputs.photo = read_photo(parts, i, unique);
      inputs.generated.emplace("background", read_background(parts, i, 1000 + unique));
    } else {
      inputs = ready[static_cast<std::size_t>(i) % ready.size()];
    }
    inputs.kept = kept;
    inputs.variables = {{"headline", headline_of(parts, i)}, {"byline", parts.byline}};
    const double read = since(start);
    std::map<std::string, double> steps;
    measured.last = make_card(card, brand, inputs, steps);
    if (i < warm_up) continue;
    measured.ms.push_back(since(start));
    steps["read files"] = read;
    for (const auto& [step, ms] : steps) measured.steps[step].push_back(ms);
  }
  return measured;
}

void make_stream(const cards::Template& card, const cards::Brand& brand, const BenchParts& parts,
                 int first, int count, const std::shared_ptr<cards::PreparedParts>& kept) {
  cards::CardInputs inputs;
  inputs.kept = kept;
  for (int number = first; number < first + count; ++number) {
    if (number == first || number % kCardsPerPhoto == 0) {
      inputs.photo = read_photo(parts, number / kCardsPerPhoto, number);
      inputs.generated.insert_or_assign("background",
                                        read_background(parts, number / kCardsPerPhoto, number));
    }
    inputs.variables = {{"headline", std::to_string(number) + " · " + headline_of(parts, number)},
                        {"byline", parts.byline}};
    std::map<std::string, double> steps;
    make_card(card, brand, inputs, steps);
  }
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The line of a program's complaints that says most: the last one that names an error, else the
// last one.
std::string complaint_in(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  std::string error;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    last = line;
    if (line.find("rror") != std::string::npos) error = line;
  }
  return error.empty() ? last : error;
}

Json run_peer(const std::string& command, const std::filesystem::path& complaints) {
  std::string output;
  const std::string whole = "{ " + command + "; } 2>'" + complaints.string() + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(whole.c_str(), "r"), &pclose);
  std::array<char, 4096> buffer{};
  while (pipe != nullptr && std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
    output += buffer.data();
  }
  const Json answer = Json::parse(output, nullptr, false);
  if (answer.is_object() && answer.contains("ms")) return answer;
  const std::string why =
      std::filesystem::exists(complaints) ? complaint_in(read_text(complaints)) : "";
  return {{"why", why.empty() ? "no answer" : why}};
}

}  // namespace affiche::cli

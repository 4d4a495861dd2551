// SPDX-License-Identifier: Apache-2.0
#include "service/card_bench.h"

#include <chrono>

#include "base/error.h"
#include "base/sha256.h"
#include "cards/hero.h"
#include "service/card_files.h"
#include "service/card_job.h"
#include "service/drawn_background.h"
#include "service/names.h"

namespace affiche::service {

CardBench::CardBench(const Config& config)
    : config_(config),
      store_(config.paths.database, clock_),
      artifacts_(config.paths.artifacts),
      library_(config, store_, artifacts_),
      backgrounds_(store_, artifacts_, config),
      templates_(cards::load_template),
      brands_(cards::load_brand) {}

cards::CardInputs CardBench::inputs_for(const CardRequest& request, const cards::Template& card,
                                        const cards::Brand& brand) {
  cards::CardInputs inputs;
  inputs.kept = parts_;
  inputs.variables = job_variables(request.variables, "set");
  if (!request.photo.empty()) {
    if (!request.credit) {
      fail(Cause::Usage, request.photo, ": expected a credit with the photograph; add --credit");
    }
    inputs.photo = library_.examine(request.photo, *request.credit).photo;
  }
  for (const std::string& source : names_of(card, request.outputs, [&](const auto& one) {
         return one.generated_names(inputs.photo.has_value());
       })) {
    const Backgrounds::Made made = backgrounds_.make(
        brand, source, variation_of(request.variables, brand), {}, card.model_missing);
    inputs.generated.emplace(source, backgrounds_.load(made));
    if (!made.note.empty()) inputs.notes.push_back(made.note);
  }
  for (const std::string& source : names_of(card, request.outputs, [&](const auto& one) {
         return one.drawn_names(inputs.photo.has_value());
       })) {
    const Recipe recipe = drawn_recipe(brand, source, variation_of(request.variables, brand));
    inputs.generated.emplace(source, Generated(draw_background(recipe), recipe));
  }
  return inputs;
}

CardAnswer CardBench::write(const CardFile& file, const std::filesystem::path& path,
                            const cards::CardInputs& inputs) {
  write_atomically(path, file.bytes);
  write_atomically(credits_path(path), file.credits_json);
  if (file.credit) {
    store::CreditEntry entry;
    entry.card_path = std::filesystem::absolute(path).string();
    entry.card_sha256 = sha256_hex(file.bytes);
    entry.photo_id = sha256_hex(inputs.photo->encoded());
    entry.credit = *file.credit;
    entry.line = file.credit_line;
    store_.add_credit(entry);
  }
  return {path.string(), file.bytes.size(), 0, file.warnings};
}

std::vector<CardAnswer> CardBench::make(const CardRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  if (request.out.empty() && request.hero.empty()) {
    fail(Cause::Usage, "compose: expected an output file; add --out");
  }
  for (const std::string& out : request.out) card_format(out);
  if (!request.outputs.empty() && (request.out.size() != 1 || is_file_name(request.out.front()))) {
    fail(Cause::Usage, "compose: several outputs need one folder; add --out FOLDER/");
  }
  const auto brand = brands_.get(named_file(request.brand, config_.paths.brands, "brand"));
  std::vector<CardAnswer> answers;
  const auto answer = [&](CardAnswer made) {
    const std::chrono::duration<double, std::milli> elapsed =
        std::chrono::steady_clock::now() - start;
    made.milliseconds = elapsed.count();
    answers.push_back(std::move(made));
  };
  const auto card =
      templates_.get(named_file(request.card_template, config_.paths.templates, "template"));
  const cards::CardInputs inputs = inputs_for(request, *card, *brand);
  if (!request.hero.empty() && !inputs.photo) {
    fail(Cause::Usage, "compose: --hero ", request.hero, ": expected a photograph; add --photo");
  }
  // No date: a clock in the file would make another file of the same card each time.
  CardEncoding encoding{{}, "", config_.site.url, config_.c2pa};
  const auto encode_to = [&](const cards::Composed& composed, const std::string& out) {
    encoding.output.format = card_format(out);
    const CardFile file = encode_card(composed, *brand, inputs, encoding);
    answer(write(file, card_path(out, out, file.title, sha256_hex(file.bytes)), inputs));
  };
  check_outputs(request.outputs, *card, "outputs");
  for (const Output& output : request.outputs) {
    if (output.size == kHeroSize && !inputs.photo) continue;
    encoding.output = output;
    const cards::Template& sized = output.size == kHeroSize ? *card : card->at_size(output.size);
    const CardFile file = make_card_file(sized, *brand, inputs, encoding);
    answer(write(file,
                 output_path(request.out.front(), "", file.title, output, sha256_hex(file.bytes)),
                 inputs));
  }
  encoding.output = {};
  if (!request.out.empty() && request.outputs.empty()) {
    const cards::Composed composed = compose(*card, *brand, inputs);
    for (const std::string& out : request.out) encode_to(composed, out);
  }
  if (!request.hero.empty()) encode_to(cards::make_hero(*inputs.photo), request.hero);
  return answers;
}

}  // namespace affiche::service

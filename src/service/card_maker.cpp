// SPDX-License-Identifier: Apache-2.0
#include "service/card_maker.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <variant>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cards/compose.h"
#include "cards/encode.h"
#include "cards/metadata.h"
#include "service/backgrounds.h"
#include "service/card_files.h"
#include "service/card_job.h"
#include "service/drawn_background.h"
#include "service/kept_files.h"
#include "service/names.h"
#include "service/outputs.h"
#include "service/photo_choice.h"
#include "service/photo_finder.h"
#include "service/photo_library.h"
#include "service/photo_sources.h"
#include "service/take_down.h"

namespace affiche::service {
namespace {

constexpr const char* kPhoto = "photo";
constexpr const char* kBackground = "background";
constexpr const char* kCompose = "compose";
constexpr const char* kPublish = "publish";
constexpr std::pair<int, int> kHeroPixels{1600, 900};

std::string describe(const store::Job& job) {
  return concat("job ", job.id);
}

std::vector<Output> outputs_of(const store::Job& job) {
  return read_outputs(parse_json(job.makes, describe(job) + ": outputs"),
                      describe(job) + ": outputs");
}

std::string stage_of(const Output& output) {
  return std::string(kCompose) + " " + label(output);
}

// In the order of the job's files; without any, one of its own.
std::vector<std::string> compose_stages(const store::Job& job) {
  std::vector<std::string> stages;
  for (const Output& output : outputs_of(job)) stages.push_back(stage_of(output));
  if (stages.empty()) stages.emplace_back(kCompose);
  return stages;
}

// The file of a stage; of the template's first size when the job names none.
Output output_of(const store::Job& job, const std::string& stage) {
  for (const Output& output : outputs_of(job)) {
    if (stage_of(output) == stage) return output;
  }
  Output first;
  first.format = card_format(job.out);
  return first;
}

class CardMaker final : public StageRunner {
 public:
  CardMaker(const Config& config, store::Store& store, store::Artifacts& artifacts,
            photos::Turns::Sleep sleep)
      : config_(config),
        store_(store),
        artifacts_(artifacts),
        library_(config, store, artifacts),
        sources_(config, store.clock(), std::move(sleep)),
        finder_(config, store, artifacts, library_, sources_),
        choice_(config, store, library_, places_of(config, sources_, finder_)),
        backgrounds_(store, artifacts, config),
        templates_(cards::load_template),
        brands_(cards::load_brand) {
    sources_.providers();  // wrong settings are told now, not by each job
  }

  // A stage for each file: a crash costs one of them.
  std::vector<std::string> stage_names(const store::Job& job) override {
    std::vector<std::string> names = {kPhoto, kBackground};
    for (const std::string& stage : compose_stages(job)) names.push_back(stage);
    names.emplace_back(kPublish);
    return names;
  }

  StageResult run(const store::Job& job, const std::string& stage, const store::Stages& done,
                  std::stop_token stop) override {
    if (stage == kPhoto) return photo(job, stop);
    if (stage == kBackground) return background(job, done, stop);
    if (stage.starts_with(kCompose)) return compose(job, stage, done);
    if (stage == kPublish) return publish(job, done);
    fail(Cause::Internal, describe(job), ": unknown stage \"", stage, "\"");
  }

 private:
  StageResult photo(const store::Job& job, std::stop_token stop);
  FoundPhoto find_photo(const store::Job& job, const PhotoRequest& request,
                        const cards::Template& card, std::stop_token stop);
  StageResult background(const store::Job& job, const store::Stages& done, std::stop_token stop);
  StageResult compose(const store::Job& job, const std::string& stage, const store::Stages& done);
  StageResult publish(const store::Job& job, const store::Stages& done);
  void publish_file(const store::Job& job, const std::string& stage, const store::Stages& done,
                    StageResult& result);

  std::shared_ptr<const cards::Template> template_of(const store::Job& job) {
    return templates_.get(named_file(job.template_name, config_.paths.templates, "template"));
  }
  std::shared_ptr<const cards::Brand> brand_of(const store::Job& job) {
    return brands_.get(named_file(job.brand, config_.paths.brands, "brand"));
  }

  const Config& config_;
  store::Store& store_;
  store::Artifacts& artifacts_;
  PhotoLibrary library_;
  PhotoSources sources_;
  PhotoFinder finder_;
  PhotoChoice choice_;
  Backgrounds backgrounds_;
  std::shared_ptr<cards::PreparedParts> parts_ = std::make_shared<cards::PreparedParts>();
  KeptFiles<cards::Template> templates_;
  KeptFiles<cards::Brand> brands_;
};

// The largest place that one size of the template has for the photograph.
std::pair<int, int> photo_size(const cards::Template& card) {
  std::pair<int, int> size{0, 0};
  for (const cards::Layer& layer : card.layers) {
    if (!std::holds_alternative<cards::PhotoLayer>(layer.content)) continue;
    const bool whole = layer.box.width <= 0 || layer.box.height <= 0;
    size.first = std::max(size.first, whole ? card.width : static_cast<int>(layer.box.width));
    size.second = std::max(size.second, whole ? card.height : static_cast<int>(layer.box.height));
  }
  return size;
}

// The largest place of any of the job's files.
std::pair<int, int> largest_place(const store::Job& job, const cards::Template& card) {
  std::pair<int, int> largest = photo_size(card);
  for (const Output& output : outputs_of(job)) {
    const std::pair<int, int> place =
        output.size == kHeroSize ? kHeroPixels : photo_size(card.at_size(output.size));
    if (std::int64_t{place.first} * place.second > std::int64_t{largest.first} * largest.second) {
      largest = place;
    }
  }
  return largest;
}

FoundPhoto CardMaker::find_photo(const store::Job& job, const PhotoRequest& request,
                                 const cards::Template& card, std::stop_token stop) {
  ChoiceRequest wanted;
  std::tie(wanted.width, wanted.height) = photo_size(card);
  wanted.salt = job.variables;
  wanted.language = request.language;
  const std::pair<int, int> largest = largest_place(job, card);
  // One that is large enough for every file; else one for the first size, as without the others.
  const auto choose = [&](std::vector<std::string> queries) {
    wanted.queries = std::move(queries);
    ChoiceRequest large = wanted;
    std::tie(large.width, large.height) = largest;
    try {
      return choice_.choose(large, stop);
    } catch (const Error& error) {
      const bool same = large.width == wanted.width && large.height == wanted.height;
      if (same || error.retryable() || error.cause() == Cause::Cancelled) throw;
      return choice_.choose(wanted, stop);
    }
  };
  const auto by_variables = [&] {
    return choose(queries_of_variables(job_variables(job.variables, describe(job) + ": set"),
                                       request.language));
  };
  if (!request.query.empty()) return choose({request.query});
  if (request.automatic) return by_variables();
  try {
    if (!request.reference.empty()) return finder_.get(request.reference, stop);
    if (request.id.empty()) return library_.take(request.path, request.credit);
    FoundPhoto found = library_.get(request.id);
    finder_.tell_use(found.id, stop);
    return found;
  } catch (const TakenDownPhoto&) {
    // The very picture that the job names: the words of its variables stand in.
    return by_variables();
  }
}

StageResult CardMaker::photo(const store::Job& job, std::stop_token stop) {
  if (!job.out.empty()) withdraw(store_, job.out);
  // Names with a hash change with the photograph: all that the job made before, wherever it lies.
  for (const std::string& path : job.outputs) withdraw(store_, path);
  const auto card = template_of(job);
  check_outputs(outputs_of(job), *card, describe(job) + ": outputs");
  const PhotoRequest request = photo_request(job.photo, describe(job) + ": photo");
  const bool needed =
      card->has_photo() && card->photo_missing == cards::Template::PhotoMissing::Fail;
  std::optional<FoundPhoto> found;
  std::string reason = request.wanted() ? "" : "the job names no photograph";
  if (card->has_photo() && request.wanted()) {
    try {
      found = find_photo(job, request, *card, stop);
    } catch (const Error& error) {
      // Without a lawful photo the template's own variant is made, where it has one (promise 2).
      const bool later = error.retryable() || error.cause() == Cause::Cancelled;
      if (needed || later) throw;
      reason = error.what();
    }
  }
  if (!found) {
    if (needed) {
      fail(Cause::NotFound, describe(job), ": template \"", job.template_name,
           "\" needs a photograph, the job names none; add \"photo\"");
    }
    return {"", without_photo(reason), {}, {}};
  }
  return {found->id, to_json(ChosenPhoto{found->id, found->photo.credit()}), {}, {}};
}

StageResult CardMaker::background(const store::Job& job, const store::Stages& done,
                                  std::stop_token stop) {
  const auto card = template_of(job);
  const auto brand = brand_of(job);
  MadeByName made;
  const bool with_photo = chosen_photo(done).has_value();
  for (const std::string& source : names_of(*card, outputs_of(job), [&](const auto& one) {
         return one.generated_names(with_photo);
       })) {
    made[source] = backgrounds_.make(*brand, source, variation_of(job.variables, *brand), stop,
                                     card->model_missing);
  }
  return {made.empty() ? "" : made.begin()->second.artifact, to_json(made), {}, {}};
}

StageResult CardMaker::compose(const store::Job& job, const std::string& stage,
                               const store::Stages& done) {
  const auto whole = template_of(job);
  const Output output = output_of(job, stage);
  const bool hero = output.size == kHeroSize;
  const cards::Template& card = hero || output.size.empty() ? *whole : whole->at_size(output.size);
  const auto brand = brand_of(job);
  const auto chosen = chosen_photo(done);
  if (hero && !chosen) return {"", Json{{"left_out", "the card has no photograph"}}.dump(), {}, {}};
  cards::CardInputs inputs;
  inputs.kept = parts_;
  inputs.variables = job_variables(job.variables, describe(job) + ": set");
  if (chosen) inputs.photo = Photo(artifacts_.get(chosen->id), chosen->credit);
  const std::vector<std::string> generated = card.generated_names(chosen.has_value());
  for (const auto& [source, made] : made_pictures(done)) {
    if (hero || std::find(generated.begin(), generated.end(), source) == generated.end()) continue;
    inputs.generated.emplace(source, backgrounds_.load(made));
    if (!made.note.empty()) inputs.notes.push_back(made.note);
  }
  const std::vector<std::string> drawn = card.drawn_names(chosen.has_value());
  for (std::size_t i = 0; i < drawn.size() && !hero; ++i) {
    const Recipe recipe = drawn_recipe(*brand, drawn[i], variation_of(job.variables, *brand));
    inputs.generated.emplace(drawn[i], Generated(draw_background(recipe), recipe));
  }
  const CardFile file = make_card_file(
      card, *brand, inputs, {output, iso8601(job.created), config_.site.url, config_.c2pa});
  const std::string artifact = artifacts_.put(file.bytes);
  store_.add_artifact(artifact, file.bytes.size(), cards::media_type(output.format));
  Json detail = {{"title", file.title},
                 {"line", file.credit_line},
                 {"quality", file.quality},
                 {"warnings", file.warnings},
                 {"credits", file.credits_json}};
  detail["credit"] = file.credit ? Json::parse(to_json(*file.credit)) : Json();
  return {artifact, detail.dump(), {}, {}};
}

// Writes the file of one compose stage, and adds it to the result.
void CardMaker::publish_file(const store::Job& job, const std::string& stage,
                             const store::Stages& done, StageResult& result) {
  const auto finished = done.find(stage);
  if (finished == done.end()) fail(Cause::Internal, describe(job), ": published before composed");
  const std::string& artifact = finished->second.artifact;
  if (artifact.empty()) return;  // left out
  const Json detail = parse_json(finished->second.detail, describe(job) + ": " + stage);
  const Output output = output_of(job, stage);
  const std::string title = detail.at("title").get<std::string>();
  const std::filesystem::path out =
      output.size.empty() ? card_path(job.out, config_.paths.output, title, artifact)
                          : output_path(job.out, config_.paths.output, title, output, artifact);
  write_atomically(out, artifacts_.get(artifact));
  write_atomically(credits_path(out), detail.at("credits").get<std::string>());
  if (result.artifact.empty()) result.artifact = artifact;
  result.outputs.push_back(out.string());
  const auto chosen = chosen_photo(done);
  if (!chosen) return;
  store::CreditEntry entry;
  entry.card_path = out.string();
  entry.card_sha256 = artifact;
  entry.photo_id = chosen->id;
  entry.credit = credit_from_json(detail.at("credit").dump(), describe(job) + ": credit");
  entry.line = detail.at("line").get<std::string>();
  entry.site = config_.site.url.empty() ? config_.site.name : config_.site.url;
  if (const auto known = store_.evidence(chosen->id); !known.empty()) {
    entry.evidence_sha256 = known.front().sha256;
  }
  result.credits.push_back(entry);
}

StageResult CardMaker::publish(const store::Job& job, const store::Stages& done) {
  if (const auto chosen = chosen_photo(done)) {
    // Conflict is tried again, and the take-down has made the job forget the photograph.
    if (store_.revoked(std::array{target_of_photo(chosen->id)})) {
      fail(Cause::Conflict, describe(job), ": its photograph ", chosen->id,
           " was taken down meanwhile; another one is chosen");
    }
  }
  StageResult result;
  for (const std::string& stage : compose_stages(job)) publish_file(job, stage, done, result);
  if (result.outputs.empty()) {
    fail(Cause::NotFound, describe(job), ": it asks for the photograph alone and found none");
  }
  result.detail = Json{{"path", result.outputs.front()}, {"paths", result.outputs}}.dump();
  return result;
}

}  // namespace

std::unique_ptr<StageRunner> make_card_maker(const Config& config, store::Store& store,
                                             store::Artifacts& artifacts,
                                             photos::Turns::Sleep sleep) {
  return std::make_unique<CardMaker>(config, store, artifacts, std::move(sleep));
}

}  // namespace affiche::service

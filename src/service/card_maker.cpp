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

std::string describe(const store::Job& job) {
  return concat("job ", job.id);
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

  std::vector<std::string> stage_names(const store::Job&) override {
    return {kPhoto, kBackground, kCompose, kPublish};
  }

  StageResult run(const store::Job& job, const std::string& stage, const store::Stages& done,
                  std::stop_token stop) override {
    if (stage == kPhoto) return photo(job, stop);
    if (stage == kBackground) return background(job, done, stop);
    if (stage == kCompose) return compose(job, done);
    if (stage == kPublish) return publish(job, done);
    fail(Cause::Internal, describe(job), ": unknown stage \"", stage, "\"");
  }

 private:
  StageResult photo(const store::Job& job, std::stop_token stop);
  FoundPhoto find_photo(const store::Job& job, const PhotoRequest& request,
                        const cards::Template& card, std::stop_token stop);
  StageResult background(const store::Job& job, const store::Stages& done, std::stop_token stop);
  StageResult compose(const store::Job& job, const store::Stages& done);
  StageResult publish(const store::Job& job, const store::Stages& done);

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

// The largest place that the template has for the photograph.
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

FoundPhoto CardMaker::find_photo(const store::Job& job, const PhotoRequest& request,
                                 const cards::Template& card, std::stop_token stop) {
  ChoiceRequest wanted;
  std::tie(wanted.width, wanted.height) = photo_size(card);
  wanted.salt = job.variables;
  wanted.language = request.language;
  const auto by_variables = [&] {
    wanted.queries = queries_of_variables(job_variables(job.variables, describe(job) + ": set"),
                                          request.language);
    return choice_.choose(wanted, stop);
  };
  if (!request.query.empty()) {
    wanted.queries = {request.query};
    return choice_.choose(wanted, stop);
  }
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
  const auto card = template_of(job);
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
  for (const std::string& source : card->generated_names(chosen_photo(done).has_value())) {
    made[source] = backgrounds_.make(*brand, source, variation_of(job.variables, *brand), stop,
                                     card->model_missing);
  }
  return {made.empty() ? "" : made.begin()->second.artifact, to_json(made), {}, {}};
}

StageResult CardMaker::compose(const store::Job& job, const store::Stages& done) {
  const auto card = template_of(job);
  const auto brand = brand_of(job);
  cards::CardInputs inputs;
  inputs.kept = parts_;
  inputs.variables = job_variables(job.variables, describe(job) + ": set");
  if (const auto chosen = chosen_photo(done)) {
    inputs.photo = Photo(artifacts_.get(chosen->id), chosen->credit);
  }
  for (const auto& [source, made] : made_pictures(done)) {
    inputs.generated.emplace(source, backgrounds_.load(made));
    if (!made.note.empty()) inputs.notes.push_back(made.note);
  }
  for (const std::string& source : card->drawn_names(inputs.photo.has_value())) {
    const Recipe recipe = drawn_recipe(*brand, source, variation_of(job.variables, *brand));
    inputs.generated.emplace(source, Generated(draw_background(recipe), recipe));
  }
  const CardFile file = make_card_file(*card, *brand, inputs, card_format(job.out),
                                       iso8601(job.created), config_.site.url);
  const std::string artifact = artifacts_.put(file.bytes);
  store_.add_artifact(artifact, file.bytes.size(), cards::media_type(card_format(job.out)));
  Json detail = {{"title", file.title},
                 {"line", file.credit_line},
                 {"quality", file.quality},
                 {"warnings", file.warnings},
                 {"credits", file.credits_json}};
  detail["credit"] = file.credit ? Json::parse(to_json(*file.credit)) : Json();
  return {artifact, detail.dump(), {}, {}};
}

StageResult CardMaker::publish(const store::Job& job, const store::Stages& done) {
  const auto finished = done.find(kCompose);
  if (finished == done.end()) fail(Cause::Internal, describe(job), ": published before composed");
  const std::string& artifact = finished->second.artifact;
  const Json detail = parse_json(finished->second.detail, describe(job) + ": compose");
  if (const auto chosen = chosen_photo(done)) {
    // Conflict is tried again, and the take-down has made the job forget the photograph.
    if (store_.revoked(std::array{target_of_photo(chosen->id)})) {
      fail(Cause::Conflict, describe(job), ": its photograph ", chosen->id,
           " was taken down meanwhile; another one is chosen");
    }
  }
  const std::filesystem::path out =
      card_path(job.out, config_.paths.output, detail.at("title").get<std::string>(), artifact);
  write_atomically(out, artifacts_.get(artifact));
  write_atomically(credits_path(out), detail.at("credits").get<std::string>());

  StageResult result{artifact, Json{{"path", out.string()}}.dump(), {out.string()}, {}};
  if (const auto chosen = chosen_photo(done)) {
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
  return result;
}

}  // namespace

std::unique_ptr<StageRunner> make_card_maker(const Config& config, store::Store& store,
                                             store::Artifacts& artifacts,
                                             photos::Turns::Sleep sleep) {
  return std::make_unique<CardMaker>(config, store, artifacts, std::move(sleep));
}

}  // namespace affiche::service

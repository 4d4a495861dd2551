// SPDX-License-Identifier: Apache-2.0
#include "cards/compose.h"

#include <algorithm>

#include "base/error.h"
#include "cards/layers.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

CardJob make_job(const Template& card, const Brand& brand, const CardInputs& inputs) {
  CardJob job{card, brand, inputs, resolve(card, inputs.variables), false, {}};
  job.with_photo = inputs.photo.has_value() && card.has_photo();
  if (!job.with_photo && card.has_photo() && card.photo_missing == Template::PhotoMissing::Fail) {
    fail(Cause::NotFound, "template \"", card.name,
         "\": expected a photo, found none; find one, or set photo_missing = \"variant\"");
  }
  for (const Layer& layer : card.layers) {
    if (holds(layer.when, job.with_photo, job.values)) job.layers.push_back(&layer);
  }
  return job;
}

// Cuts the photo for each photo layer and notes what that changed in the credit.
void prepare_photos(const CardJob& job, Prepared& prepared, Composed& result) {
  if (!job.with_photo) return;
  Photo used = *job.inputs.photo;
  for (const Layer* layer : job.layers) {
    const auto* content = std::get_if<PhotoLayer>(&layer->content);
    if (content == nullptr) continue;
    const Area area = whole_pixels(job.box(*layer));
    CoverPhoto photo = cover(*job.inputs.photo, area.width, area.height, *content);
    if (photo.cropped || content->mask.shape != Mask::Shape::None) {
      used = used.with_change("cropped");
    }
    if (photo.enlargement > 1.25) {
      result.warnings.push_back(concat("photo \"", used.credit().title, "\" is enlarged ",
                                       photo.enlargement, " times; use a larger one"));
    }
    prepared.photos.emplace(layer->name, std::move(photo));
  }
  if (prepared.photos.empty()) return;  // no condition of a photo layer holds
  result.credit = used.credit();
  result.credit_line = credit_line(used.credit());
}

// The credit line, and the note that the model took part. Pictures that code drew need none.
std::string credit_text(const CardJob& job, const Composed& result) {
  std::string text = result.credit_line;
  bool by_model = false;
  std::string note;
  for (const Layer* layer : job.layers) {
    if (const auto* generated = std::get_if<GeneratedLayer>(&layer->content)) {
      const auto found = job.inputs.generated.find(generated->source);
      by_model = by_model ||
                 (found != job.inputs.generated.end() && found->second.recipe().model != "drawn");
    } else if (const auto* credit = std::get_if<CreditLayer>(&layer->content)) {
      note = credit->ai_note;
    }
  }
  if (by_model && !note.empty()) text += (text.empty() ? "" : " · ") + note;
  return text;
}

bool is_credit(const Layer* layer) {
  return std::holds_alternative<CreditLayer>(layer->content);
}

}  // namespace

Composed compose(const Template& card, const Brand& brand, const CardInputs& inputs) {
  Composed result;
  result.notes = inputs.notes;
  CardJob job = make_job(card, brand, inputs);
  Prepared prepared;
  prepare_photos(job, prepared, result);
  prepared.texts = place_texts(job, credit_text(job, result));

  // Nothing may cover the credit, so it comes last whatever its place.
  std::stable_partition(job.layers.begin(), job.layers.end(),
                        [](const Layer* layer) { return !is_credit(layer); });
  Canvas canvas(card.width, card.height);
  for (const Layer* layer : job.layers) draw_layer(job, prepared, *layer, canvas, result);
  if (result.credit && std::none_of(job.layers.begin(), job.layers.end(), is_credit)) {
    fail(Cause::Refused, "template \"", card.name, "\": a photo without its credit layer");
  }
  result.image = canvas.image();
  return result;
}

}  // namespace affiche::cards

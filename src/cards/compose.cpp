// SPDX-License-Identifier: Apache-2.0
#include "cards/compose.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "cards/language.h"
#include "cards/layers.h"
#include "cards/shared_layers.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

// "light" or "dark", whichever the brand's own ground is: a job that asks for no scheme gets what
// suits the colours that it is set in. Empty when the brand names no ground.
std::string own_scheme(const Brand& brand) {
  constexpr double kMiddle = 0.18;  // as far from white as from black, to the eye
  const auto ground = brand.colours.find("ground");
  if (ground == brand.colours.end()) return "";
  return luminance(ground->second) > kMiddle ? "light" : "dark";
}

// What conditions may ask for.
std::map<std::string, std::string> facts_of(const CardJob& job, const std::string& scheme) {
  std::map<std::string, std::string> facts = job.values;
  facts["photo"] = job.with_photo ? "yes" : "";
  facts["rtl"] = job.right_to_left ? "yes" : "";
  facts["size"] = job.card.size;
  facts["scheme"] = scheme.empty() ? own_scheme(job.brand) : scheme;
  return facts;
}

// A layer is drawn if its own condition holds and those of all that it is in.
bool is_drawn(const CardJob& job, const Layer& layer,
              const std::map<std::string, std::string>& facts) {
  if (!layer.when.holds(facts)) return false;
  const Group* group = job.card.find_group(layer.group);
  if (group != nullptr && !group->when.holds(facts)) return false;
  const Stack* stack = job.card.find_stack(layer.stack);
  for (; stack != nullptr; stack = job.card.find_stack(stack->stack)) {
    if (!stack->when.holds(facts)) return false;
  }
  return true;
}

// The name of the brand's scheme that the template asks for.
std::string scheme_of(const Template& card, const std::map<std::string, std::string>& values) {
  const bool variable = card.scheme.rfind("var.", 0) == 0;
  return variable ? values.at(card.scheme.substr(4)) : card.scheme;
}

CardJob make_job(const Template& card, const Brand& brand, const CardInputs& inputs,
                 std::map<std::string, std::string> values, const std::string& scheme) {
  CardJob job{card, brand, inputs, std::move(values), "", false, false, {}};
  const auto lang = job.values.find(kLanguageVariable);
  job.language = checked_language(
      inputs.language.empty() && lang != job.values.end() ? lang->second : inputs.language,
      "variable \"lang\"");
  job.with_photo = inputs.photo.has_value() && card.has_photo();
  if (!job.with_photo && card.has_photo() && card.photo_missing == Template::PhotoMissing::Fail) {
    fail(Cause::NotFound, "template \"", card.name,
         "\": expected a photo, found none; find one, or set photo_missing = \"variant\"");
  }
  job.right_to_left = reads_right_to_left(job);
  const std::map<std::string, std::string> facts = facts_of(job, scheme);
  for (const Layer& layer : card.layers) {
    if (is_drawn(job, layer, facts)) job.layers.push_back(&layer);
  }
  return job;
}

constexpr const char* kColoursChanged = "colours changed";

// What effects do to the photograph, in the words of its credit.
std::vector<std::string> changes_by(const CardJob& job, const Layer& layer) {
  std::vector<std::string> changes;
  const auto add = [&](bool made, const char* change) {
    if (made) changes.emplace_back(change);
  };
  const Group* group = job.card.find_group(layer.group);
  for (const Effects* effects : {&layer.effects, group != nullptr ? &group->effects : nullptr}) {
    if (effects == nullptr) continue;
    add(effects->tint || effects->duotone || effects->blend != Blend::Normal, kColoursChanged);
    add(effects->blur > 0, "blurred");
    add(effects->grain > 0, "grain added");
    add(effects->rotate != 0, "rotated");
    add(effects->mask.shape != Mask::Shape::None || effects->radius > 0, "cropped");
  }
  return changes;
}

Area photo_area(const CardJob& job, const Layer& layer) {
  return whole_pixels(job.box(layer));
}

// The credit of the photo with what the card does to it, before anything is placed: the credit's
// own place depends on its words.
void note_photo(const CardJob& job, Composed& result) {
  if (!job.with_photo) return;
  Photo used = *job.inputs.photo;
  bool drawn = false;
  for (const Layer* layer : job.layers) {
    const auto* content = std::get_if<PhotoLayer>(&layer->content);
    if (content == nullptr) continue;
    drawn = true;
    const Area area = photo_area(job, *layer);
    if (content->mask.shape != Mask::Shape::None ||
        is_cropped(used, area.width, area.height, *content)) {
      used = used.with_change("cropped");
    }
    if (content->grade > 0) used = used.with_change(kColoursChanged);
    for (const std::string& change : changes_by(job, *layer)) used = used.with_change(change);
  }
  if (!drawn) return;  // no condition of a photo layer holds
  result.credit = used.credit();
  result.credit_line = credit_line(used.credit());
}

// What words, credit and logo cover of an area, in fractions of it.
std::vector<Box> taken_of(const CardJob& job, const Placement& place, const Area& area) {
  std::vector<Box> taken;
  const auto add = [&](double x, double y, double width, double height) {
    const Box box = {(x - area.x) / area.width, (y - area.y) / area.height, width / area.width,
                     height / area.height};
    if (box.right() > 0 && box.bottom() > 0 && box.x < 1 && box.y < 1) taken.push_back(box);
  };
  for (const auto& [name, text] : place.texts) {
    for (const Area& line : text.areas()) add(line.x, line.y, line.width, line.height);
  }
  for (const Layer* layer : job.layers) {
    if (!std::holds_alternative<LogoLayer>(layer->content)) continue;
    if (const std::optional<Box> box = place.box(job, *layer)) {
      add(box->x, box->y, box->width, box->height);
    }
  }
  return taken;
}

// Cuts the photo for each photo layer.
void prepare_photos(const CardJob& job, Prepared& prepared, Composed& result) {
  if (!result.credit) return;
  for (const Layer* layer : job.layers) {
    const auto* content = std::get_if<PhotoLayer>(&layer->content);
    if (content == nullptr) continue;
    const Area area = photo_area(job, *layer);
    PhotoPlace place;
    place.taken = taken_of(job, prepared.place, area);
    if (const auto focus = job.values.find(kFocusVariable); focus != job.values.end()) {
      place.focus = read_focus(focus->second);
    }
    const auto photo = shared_cover(job, area.width, area.height, *content, place);
    if (photo->enlargement > 1.25) {
      result.warnings.push_back(concat("photo \"", result.credit->title, "\" is enlarged ",
                                       photo->enlargement, " times; use a larger one"));
    }
    prepared.photos.emplace(layer->name, photo);
  }
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

// Adds the time since the last step to a step's.
class StepClock {
 public:
  explicit StepClock(Composed& result) : result_(result) {}
  void step(const std::string& name) {
    const auto now = std::chrono::steady_clock::now();
    result_.timings[name] += std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
  }

 private:
  Composed& result_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

Composed compose(const Template& card, const Brand& brand, const CardInputs& inputs) {
  Composed result;
  result.notes = inputs.notes;
  std::map<std::string, std::string> values = resolve(card, inputs.variables, inputs.language);
  const std::string scheme = scheme_of(card, values);
  const Brand dressed = brand.in_scheme(scheme);
  CardJob job = make_job(card, dressed, inputs, std::move(values), scheme);
  result.language = job.language;
  Prepared prepared;
  StepClock clock(result);
  note_photo(job, result);
  prepared.place = place_layers(job, credit_text(job, result));
  clock.step("text layout");
  prepare_photos(job, prepared, result);
  clock.step("photo");

  // Nothing may cover the credit, so it comes last whatever its place.
  std::stable_partition(job.layers.begin(), job.layers.end(),
                        [](const Layer* layer) { return !is_credit(layer); });
  Canvas canvas(card.width, card.height);
  if (card.background) {
    const Colour ground = resolve(*card.background, dressed, job.values);
    canvas.shade({0, 0, card.width, card.height}, {}, 1, [&](double, double) { return ground; });
  }
  draw_layers(job, prepared, canvas, result);
  clock.step("all layers");
  if (result.credit && std::none_of(job.layers.begin(), job.layers.end(), is_credit)) {
    fail(Cause::Refused, "template \"", card.name, "\": a photo without its credit layer");
  }
  result.image = canvas.image();
  clock.step("to RGB");
  return result;
}

}  // namespace affiche::cards

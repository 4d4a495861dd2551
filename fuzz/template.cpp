// SPDX-License-Identifier: Apache-2.0
// Templates, and small cards made from those that load: every size, with and without a photo.
#include "cards/template.h"

#include "cards/compose.h"
#include "cards/encode.h"
#include "fuzz/target.h"

namespace {

using namespace affiche;

constexpr int kSmall = 200;

// A job's value of each type.
std::string value_of(const cards::Variable& variable) {
  using Type = cards::Variable::Type;
  switch (variable.type) {
    case Type::Text:
      return "<b>Tides</b> turn at noon";
    case Type::Date:
      return "2026-11-21";
    case Type::Colour:
      return "#3366CC";
    case Type::Choice:
      return variable.choices.empty() ? "" : variable.choices.front();
    case Type::Number:
      return "2";
    case Type::Flag:
      return "true";
    case Type::Url:
      return "https://news.example/tides";
    case Type::Numbers:
      return "3, 5.5, -2";
    case Type::List:
      return "Sun | Wind | Sea";
  }
  return "";
}

Image picture(int width, int height) {
  Image image = make_image(width, height, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = static_cast<std::uint8_t>(i * 7 + i / image.stride() * 5);
  }
  return image;
}

const Photo& photo() {
  static const Photo made(cards::encode(picture(96, 64), cards::Format::Jpeg).bytes,
                          {"Tides",
                           "Ana Example",
                           "",
                           "Commons",
                           "https://photos.example/1",
                           "CC-BY-4.0",
                           "https://creativecommons.org/licenses/by/4.0/",
                           {}});
  return made;
}

cards::Brand brand() {
  cards::Brand brand;
  brand.name = "fuzz";
  brand.publisher = "Fuzz Courier";
  brand.colours = {{"ink", {15, 27, 45}},
                   {"shade", {0, 0, 0}},
                   {"light", {255, 255, 255}},
                   {"accent", {194, 65, 12}}};
  brand.schemes = {{"dark", {{"ink", {240, 240, 240}}}}};
  brand.fonts = {{"body", {}}};
  brand.logo =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"4\" height=\"2\">"
      "<rect width=\"4\" height=\"2\" fill=\"{{brand.accent}}\"/></svg>";
  return brand;
}

void make(const cards::Template& card, bool with_photo) {
  if (card.width > kSmall || card.height > kSmall) return;
  cards::CardInputs inputs;
  for (const auto& [name, variable] : card.variables) inputs.variables[name] = value_of(variable);
  if (with_photo) inputs.photo = photo();
  for (const std::string& name : card.generated_names(with_photo)) {
    inputs.generated.emplace(name, Generated(picture(32, 24), {}));
  }
  for (const std::string& name : card.drawn_names(with_photo)) {
    inputs.generated.emplace(name, Generated(picture(32, 24), {}));
  }
  const cards::Composed composed = compose(card, brand(), inputs);
  // Promise 1: no photo without its credit.
  if (composed.credit && composed.credit_line.empty()) {
    fail(Cause::Internal, "a photo without its credit");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::expect_error_or_nothing([&] {
    const cards::Template card =
        cards::parse_template(std::string(fuzz::text_of(data, size)), "input.toml", "/nowhere");
    for (const std::string& name : card.sizes()) {
      for (const bool with_photo : {true, false}) {
        // One that can't be made says nothing about the others.
        fuzz::expect_error_or_nothing([&] { make(card.at_size(name), with_photo); });
      }
    }
  });
}

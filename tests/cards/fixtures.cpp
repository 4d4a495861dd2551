// SPDX-License-Identifier: Apache-2.0
#include "cards/fixtures.h"

#include "base/error.h"
#include "catch.h"

namespace affiche::cards::test {

Image two_halves(int width, int height, Colour left, Colour right) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Colour& colour = x < width / 2 ? left : right;
      std::uint8_t* pixel =
          image.pixels.data() + static_cast<std::size_t>(y) * image.stride() + x * 3;
      pixel[0] = colour.red;
      pixel[1] = colour.green;
      pixel[2] = colour.blue;
    }
  }
  return image;
}

Credit good_credit() {
  Credit credit;
  credit.title = "Two fields";
  credit.author = "Ana Example";
  credit.source = "Example Commons";
  credit.source_url = "https://photos.example/two-fields";
  credit.license = "CC-BY-4.0";
  credit.license_url = "https://creativecommons.org/licenses/by/4.0/";
  return credit;
}

Photo photo(int width, int height) {
  const Image image = two_halves(width, height, {250, 250, 250}, {30, 90, 40});
  return Photo(encode(image, Format::Jpeg).bytes, good_credit());
}

Generated generated(const std::string& model) {
  Recipe recipe;
  recipe.model = model;
  recipe.model_sha256 = "0123";
  recipe.prompt = "soft waves, deep navy and teal";
  recipe.build = "0.1.0";
  return Generated(two_halves(64, 32, {15, 27, 45}, {15, 163, 177}), recipe);
}

Template article() {
  return load_template(kRoot / "templates/article.toml");
}
Brand demo() {
  return load_brand(kRoot / "brands/demo.toml");
}

CardInputs article_inputs(const std::string& headline) {
  CardInputs inputs;
  inputs.variables = {{"headline", headline},
                      {"kicker", "Science"},
                      {"author", "Ines Okafor"},
                      {"date", "2026-11-21"}};
  inputs.photo = photo();
  inputs.generated.emplace("background", generated());
  inputs.generated.emplace("chrome", generated());
  return inputs;
}

Template one_text(const std::string& style) {
  return parse_template(
      "[canvas]\nwidth = 600\nheight = 400\n[variables.text]\nmax_length = 2000\n"
      "[[layers]]\nkind = \"solid\"\ncolour = \"#FFFFFF\"\n"
      "[[layers]]\nname = \"words\"\nkind = \"text\"\nbox = [50, 50, 500, 300]\n"
      "content = [\"{{text}}\"]\ncolour = \"#000000\"\nfont = \"body\"\n" +
          style,
      "one_text.toml", kRoot);
}

const LayerReport& layer(const Composed& card, const std::string& name) {
  for (const LayerReport& report : card.layers) {
    if (report.name == name) return report;
  }
  FAIL("no layer " << name);
  return card.layers.front();
}

Thrown thrown(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.cause(), error.what()};
  }
  FAIL("nothing was thrown");
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace affiche::cards::test

// SPDX-License-Identifier: Apache-2.0
#include "recipes/picture_recipe.h"

#include "base/error.h"
#include "base/json.h"
#include "cards/encode.h"
#include "catch.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::recipes;
using affiche::test::contains;
using affiche::test::thrown;

namespace {

Json sample() {
  const Json request = {
      {"model", "models/brand.safetensors"},
      {"prompt", Json::array({"a castle", "a <größe> & \"b\" ]]> \x01 🎉"})},
      {"negative_prompt", "blurry"},
      {"seed", Json::array({7, 8, 9, 10})},
      {"num_images_per_prompt", 2},
      {"num_inference_steps", 20},
      {"guidance_scale", 7.5},
      {"width", 512},
      {"height", 768},
      {"clip_skip", 1},
      {"scheduler", "DPMSolverMultistepScheduler"},
      {"scheduler_config", {{"use_karras_sigmas", true}, {"algorithm_type", "sde-dpmsolver++"}}},
      {"lora", Json::array({{{"file", "loras/teal.safetensors"}, {"weight", 0.8}}})}};
  return picture_recipe(request,
                        {{"model", "models/brand.safetensors", "", std::string(64, 'a')},
                         {"lora", "loras/teal.safetensors", "", std::string(64, 'b')}},
                        {"0.1.0", "2.13.0", "fp32", "cpu", 2, 2, 4});
}

cards::Metadata embedded(const Json& recipe) {
  PictureMetadata made = metadata_of(recipe);
  return {std::move(made.xmp), std::move(made.exif), std::move(made.png_text)};
}

}  // namespace

TEST_CASE("a recipe survives each format, whatever its prompt holds", "[recipe]") {
  const Json recipe = sample();
  for (const cards::Format format :
       {cards::Format::Png, cards::Format::Jpeg, cards::Format::Webp}) {
    const Bytes file = cards::encode(make_image(8, 8, 3), format, {}, embedded(recipe)).bytes;
    const PictureOrigin origin = read_origin(file, "a");
    REQUIRE(origin.recipe);
    CHECK(*origin.recipe == recipe);
    CHECK(origin.parameters == to_text(parameters_of(recipe)));
    CHECK(cards::decode(file, "a").width == 8);
  }
}

TEST_CASE("the parameters say the same in the web UI's words", "[recipe]") {
  CHECK(to_text(parameters_of(sample())) ==
        "a <größe> & \"b\" ]]>   🎉 <lora:teal:0.8>\nNegative prompt: blurry\n"
        "Steps: 20, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 7.5, Seed: 9, "
        "Size: 512x768, Model hash: aaaaaaaaaa, Model: brand, Clip skip: 2, RNG: CPU, "
        "Lora hashes: \"teal: bbbbbbbbbb\", Version: affiche 0.1.0");
}

TEST_CASE("a recipe is taken apart again", "[recipe]") {
  const PictureRecipe parts = read_picture_recipe(sample(), "a");
  CHECK(parts.files.size() == 2);
  CHECK(parts.making.picture == 2);
  CHECK_FALSE(parts.request.contains("made_with"));
  CHECK(picture_recipe(parts.request, parts.files, parts.making) == sample());
}

TEST_CASE("what is no recipe is refused by name", "[recipe]") {
  Json changed = sample();
  changed["made_with"]["picture"] = 4;
  CHECK(contains(thrown([&] { read_picture_recipe(changed, "a"); }), "picture 4 of 4"));
  changed["made_with"]["picture"] = "x";
  CHECK(contains(thrown([&] { read_picture_recipe(changed, "a"); }), "not a recipe of affiche"));
  CHECK(contains(thrown([&] { read_picture_recipe(Json::array(), "a"); }), "not a recipe"));
  const Bytes broken = cards::encode_png(make_image(4, 4, 3), {{"affiche", "{\"prompt\""}});
  CHECK(contains(thrown([&] { read_origin(broken, "a"); }), "bad_input: a: recipe"));
  const Bytes plain = cards::encode_png(make_image(4, 4, 3), {{"comment", "hello"}});
  CHECK_FALSE(read_origin(plain, "a").known());
}

TEST_CASE("a JPEG that cannot hold the recipe says so", "[recipe]") {
  Json recipe = sample();
  recipe["prompt"] = std::string(70'000, 'a');
  const auto write = [&](cards::Format format) {
    return thrown([&] { cards::encode(make_image(4, 4, 3), format, {}, embedded(recipe)); });
  };
  CHECK(contains(write(cards::Format::Jpeg), "write a PNG"));
  CHECK(write(cards::Format::Png) == "nothing was thrown");
  CHECK(write(cards::Format::Webp) == "nothing was thrown");
}

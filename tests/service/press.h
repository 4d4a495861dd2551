// SPDX-License-Identifier: Apache-2.0
// A publisher whose template needs no model, with as many photographs as a test wants.
#pragma once

#include <array>

#include "base/json.h"
#include "cards/encode.h"
#include "service/card_maker.h"
#include "service/outputs.h"
#include "service/photo_library.h"
#include "service/worker.h"
#include "store/temporary_folder.h"

namespace affiche::test {

// Blocks of noise from a seed: pictures that no fingerprint mixes up.
inline Bytes press_jpeg(int width, int height, std::uint32_t seed) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint32_t block = seed * 7919 + static_cast<std::uint32_t>(x * 12 / width) * 131 +
                            static_cast<std::uint32_t>(y * 10 / height) * 31;
      block = (block ^ (block >> 7)) * 2654435761u;
      std::uint8_t* pixel = &image.pixels[(static_cast<std::size_t>(y) * width + x) * 3];
      for (int c = 0; c < 3; ++c) {
        pixel[c] = static_cast<std::uint8_t>(40 + (block >> (8 * c)) % 170 + (x + y) % 9);
      }
    }
  }
  return cards::encode(image, cards::Format::Jpeg).bytes;
}

inline constexpr const char* kPressTemplate =
    "[canvas]\nwidth = 600\nheight = 315\n[variables.headline]\nrequired = true\n"
    "[[layers]]\nkind = \"solid\"\ncolour = \"brand.ink\"\n"
    "[[layers]]\nname = \"photo\"\nkind = \"photo\"\nbox = [300, 0, 300, 315]\n"
    "[[layers]]\nname = \"headline\"\nkind = \"text\"\nbox = [20, 20, 260, 120]\n"
    "content = [\"{{headline}}\"]\nsize = 24\nlines = 3\nellipsis = true\n"
    "[[layers]]\nname = \"credit\"\nkind = \"credit\"\nwhen = \"photo\"\n"
    "box = [20, 160, 260, 145]\nsize = 12\nlines = 8\n";

struct Press {
  TemporaryFolder folder;
  ManualClock clock{1'800'000'000'000};
  service::Config config;
  store::Store store{folder / "affiche.db", clock};
  store::Artifacts artifacts{folder / "artifacts"};
  Log log{stderr, Level::Error};

  explicit Press(const std::string& photo_missing = "variant") {
    config.paths.templates = folder / "templates";
    config.paths.brands = folder / "brands";
    config.paths.output = folder / "out";
    config.site.url = "https://site.example";
    config.work.threads = 1;
    config.photos.decoder = AFFICHE_PICTURE_DECODER;
    write("templates/plain.toml", "photo_missing = \"" + photo_missing + "\"\n" + kPressTemplate);
    write("brands/house.toml",
          "publisher = \"The House\"\n[colours]\nink = \"#0F1B2D\"\nshade = \"#0F1B2D\"\n"
          "light = \"#F4E9D8\"\n[fonts]\nbody = { family = \"Noto Sans\" }\n");
  }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder / name).parent_path());
    write_atomically(folder / name, text);
  }

  // A photograph of the library; its id.
  std::string import(const std::string& name, const std::string& keywords, std::uint32_t seed) {
    const std::filesystem::path place = folder / "in" / name;
    std::filesystem::create_directories(place);
    write_atomically(place / (name + ".jpg"), press_jpeg(900, 640, seed));
    write_atomically(place / (name + ".jpg.toml"),
                     std::string_view("title = \"" + name + "\"\nauthor = \"Author of " + name +
                                      "\"\nsource = \"Archive\"\nsource_url = \"https://archive."
                                      "example/" +
                                      name + "\"\nlicense = \"CC-BY-4.0\"\nkeywords = [\"" +
                                      keywords + "\"]\n"));
    return service::PhotoLibrary(config, store, artifacts).import_folder(place).front().id;
  }

  // `makes` as in a job file: "card.jpg card.png"; empty: one file.
  std::int64_t add(const std::string& headline, const std::string& photo,
                   const std::string& out = "", const std::string& makes = "") {
    store::NewJob job;
    job.template_name = "plain";
    job.brand = "house";
    job.variables = Json{{"headline", headline}}.dump();
    job.photo = photo;
    job.out = out;
    if (!makes.empty()) job.makes = service::to_json(service::read_outputs(Json(makes), "outputs"));
    return store.enqueue(std::array{job}).front().id;
  }

  service::Summary drain() {
    clock.advance(1'000);
    const auto runner = service::make_card_maker(config, store, artifacts);
    service::WorkerSettings settings;
    settings.poll = 10;
    return service::Worker(store, artifacts, *runner, settings, log).drain();
  }
};

}  // namespace affiche::test

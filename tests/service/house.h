// SPDX-License-Identifier: Apache-2.0
// A publisher with the article template, a photograph, and a brand whose model is tiny and has
// random weights.
#pragma once

#include <array>

#include "base/json.h"
#include "cards/encode.h"
#include "service/card_maker.h"
#include "service/photo_library.h"
#include "service/worker.h"
#include "store/temporary_folder.h"

namespace affiche::test {

inline const std::filesystem::path kSource = AFFICHE_SOURCE_DIR;

// A picture with structure, so that cropping and JPEG have something to work on.
inline Bytes house_jpeg(int width, int height) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = &image.pixels[(static_cast<std::size_t>(y) * width + x) * 3];
      pixel[0] = static_cast<std::uint8_t>(x * 255 / width);
      pixel[1] = static_cast<std::uint8_t>(y * 255 / height);
      pixel[2] = static_cast<std::uint8_t>((x / 40 + y / 40) % 2 * 90);
    }
  }
  return cards::encode(image, cards::Format::Jpeg).bytes;
}

struct House {
  TemporaryFolder folder;
  SystemClock clock;
  service::Config config;
  store::Store store{folder / "affiche.db", clock};
  store::Artifacts artifacts{folder / "artifacts"};
  Log log{stderr, Level::Error};

  House() {
    config.paths.templates = kSource / "templates";
    config.paths.brands = folder.path();
    config.paths.output = folder / "out";
    config.work.threads = 1;
    config.photos.decoder = AFFICHE_PICTURE_DECODER;
    const std::filesystem::path goldens = kSource / "tests/data/goldens";
    write_atomically(
        folder / "tiny.toml",
        "publisher = \"Tiny\"\nlogo = \"" + (kSource / "assets/logos/demo.svg").string() +
            "\"\n[colours]\nink = \"#0F1B2D\"\nteal = \"#0FA3B1\"\ncoral = \"#FF6B4A\"\n"
            "sand = \"#F4E9D8\"\nshade = \"#0F1B2D\"\nlight = \"#F4E9D8\"\n"
            "ground = \"#0F1B2D\"\ntext = \"#F4E9D8\"\nmuted = \"#B9C2CC\"\n"
            "accent = \"#FF6B4A\"\n"
            "[fonts]\nheadline = { family = \"Noto Serif\", weight = 700 }\n"
            "kicker = { family = \"Noto Sans\", weight = 700 }\nbody = { family = \"Noto Sans\" }\n"
            "[voice]\nmodel = \"" +
            (goldens / "models/sd15").string() + "\"\nloras = [{ file = \"" +
            (goldens / "lora/sd15_kohya.safetensors").string() +
            "\", weight = 0.8 }]\nscheduler = \"EulerDiscreteScheduler\"\nsteps = 2\n"
            "guidance = 3.0\nwidth = 64\nheight = 64\nseed = 5\nvariations = 2\n"
            "[voice.prompts]\nbackground = \"waves\"\nchrome = \"lines\"\n");
    std::filesystem::create_directories(folder / "photos");
    write_atomically(folder / "photos/dune.jpg", house_jpeg(1300, 900));
    write_atomically(folder / "photos/dune.jpg.toml",
                     "title = \"Dune\"\nauthor = \"A. Sand\"\nsource = \"Own archive\"\n"
                     "source_url = \"https://example.org/dune\"\nlicense = \"CC-BY-4.0\"\n"
                     "license_url = \"https://creativecommons.org/licenses/by/4.0/\"\n"
                     "keywords = [\"desert\", \"sand\"]\n");
    service::PhotoLibrary(config, store, artifacts).import_folder(folder / "photos");
  }

  std::int64_t add(const std::string& headline, const std::string& photo) {
    store::NewJob job;
    job.template_name = "article";
    job.brand = "tiny";
    job.variables = Json{{"headline", headline}}.dump();
    job.photo = photo;
    return store.enqueue(std::array{job}).front().id;
  }

  service::Summary drain() {
    const auto runner = service::make_card_maker(config, store, artifacts);
    service::WorkerSettings settings;
    settings.poll = 10;
    return service::Worker(store, artifacts, *runner, settings, log).drain();
  }
};

}  // namespace affiche::test

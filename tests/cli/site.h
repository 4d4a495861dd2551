// SPDX-License-Identifier: Apache-2.0
// A publisher's folder: config.toml, templates without generated layers, so that no model is
// needed, a brand, and photographs. The program runs in it.
#pragma once

#include <string>
#include <vector>

#include "cards/encode.h"
#include "cli/program.h"

namespace affiche::test {

// A picture with structure, so that cropping and encoding have something to work on. `shade` tells
// pictures apart.
inline Bytes jpeg(int width, int height, int shade = 90) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = &image.pixels[(static_cast<std::size_t>(y) * width + x) * 3];
      pixel[0] = static_cast<std::uint8_t>(x * 255 / width);
      pixel[1] = static_cast<std::uint8_t>(y * 255 / height);
      pixel[2] = static_cast<std::uint8_t>((x / 40 + y / 40) % 2 * shade);
    }
  }
  return cards::encode(image, cards::Format::Jpeg).bytes;
}

inline Json sand_credit(const std::string& license = "CC-BY-4.0") {
  return {{"title", "Dune"},
          {"author", "A. Sand"},
          {"source", "Own archive"},
          {"source_url", "https://example.org/dune"},
          {"license", license},
          {"license_url", license == "CC-BY-4.0" ? "https://creativecommons.org/licenses/by/4.0/"
                                                 : "https://example.org/license"}};
}

inline std::string plain_template(const std::string& photo_missing) {
  return "photo_missing = \"" + photo_missing +
         "\"\n[canvas]\nwidth = 1200\nheight = 630\n"
         "[variables.headline]\nrequired = true\n"
         "[[layers]]\nkind = \"solid\"\ncolour = \"brand.ink\"\n"
         "[[layers]]\nname = \"photo\"\nkind = \"photo\"\nbox = [620, 0, 580, 630]\n"
         "[[layers]]\nname = \"headline\"\nkind = \"text\"\nbox = [60, 60, 520, 400]\n"
         "content = [\"{{headline}}\"]\nsize = 48\nlines = 4\nellipsis = true\n"
         "[[layers]]\nname = \"credit\"\nkind = \"credit\"\nwhen = \"photo\"\n"
         "box = [60, 480, 520, 110]\nsize = 22\nlines = 3\n";
}

// Arguments of a card that needs nothing but an --out.
inline std::vector<std::string> card(const std::vector<std::string>& more) {
  std::vector<std::string> words = {"compose", "--template", "plain", "--set",
                                    "headline=Where the desert ends"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

struct Site {
  TemporaryFolder folder;

  Site() {
    write("config.toml", "[work]\nthreads = 1\npoll_ms = 10\n");
    write("templates/plain.toml", plain_template("variant"));
    write("templates/strict.toml", plain_template("fail"));
    write("brands/house.toml",
          "publisher = \"The House\"\n[colours]\nink = \"#0F1B2D\"\nshade = \"#0F1B2D\"\n"
          "light = \"#F4E9D8\"\n[fonts]\nbody = { family = \"Noto Sans\" }\n");
  }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder / name).parent_path());
    write_atomically(folder / name, text);
  }
  // dune.jpg and dune.json.
  void add_dune() const {
    write_atomically(folder / "dune.jpg", jpeg(1300, 900));
    write("dune.json", sand_credit().dump());
  }

  Answer run(const std::vector<std::string>& arguments, const std::string& input = "") const {
    return run_program(arguments, {folder.path(), input, variables(), std::chrono::seconds(120)});
  }
  // The --json answer of a command that must succeed.
  Json ask(std::vector<std::string> arguments, const std::string& input = "") const {
    arguments.emplace_back("--json");
    const Answer answer = run(arguments, input);
    if (answer.code != 0) fail(Cause::Internal, arguments[0], ": ", answer.out, answer.err);
    return answer.json();
  }

 private:
  // The settings of whoever runs the tests stay out.
  std::vector<std::string> variables() const {
    return {"HOME=" + folder.path().string(), "XDG_CONFIG_HOME=" + folder.path().string()};
  }
};

}  // namespace affiche::test

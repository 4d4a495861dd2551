// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/draw_data.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/suggest.h"
#include "diffusion/training/drawing/words.h"

namespace affiche::diffusion {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSheetColumns = 6, kSheetMost = 48;

// "608x320".
void read_size(const std::string& text, DrawnData& data) {
  int width = 0, height = 0, end = 0;
  if (std::sscanf(text.c_str(), "%5dx%5d%n", &width, &height, &end) != 2 ||
      static_cast<std::size_t>(end) != text.size())
    fail(Cause::Usage, "--size: expected WIDTHxHEIGHT in pixels, such as 608x320, found \"", text,
         "\"");
  data.width = width;
  data.height = height;
}

// One picture to draw: a scene in the colours that its names stand for, or in the prompt's own.
struct Wanted {
  Drawing drawing;
  bool own_colours = false;

  Image draw(int width, int height) const {
    return own_colours ? diffusion::draw(drawing, width, height)
                       : diffusion::draw(drawing.scene, width, height);
  }
  std::string caption() const {
    return own_colours ? diffusion::caption(drawing) : diffusion::caption(drawing.scene);
  }
};

Wanted wanted(const DrawnData& data, std::uint64_t index) {
  const std::uint64_t seed = data.seed + index;
  if (data.prompts.empty())
    return {{data.family ? random_scene(seed, *data.family) : random_scene(seed), {}}, false};
  const Drawing drawing = drawing_of(data.prompts[index % data.prompts.size()], seed);
  return {drawing, true};
}

std::string stem_of(const Wanted& wanted, std::uint64_t seed) {
  std::string name(family_names()[static_cast<std::size_t>(wanted.drawing.scene.family)]);
  std::replace(name.begin(), name.end(), ' ', '-');
  char number[32];
  std::snprintf(number, sizeof number, "%06llu", static_cast<unsigned long long>(seed));
  return concat(name, "-", number);
}

// A prompt that names nothing drawn would give pictures of anything.
void check_prompts(const DrawnData& data) {
  for (const std::string& prompt : data.prompts) {
    const PromptWords words = read_prompt(prompt);
    if (!words.family || words.colours.empty())
      fail(Cause::Usage, "--prompt: expected a family and a colour, found \"", prompt,
           "\"; docs/models.md lists the words, for instance \"soft waves, #0F1B2D and teal\"");
  }
  if (!data.prompts.empty() && data.family)
    fail(Cause::Usage, "--prompt: names its family itself; leave --family out");
}

// Pictures beside each other in rows, scaled down by whole pixels to at most 300 wide.
class Sheet {
 public:
  Sheet(int count, int width, int height)
      : step_(std::max(1, width / 300)), width_(width / step_), height_(height / step_) {
    const int shown = std::min(count, kSheetMost);
    const int columns = std::min(shown, kSheetColumns);
    image_ = make_image(columns * width_, (shown + columns - 1) / columns * height_, 3);
    columns_ = columns;
  }
  void put(int index, const Image& picture) {
    if (index >= kSheetMost) return;
    const int left = index % columns_ * width_, top = index / columns_ * height_;
    for (int y = 0; y < height_; ++y)
      for (int x = 0; x < width_ * 3; ++x)
        image_.pixels[static_cast<std::size_t>((top + y) * image_.width * 3 + left * 3 + x)] =
            averaged(picture, x / 3, y, x % 3);
  }
  const Image& image() const { return image_; }

 private:
  std::uint8_t averaged(const Image& picture, int x, int y, int channel) const {
    int sum = 0;
    for (int j = y * step_; j < (y + 1) * step_; ++j)
      for (int i = x * step_; i < (x + 1) * step_; ++i)
        sum += picture.pixels[static_cast<std::size_t>((j * picture.width + i) * 3 + channel)];
    return static_cast<std::uint8_t>((sum + step_ * step_ / 2) / (step_ * step_));
  }
  int step_, width_, height_, columns_ = 1;
  Image image_;
};

}  // namespace

Family family_of(const std::string& words) {
  std::string name = words;
  std::replace(name.begin(), name.end(), '-', ' ');
  for (std::size_t i = 0; i < family_names().size(); ++i)
    if (family_names()[i] == name) return static_cast<Family>(i);
  const std::vector<std::string> known(family_names().begin(), family_names().end());
  fail(Cause::Usage, "unknown family of drawings \"", name, "\"", suggestion(name, known));
}

double draw_data(const DrawnData& data, const PictureFiles& files) {
  if (data.count < 1 || data.width < 16 || data.height < 16 || data.width > 8192 ||
      data.height > 8192)
    fail(Cause::Usage,
         "train data: expected at least 1 picture of 16 to 8192 pixels a side, found ", data.count,
         " of ", data.width, "x", data.height);
  check_prompts(data);
  constexpr int kBatch = 32;
  Sheet sheet(data.count, data.width, data.height);
  double seconds = 0;
  for (int first = 0; first < data.count; first += kBatch) {
    const int n = std::min(kBatch, data.count - first);
    std::vector<Wanted> scenes;
    for (int i = 0; i < n; ++i)
      scenes.push_back(wanted(data, static_cast<std::uint64_t>(first + i)));
    std::vector<Image> pictures(static_cast<std::size_t>(n));
    const auto start = Clock::now();
    at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto index = static_cast<std::size_t>(i);
        pictures[index] = scenes[index].draw(data.width, data.height);
      }
    });
    seconds += std::chrono::duration<double>(Clock::now() - start).count();
    for (int i = 0; i < n; ++i) {
      const auto index = static_cast<std::size_t>(i);
      const std::filesystem::path stem =
          data.out / stem_of(scenes[index], data.seed + static_cast<std::uint64_t>(first + i));
      files.write(stem.string() + files.extension, pictures[index]);
      const std::string text = data.caption.empty() ? scenes[index].caption() : data.caption;
      if (data.captions) write_atomically(stem.string() + ".txt", text + "\n");
      sheet.put(first + i, pictures[index]);
    }
  }
  if (!data.sheet.empty()) files.write(data.sheet, sheet.image());
  return data.count / std::max(seconds, 1e-9);
}

void add_data_command(CLI::App& train, const std::function<void(std::function<int()>)>& choose,
                      const PictureFiles& files) {
  struct Options {
    DrawnData data;
    std::string family, size;
  };
  auto options = std::make_shared<Options>();
  DrawnData& data = options->data;
  CLI::App* command = train.add_subcommand("data", "draw captioned pictures as files");
  command->add_option("--out", data.out, "folder to write")->required();
  command->add_option("--family", options->family,
                      "one family only, for instance soft-waves or demo-brand");
  command
      ->add_option("--prompt", data.prompts,
                   "words to draw, colours by name or as #RRGGBB; several take turns")
      ->allow_extra_args(false);
  command->add_option("--caption", data.caption, "of all pictures, in place of the words drawn");
  command->add_option("--count", data.count, "pictures");
  CLI::Option* size = command->add_option("--size", options->size, "WIDTHxHEIGHT in pixels");
  command->add_option("--width", data.width, "pixels")->excludes(size);
  command->add_option("--height", data.height, "pixels")->excludes(size);
  command->add_option("--seed,--first", data.seed, "of the first picture; the next ones count up");
  command->add_option("--sheet", data.sheet, "also write a contact sheet of up to 48 pictures");
  command->add_option_function<int>(
      "--threads", [](int count) { at::set_num_threads(count); }, "CPU threads");
  command->footer("Example: affiche train data --out out/art --count 48 --size 608x320 --seed 1");
  command->callback([=] {
    choose([=] {
      DrawnData chosen = options->data;
      if (!options->family.empty()) chosen.family = family_of(options->family);
      if (!options->size.empty()) read_size(options->size, chosen);
      const double speed = draw_data(chosen, files);
      std::printf("%d pictures in %s, drawn at %.0f a second\n", chosen.count, chosen.out.c_str(),
                  speed);
      return 0;
    });
  });
}

}  // namespace affiche::diffusion

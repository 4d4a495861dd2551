// SPDX-License-Identifier: Apache-2.0
#include "service/preview.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/encode.h"
#include "imaging/resize.h"
#include "service/card_job.h"
#include "service/drawn_background.h"

namespace affiche::service {
namespace {

using cards::Variable;

constexpr int kMargin = 24;
constexpr int kLabel = 34;  // pixels of a row's name

// Sentences by how much room a variable has: below 8 characters, 16, 24, 48, 100, more.
struct Words {
  const char* language;
  std::array<const char*, 6> texts;
};
constexpr Words kLong = {
    "en",
    {"28–30", "September", "Agriculture & land use", "Climate, agriculture & land use policy",
     "Maria-Magdalena Wojciechowska-Schmidt, Aberystwyth",
     "How a quiet alpine meadow became the most closely watched experiment in the long history of "
     "mountain weather"}};
constexpr Words kRightToLeft = {"ar",
                                {"٢١", "نوفمبر", "علوم", "الزراعة والمناخ", "ليلى منصور",
                                 "كيف أصبح مرج جبلي هادئ أكثر التجارب مراقبة في تاريخ الطقس"}};

// As many whole words as there is room for, else part of the first.
std::string cut(const std::string& text, int characters) {
  int count = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xC0) != 0x80;
    if (starts && count++ == characters) break;
    ++end;
  }
  if (end == text.size()) return text;
  const std::size_t space = text.rfind(' ', end);
  return text.substr(0, space == std::string::npos ? end : space);
}

std::string words_for(const Variable& variable, const Words& words) {
  constexpr std::array<int, 5> kRoom = {8, 16, 24, 48, 100};
  const auto which = static_cast<std::size_t>(
      std::upper_bound(kRoom.begin(), kRoom.end(), variable.max_length) - kRoom.begin());
  return cut(words.texts[which], variable.max_length);
}

// A sample without a letter or digit, such as " %", stands for something that words cannot replace.
bool is_sign(const Variable& variable) {
  const auto is_word = [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c));
  };
  return !variable.sample.empty() &&
         std::none_of(variable.sample.begin(), variable.sample.end(), is_word);
}

std::map<std::string, std::string> samples(const cards::Template& card, const Words* words) {
  std::map<std::string, std::string> values;
  for (const auto& [name, variable] : card.variables) {
    if (variable.type == Variable::Type::Text && words != nullptr && !is_sign(variable)) {
      values[name] = words_for(variable, *words);
    } else if (!variable.sample.empty()) {
      values[name] = variable.sample;
    } else if (variable.required) {
      values[name] = variable.type == Variable::Type::Text
                         ? cut("A headline of seven good words", variable.max_length)
                         : variable.fallback;
    }
  }
  return values;
}

// The variable that chooses the scheme, if the template has one.
std::string scheme_variable(const cards::Template& card) {
  return card.scheme.rfind("var.", 0) == 0 ? card.scheme.substr(4) : "";
}

Credit sample_credit() {
  Credit credit;
  credit.title = "Hills at dusk";
  credit.author = "Ana Example";
  credit.source = "Example Commons";
  credit.source_url = "https://photos.example/hills";
  credit.license = "CC-BY-4.0";
  credit.license_url = "https://creativecommons.org/licenses/by/4.0/";
  return credit;
}

// Hills before an evening sky, so that crops and words over a picture can be judged.
Photo sample_photo() {
  constexpr int kWidth = 1600;
  constexpr int kHeight = 1200;
  Image image = make_image(kWidth, kHeight, 3);
  const auto put = [&](int x, int y, double r, double g, double b) {
    std::uint8_t* p = image.pixels.data() + static_cast<std::size_t>(y) * image.stride() +
                      static_cast<std::size_t>(x) * 3;
    const auto byte = [](double v) { return static_cast<std::uint8_t>(std::clamp(v, 0.0, 255.0)); };
    p[0] = byte(r);
    p[1] = byte(g);
    p[2] = byte(b);
  };
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double t = static_cast<double>(y) / kHeight;
      double r = 70 + 185 * t;
      double g = 110 + 80 * t;
      double b = 170 - 60 * t;
      const double sun = std::hypot(x - 1040.0, y - 520.0);
      const double glow = std::exp(-sun / 170) * 120 + (sun < 70 ? 90 : 0);
      r += glow;
      g += glow * 0.85;
      b += glow * 0.5;
      for (int hill = 0; hill < 4; ++hill) {
        const double u = x / 260.0 * (1 + hill * 0.3) + hill * 2.1;
        const double top = 620 + hill * 130 + 60 * std::sin(u) + 26 * std::sin(2.7 * u + hill);
        if (y < top) continue;
        r = 96 - hill * 22;
        g = 92 - hill * 16;
        b = 112 - hill * 18;
      }
      put(x, y, r, g, b);
    }
  }
  return Photo(cards::encode(image, cards::Format::Jpeg).bytes, sample_credit());
}

void add_pictures(const cards::Template& card, const cards::Brand& brand,
                  cards::CardInputs& inputs) {
  std::vector<std::string> names = card.generated_names(inputs.photo.has_value());
  for (const std::string& name : card.drawn_names(inputs.photo.has_value())) names.push_back(name);
  for (const std::string& name : names) {
    const Recipe recipe = drawn_recipe(brand, name, 1);
    inputs.generated.emplace(name, Generated(draw_background(recipe), recipe));
  }
}

// A line of words as a picture, set by the compositor itself.
Image label(const std::string& text, const cards::Brand& brand, int width) {
  static const char* kFormat =
      "[canvas]\nwidth = %d\nheight = 64\nbackground = \"#FFFFFF\"\n[variables.text]\n"
      "max_length = 2000\n[[layers]]\nkind = \"text\"\nname = \"words\"\nbox = [4, 0, \"98%%\", "
      "64]\n"
      "content = [\"{{text}}\"]\nfont = \"%s\"\ncolour = \"#333333\"\nmax_size = 18\nmin_size = "
      "10\n"
      "ellipsis = true\n";
  if (brand.fonts.empty()) return make_image(width, kLabel, 3);
  const std::string font = brand.fonts.contains("body") ? "body" : brand.fonts.begin()->first;
  std::array<char, 1024> text_of{};
  std::snprintf(text_of.data(), text_of.size(), kFormat, std::clamp(width, 64, 4096), font.c_str());
  cards::CardInputs inputs;
  inputs.variables = {{"text", text}};
  const Image strip =
      compose(cards::parse_template(text_of.data(), "label.toml", "."), brand, inputs).image;
  return crop(strip, 0, (64 - kLabel) / 2, strip.width, (64 - kLabel) / 2 + kLabel);
}

void fill_white(Image& image) {
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{255});
}

}  // namespace

std::vector<PreviewCase> preview_cases(const cards::Template& card, const cards::Brand& brand,
                                       bool all) {
  const std::string variable = scheme_variable(card);
  std::vector<std::string> schemes = {""};
  if (!variable.empty()) {
    for (const std::string& name : card.variables.at(variable).choices) {
      if (brand.schemes.contains(name)) schemes.push_back(name);
    }
    if (schemes.size() > 1) schemes.erase(schemes.begin());
  }
  const bool no_photo = card.photo_missing == cards::Template::PhotoMissing::Variant;
  std::vector<PreviewCase> cases;
  const auto add = [&](const std::string& name, bool photo, const Words* words,
                       const std::string& scheme) {
    PreviewCase added{name + (photo || !card.has_photo() ? "" : ", no photo") +
                          (scheme.empty() ? "" : ", " + scheme),
                      photo && card.has_photo(), samples(card, words),
                      words != nullptr ? words->language : "en"};
    if (!scheme.empty()) added.variables[variable] = scheme;
    cases.push_back(std::move(added));
  };
  add("sample", true, nullptr, schemes.front());
  if (!all) return cases;
  add("long", true, &kLong, schemes.back());
  add("right to left", true, &kRightToLeft, schemes.front());
  if (card.has_photo() && no_photo) {
    add("sample", false, nullptr, schemes.back());
    add("long", false, &kLong, schemes.front());
    add("right to left", false, &kRightToLeft, schemes.back());
  } else if (schemes.size() > 1) {
    add("sample", true, nullptr, schemes.back());
  }
  return cases;
}

std::vector<PreviewCase> data_cases(const std::filesystem::path& file,
                                    const cards::Template& card) {
  constexpr std::size_t kMost = 50;
  Json all = parse_json(read_text(file), file.string());
  if (!all.is_array()) all = Json::array({all});
  if (all.size() > kMost) {
    fail(Cause::BadInput, file.string(), ": expected at most ", kMost, " cards, found ",
         all.size());
  }
  std::vector<PreviewCase> cases;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string what = all.size() > 1 ? concat(file.string(), ": ", i + 1) : file.string();
    const Json& one = all[i].is_object() && all[i].contains("set") ? all[i]["set"] : all[i];
    PreviewCase added;
    added.name = all.size() > 1 ? concat("data ", i + 1) : "data";
    added.with_photo = card.has_photo();
    added.variables = job_variables(one.dump(), what);
    cases.push_back(std::move(added));
  }
  return cases;
}

cards::Composed preview_card(const cards::Template& card, const cards::Brand& brand,
                             const PreviewCase& which, const PreviewOptions& options) {
  static const Photo stand_in = sample_photo();
  cards::CardInputs inputs;
  inputs.variables = which.variables;
  inputs.language = which.language;
  if (which.with_photo) inputs.photo = options.photo ? *options.photo : stand_in;
  add_pictures(card, brand, inputs);
  cards::Composed made = compose(card, brand, inputs);
  if (options.overlay) made.image = preview_overlay(made, card, brand);
  return made;
}

PreviewSheet preview_sheet(const cards::Template& card, const cards::Brand& brand,
                           const PreviewOptions& options) {
  PreviewSheet sheet;
  std::vector<PreviewCase> cases = options.data;
  for (PreviewCase& each : preview_cases(card, brand, options.all)) {
    cases.push_back(std::move(each));
  }
  const std::vector<std::string> sizes = card.sizes();
  int width = kMargin;
  for (const std::string& size : sizes) {
    const cards::Template& one = card.at_size(size);
    width += options.height * one.width / one.height + kMargin;
  }
  const int row = kLabel + options.height + kMargin;
  sheet.image = make_image(width, kMargin + row * static_cast<int>(cases.size()), 3);
  fill_white(sheet.image);
  int y = kMargin;
  for (const PreviewCase& which : cases) {
    int x = kMargin;
    sheet.rows.push_back(which.name);
    paste(sheet.image,
          label(card.name + " · " + brand.name + " · " + which.name, brand,
                std::min(width - 2 * kMargin, 1200)),
          x, y);
    for (const std::string& size : sizes) {
      const cards::Template& one = card.at_size(size);
      const int shown = options.height * one.width / one.height;
      try {
        const Image image = preview_card(one, brand, which, options).image;
        paste(sheet.image, resize(image, shown, options.height, Filter::Lanczos), x, y + kLabel);
      } catch (const Error& error) {
        sheet.errors.push_back(size + ", " + which.name + ": " + error.what());
      }
      x += shown + kMargin;
    }
    y += row;
  }
  return sheet;
}

}  // namespace affiche::service

// SPDX-License-Identifier: Apache-2.0
#include "cards/brand.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "cards/fonts.h"
#include "cards/opentype.h"
#include "cards/svg.h"

namespace affiche::cards {
namespace {

template <typename Value>
const Value& find_named(const std::map<std::string, Value>& values, const std::string& name,
                        const std::string& brand, const char* kind) {
  const auto found = values.find(name);
  if (found != values.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, value] : values) known.push_back(key);
  fail(Cause::BadInput, "brand \"", brand, "\": no ", kind, " \"", name, "\"",
       suggestion(name, known));
}

std::filesystem::path resolve_path(const std::filesystem::path& folder, const std::string& file) {
  return std::filesystem::absolute(folder / file).lexically_normal();
}

std::map<std::string, Colour> read_named_colours(TomlReader reader) {
  std::map<std::string, Colour> colours;
  for (const std::string& name : reader.keys()) {
    Colour colour;
    const std::string value = reader.text(name);
    if (!parse_hex(value, colour)) {
      reader.refuse(name, "expected a colour such as \"#0FA3B1\", found \"" + value + "\"");
    }
    colours[name] = colour;
  }
  return colours;
}

void read_colours(TomlReader& root, Brand& brand) {
  const toml::table* table = root.table("colours");
  if (table == nullptr) root.refuse("colours", "expected a table of named colours");
  brand.colours = read_named_colours(root.child("colours", *table));
  const toml::table* schemes = root.table("schemes");
  if (schemes == nullptr) return;
  TomlReader reader = root.child("schemes", *schemes);
  std::vector<std::string> known;
  for (const auto& [name, colour] : brand.colours) known.push_back(name);
  for (const std::string& scheme : reader.keys()) {
    const toml::table* colours_of_scheme = reader.table(scheme);
    TomlReader named = reader.child(scheme, *colours_of_scheme);
    for (const std::string& name : named.keys()) {
      if (!brand.colours.contains(name)) {
        named.refuse(name, "[colours] has no such colour" + suggestion(name, known));
      }
    }
    brand.schemes[scheme] = read_named_colours(std::move(named));
  }
}

void read_fonts(TomlReader& root, Brand& brand) {
  const toml::table* table = root.table("fonts");
  if (table == nullptr) root.refuse("fonts", "expected a table of named fonts");
  TomlReader fonts = root.child("fonts", *table);
  for (const std::string& name : fonts.keys()) {
    TomlReader reader = fonts.child(name, *fonts.table(name));
    Font font;
    font.family = reader.text("family");
    font.weight = static_cast<int>(reader.integer("weight", 400));
    if (font.weight < 100 || font.weight > 1000) reader.refuse("weight", "expected 100 to 1000");
    font.italic = reader.flag("italic", false);
    font.small_caps = reader.flag("small_caps", false);
    font.width = reader.number("width", font.width);
    if (!(font.width >= 50 && font.width <= 200)) reader.refuse("width", "expected 50 to 200");
    font.features = reader.texts("features");
    for (const std::string& feature : font.features) {
      if (is_opentype_feature(feature)) continue;
      reader.refuse("features",
                    "expected names such as \"tnum\" or \"ss01=2\", found \"" + feature + "\"");
    }
    if (const toml::table* axes = reader.table("axes")) {
      TomlReader axis = reader.child("axes", *axes);
      for (const std::string& tag : axis.keys()) {
        if (!is_opentype_tag(tag)) axis.refuse(tag, "expected an axis of four letters");
        font.axes[tag] = axis.number(tag);
      }
    }
    reader.finish();
    brand.fonts[name] = font;
  }
}

std::int64_t size_or_zero(TomlReader& reader, std::string_view key) {
  const std::int64_t value = reader.integer(key, 0);
  if (value < 0 || value > 4096 || value % 8 != 0) {
    reader.refuse(key, concat("expected a multiple of 8 up to 4096, found ", value));
  }
  return value;
}

// The names of colours that generated pictures are brought to: all of the brand's unless it says.
void read_palette(TomlReader& reader, Brand& brand) {
  if (!reader.has("palette")) {
    for (const auto& [name, colour] : brand.colours) brand.voice.palette.push_back(name);
    return;
  }
  brand.voice.palette = reader.texts("palette");
  for (const std::string& name : brand.voice.palette) {
    if (brand.colours.contains(name)) continue;
    std::vector<std::string> known;
    for (const auto& [own, colour] : brand.colours) known.push_back(own);
    reader.refuse("palette",
                  concat("no colour \"", name, "\" in [colours]", suggestion(name, known)));
  }
}

VoiceLora read_lora(TomlReader reader, const Voice& voice, const std::filesystem::path& folder) {
  VoiceLora lora{resolve_path(folder, reader.text("file")), reader.number("weight", 1),
                 reader.texts("prompts")};
  for (const std::string& name : lora.prompts) {
    if (voice.prompts.contains(name)) continue;
    std::vector<std::string> known;
    for (const auto& [prompt, text] : voice.prompts) known.push_back(prompt);
    reader.refuse("prompts",
                  concat("no prompt \"", name, "\" in [voice.prompts]", suggestion(name, known)));
  }
  reader.finish();
  return lora;
}

void read_voice(TomlReader& root, Brand& brand, const std::filesystem::path& folder) {
  const toml::table* table = root.table("voice");
  if (table == nullptr) return;
  TomlReader reader = root.child("voice", *table);
  Voice& voice = brand.voice;
  const std::string model = reader.text("model");
  const bool reference =
      model == "drawn" || model.starts_with("hub:") || model.starts_with("https://");
  voice.model = reference ? std::filesystem::path(model) : resolve_path(folder, model);
  voice.scheduler = reader.text("scheduler", "");
  const std::int64_t steps = reader.integer("steps", voice.steps);
  if (steps < 1 || steps > 1000) reader.refuse("steps", "expected 1 to 1000");
  voice.steps = static_cast<int>(steps);
  voice.guidance = reader.number("guidance", voice.guidance);
  voice.width = static_cast<int>(size_or_zero(reader, "width"));
  voice.height = static_cast<int>(size_or_zero(reader, "height"));
  voice.seed = reader.integer("seed", 0);
  voice.variations = static_cast<int>(reader.integer("variations", 16));
  if (voice.variations < 1 || voice.variations > 100'000) {
    reader.refuse("variations", "expected 1 to 100000");
  }
  voice.negative_prompt = reader.text("negative_prompt", "");
  read_palette(reader, brand);
  if (const toml::table* prompts = reader.table("prompts")) {
    TomlReader prompt = reader.child("prompts", *prompts);
    for (const std::string& name : prompt.keys()) voice.prompts[name] = prompt.text(name);
  }
  for (const toml::table* item : reader.tables("loras"))
    voice.loras.push_back(read_lora(reader.child("loras", *item), voice, folder));
  reader.finish();
}

// The fonts decide the pixels, so they belong to the brand's hash.
std::string font_hashes(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (folder.empty()) return "";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string hashes;
  for (const auto& file : files) hashes += file.filename().string() + sha256_file(file);
  return hashes;
}

}  // namespace

std::vector<VoiceLora> Voice::loras_of(const std::string& prompt) const {
  std::vector<VoiceLora> worn;
  std::ranges::copy_if(loras, std::back_inserter(worn), [&](const VoiceLora& lora) {
    return lora.prompts.empty() || std::ranges::find(lora.prompts, prompt) != lora.prompts.end();
  });
  return worn;
}

Brand Brand::in_scheme(const std::string& scheme) const {
  Brand result = *this;
  if (scheme.empty()) return result;
  for (const auto& [colour_name, value] : find_named(schemes, scheme, name, "scheme")) {
    result.colours[colour_name] = value;
  }
  result.sha256 = sha256_hex(sha256 + '\0' + scheme);
  return result;
}

const Colour& Brand::colour(const std::string& colour_name) const {
  return find_named(colours, colour_name, name, "colour");
}

const Font& Brand::font(const std::string& font_name) const {
  return find_named(fonts, font_name, name, "font");
}

Brand parse_brand(const std::string& text, const std::string& what,
                  const std::filesystem::path& folder) {
  const toml::table table = parse_toml(text, what);
  TomlReader root(table, what);
  Brand brand;
  brand.name = std::filesystem::path(what).stem().string();
  brand.publisher = root.text("publisher");
  read_colours(root, brand);
  read_fonts(root, brand);
  if (root.has("font_folder")) {
    brand.font_folder = resolve_path(folder, root.text("font_folder"));
    if (!std::filesystem::is_directory(brand.font_folder)) {
      root.refuse("font_folder", "no folder " + brand.font_folder.string());
    }
    check_fonts(brand.font_folder);
  }
  if (root.has("logo")) {
    const std::filesystem::path file = resolve_path(folder, root.text("logo"));
    try {
      brand.logo = read_text(file, std::size_t{1} << 20);
      check_svg(brand.logo, file.string());
    } catch (const Error& error) {
      root.refuse("logo", error.what());
    }
  }
  read_voice(root, brand, folder);
  root.finish();
  brand.sha256 = sha256_hex(text + '\0' + brand.logo + '\0' + font_hashes(brand.font_folder));
  return brand;
}

Brand load_brand(const std::filesystem::path& path) {
  return parse_brand(read_text(path, std::size_t{4} << 20), path.string(), path.parent_path());
}

}  // namespace affiche::cards

// SPDX-License-Identifier: Apache-2.0
// Manifests as the documentation of c2patool 0.9 to 0.27 describes them (docs/manifest.md,
// docs/usage.md there); actions and their parameters as in the C2PA specification 2.1, section 18.
#include "service/content_credentials.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "service/child_program.h"

namespace affiche::service {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kMostTime{60};
constexpr const char* kIngredient = "photo";

// A folder that nobody else may look into, gone at the end.
class Workplace {
 public:
  Workplace() : path_(fs::temp_directory_path() / ("affiche-c2pa-" + random_hex(8))) {
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
  }
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

// The action for a change that the credit names.
const char* action_of(const std::string& change) {
  if (change == "cropped") return "c2pa.cropped";
  if (change == "colours changed") return "c2pa.color_adjustments";
  if (change == "rotated") return "c2pa.orientation";
  if (change == "blurred" || change == "grain added") return "c2pa.filtered";
  return "c2pa.edited";
}

Json actions_of(const cards::Composed& card, const std::string& source_type,
                const std::string& ingredient_id) {
  Json actions = Json::array();
  const Json of_photo = {{"ingredientIds", Json::array({ingredient_id})}};
  if (card.hero && !ingredient_id.empty()) {
    actions.push_back({{"action", "c2pa.opened"}, {"parameters", of_photo}});
  } else {
    actions.push_back({{"action", "c2pa.created"}, {"digitalSourceType", source_type}});
    if (!ingredient_id.empty()) {
      actions.push_back({{"action", "c2pa.placed"}, {"parameters", of_photo}});
    }
  }
  if (card.credit && !ingredient_id.empty()) {
    for (const std::string& change : card.credit->changes) {
      const char* action = action_of(change);
      const bool known = std::any_of(actions.begin(), actions.end(),
                                     [&](const Json& one) { return one.at("action") == action; });
      if (!known) actions.push_back({{"action", action}});
    }
  }
  if (!card.hero) actions.push_back({{"action", "c2pa.drawing"}});
  return actions;
}

void run_tool(const std::string& tool, const std::vector<std::string>& arguments,
              const std::string& doing) {
  const ProgramAnswer answer = run_child(tool, arguments, kMostTime);
  if (answer.code == 0) return;
  fail(Cause::Unavailable, "content credentials: ", tool, " failed ", doing, ": ",
       answer.late ? "it took more than a minute" : answer.complaint);
}

// Lets the tool read the photograph and what credentials it has. Returns the ingredient's id.
std::string read_ingredient(const std::string& tool, const Workplace& place, const Photo& photo,
                            bool parent) {
  const Bytes& bytes = photo.encoded();
  const bool png = bytes.size() > 4 && bytes[0] == 0x89;
  const bool riff = bytes.size() > 4 && bytes[0] == 'R';
  const std::string file = std::string("photo.") + (png ? "png" : riff ? "webp" : "jpg");
  write_atomically(place / file, bytes);
  const fs::path folder = place / kIngredient;
  run_tool(tool, {(place / file).string(), "--ingredient", "--output", folder.string(), "--force"},
           "to read the photograph");
  const fs::path definition = folder / "ingredient.json";
  if (!fs::exists(definition)) {
    fail(Cause::Unavailable, "content credentials: ", tool,
         " wrote no ingredient.json for the photograph");
  }
  Json ingredient = parse_json(read_text(definition), definition.string());
  ingredient["title"] = photo.credit().title;
  ingredient["relationship"] = parent ? "parentOf" : "componentOf";
  // Actions name an ingredient by its label where it has one, else by its instance_id. (c2pa-rs
  // refuses a manifest whose actions name an id that is hidden by a label.)
  const bool has_id = ingredient.contains("instance_id") && ingredient["instance_id"].is_string();
  if (has_id) {
    ingredient.erase("label");
  } else {
    ingredient["label"] = kIngredient;
  }
  write_atomically(definition, ingredient.dump());
  return has_id ? ingredient["instance_id"].get<std::string>() : kIngredient;
}

bool holds(const Bytes& bytes, std::string_view text) {
  return std::search(bytes.begin(), bytes.end(), text.begin(), text.end()) != bytes.end();
}

// That the tool answered with this very picture and a manifest.
void check_signed(const Bytes& before, const Bytes& after, cards::Format format,
                  const std::string& tool) {
  const std::string found =
      holds(after, "jumb") && holds(after, "c2pa") ? "" : "a file without a manifest";
  if (found.empty() && format == cards::Format::Avif) return;
  if (found.empty()) {
    const Image one = cards::decode(before, "the card");
    const Image two = cards::decode(after, "the signed card");
    if (one.pixels == two.pixels && one.width == two.width) return;
  }
  fail(Cause::Unavailable, "content credentials: ", tool,
       ": expected the card with a manifest, found ", found.empty() ? "another picture" : found);
}

}  // namespace

std::string ContentCredentials::status() const {
  if (on()) return "signed by " + settings_.certificate.string();
  return "off: cards are not signed; c2pa.tool, c2pa.certificate and c2pa.key turn it on";
}

Json manifest_definition(const SigningSettings& settings, const cards::Composed& card,
                         const std::string& title, const std::string& source_type,
                         const std::string& ingredient_file, const std::string& ingredient_id) {
  Json generator = {{"name", "affiche"}, {"version", AFFICHE_VERSION}};
  Json actions = {{"label", "c2pa.actions"},
                  {"data", {{"actions", actions_of(card, source_type, ingredient_id)}}}};
  // Lists by name: braces around a single value would be that value.
  Json manifest = {{"alg", settings.algorithm},
                   {"private_key", settings.key.string()},
                   {"sign_cert", settings.certificate.string()},
                   {"claim_generator_info", Json::array({std::move(generator)})},
                   {"title", title},
                   {"assertions", Json::array({std::move(actions)})}};
  if (!settings.timestamp_url.empty()) manifest["ta_url"] = settings.timestamp_url;
  if (!ingredient_file.empty()) manifest["ingredient_paths"] = Json::array({ingredient_file});
  return manifest;
}

Bytes ContentCredentials::sign(const Bytes& file, cards::Format format, const cards::Composed& card,
                               const std::optional<Photo>& photo, const std::string& title,
                               const std::string& source_type) const {
  if (!on()) return file;
  const std::string tool = settings_.tool.string();
  const Workplace place;
  const std::string extension = cards::extension(format);
  const fs::path source = place / ("card" + extension);
  const fs::path target = place / ("signed" + extension);
  write_atomically(source, file);
  std::string id;
  const bool with_photo = photo.has_value() && card.credit.has_value();
  if (with_photo) id = read_ingredient(tool, place, *photo, card.hero);
  const std::string ingredient = with_photo ? std::string(kIngredient) + "/ingredient.json" : "";
  write_atomically(place / "manifest.json",
                   manifest_definition(settings_, card, title, source_type, ingredient, id).dump());
  run_tool(tool,
           {source.string(), "--manifest", (place / "manifest.json").string(), "--output",
            target.string(), "--force"},
           "to sign");
  if (!fs::exists(target)) {
    fail(Cause::Unavailable, "content credentials: ", tool, " wrote no file");
  }
  Bytes result = read_bytes(target);
  check_signed(file, result, format, tool);
  return result;
}

}  // namespace affiche::service

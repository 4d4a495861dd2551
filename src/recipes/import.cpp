// SPDX-License-Identifier: Apache-2.0
#include "recipes/import.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/toml_json.h"
#include "recipes/picture_recipe.h"
#include "recipes/picture_text.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

constexpr std::size_t kMostText = std::size_t{16} << 20;

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

// A comment ends with its line.
std::string one_line(const std::string& text) {
  std::string line = clean_text(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

bool begins_with_brace(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

Imported import_own(const Json& recipe, const std::string& what) {
  const PictureRecipe parts = read_picture_recipe(recipe, what);
  Imported out;
  out.source = "affiche";
  out.request = parts.request;
  for (const auto& [option, value, usual] : {std::tuple{"--dtype", parts.making.dtype, "fp32"},
                                             std::tuple{"--device", parts.making.device, "cpu"}}) {
    if (value != usual) {
      out.note(NoteKind::NotEqual, "made_with",
               concat("is chosen on the command line: ", option, " ", clean_text(value)));
    }
  }
  return out;
}

Imported import_json(std::string_view text, const std::string& what) {
  // Both ComfyUI and Python write NaN and Infinity into JSON.
  const Json json = parse_json(text, what, true);
  if (is_comfyui(json)) return import_comfyui(json, what);
  if (json.is_object() && json.contains("made_with")) return import_own(json, what);
  // ComfyUI's web page and its queue wrap the workflow.
  for (const char* wrapper : {"prompt", "workflow"}) {
    if (json.is_object() && json.contains(wrapper) && is_comfyui(json.at(wrapper))) {
      return import_comfyui(json.at(wrapper), what);
    }
  }
  return import_diffusers(json, what);
}

Imported import_picture(std::span<const std::uint8_t> bytes, const std::string& what) {
  const PictureOrigin origin = read_origin(bytes, what);
  if (origin.recipe) return import_own(*origin.recipe, what);
  if (!origin.prompt.empty()) return import_json(origin.prompt, what + ": prompt");
  if (!origin.workflow.empty()) return import_json(origin.workflow, what + ": workflow");
  if (!origin.parameters.empty()) return import_parameters(origin.parameters, what);
  fail(Cause::BadInput, what,
       ": expected a picture that carries a ComfyUI workflow, A1111 parameters or a recipe of "
       "affiche, found none; programs that resize or publish pictures often take them out");
}

struct FileKey {
  const char* key;
  const char* kind;  // folders of other programs in which such files lie
};
constexpr FileKey kFileKeys[] = {
    {"model", "model"},   {"unet", "UNet"},    {"vae", "VAE"},        {"controlnet", "ControlNet"},
    {"image", "picture"}, {"mask", "picture"}, {"control", "picture"}};

// "owner/name", as from_pretrained() takes it.
bool is_repository(const std::string& name, const FileKey& key) {
  static const std::set<std::string> kNetworks = {"controlnet", "model", "unet", "vae"};
  const auto letter = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  };
  return kNetworks.contains(key.key) && std::count(name.begin(), name.end(), '/') == 1 &&
         name.front() != '/' && name.front() != '.' && name.back() != '/' &&
         !name.ends_with(".safetensors") && std::all_of(name.begin(), name.end(), letter);
}

class Locator {
 public:
  Locator(Imported& imported, const std::filesystem::path& models,
          const std::filesystem::path& folder)
      : imported_(imported), models_(models), folder_(folder) {
    if (!models_.empty()) list_models();
  }

  void run() {
    for (const FileKey& each : kFileKeys) {
      const auto found = imported_.request.find(each.key);
      if (found == imported_.request.end()) continue;
      if (found->is_array()) {
        for (Json& item : *found) place(item, each);
      } else {
        place(*found, each);
      }
    }
    for (const FileKey& each :
         {FileKey{"lora", "LoRA"}, FileKey{"textual_inversion", "embedding"}}) {
      const auto list = imported_.request.find(each.key);
      if (list == imported_.request.end() || !list->is_array()) continue;
      for (Json& item : *list) {
        place(item.is_object() && item.contains("file") ? item["file"] : item, each);
      }
    }
  }

 private:
  void list_models() {
    constexpr int kDeepest = 5;
    constexpr std::size_t kMost = 200'000;
    std::error_code error;
    auto at = std::filesystem::recursive_directory_iterator(
        models_, std::filesystem::directory_options::skip_permission_denied, error);
    if (error) {
      fail(Cause::NotFound, "--models ", models_.string(), ": cannot be read: ", error.message());
    }
    for (; at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
      if (error || files_.size() >= kMost) break;
      if (at.depth() >= kDeepest) at.disable_recursion_pending();
      files_.push_back(at->path());
    }
    std::sort(files_.begin(), files_.end());
  }

  // The file whose path ends in the name, else of that name, else of that name with another ending,
  // or a model folder.
  std::filesystem::path find(const std::filesystem::path& name) const {
    for (const std::filesystem::path& file : files_) {
      if (file.filename() != name.filename()) continue;
      const std::string path = "/" + file.generic_string();
      if (path.ends_with("/" + name.generic_string())) return file;
    }
    for (const std::filesystem::path& file : files_) {
      if (file.filename() == name.filename()) return file;
    }
    for (const std::filesystem::path& file : files_) {
      const bool weights = file.extension() == ".safetensors" || file.extension() == ".ckpt" ||
                           file.extension() == ".gguf" || file.extension() == ".pt";
      const bool folder = std::filesystem::exists(file / "model_index.json");
      const bool same = folder ? file.filename() == name.filename().stem()
                               : weights && file.stem() == name.filename().stem();
      if (same) return file;
    }
    return {};
  }

  void place(Json& value, const FileKey& key) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) return;
    std::string name = value.get<std::string>();
    if (name.starts_with("hub:") || name.starts_with("https://")) return;
    std::replace(name.begin(), name.end(), '\\', '/');
    const std::filesystem::path path = name;
    std::error_code error;
    if (path.is_absolute() || std::filesystem::exists(folder_ / path, error)) {
      value = name;
      if (!std::filesystem::exists(path.is_absolute() ? path : folder_ / path, error)) {
        to_find(key, name);
      }
      return;
    }
    const std::filesystem::path found = find(path);
    if (!found.empty()) {
      value = relative(found);
      std::erase_if(imported_.notes, [&](const ImportNote& note) {
        return note.kind == NoteKind::ToFind && note.subject == key.key;
      });
      return;
    }
    if (imported_.source == "diffusers" && is_repository(name, key)) {
      value = "hub:" + name;
      imported_.note(NoteKind::ToFind, key.key,
                     concat(name, " is fetched from the hub: affiche model fetch hub:", name));
      return;
    }
    // Never out of the folder that the user named.
    const std::filesystem::path inside = path.lexically_normal();
    const bool leaves = !inside.empty() && *inside.begin() == "..";
    value = models_.empty() ? name : relative(models_ / (leaves ? inside.filename() : inside));
    to_find(key, value.get<std::string>());
  }

  std::string relative(const std::filesystem::path& file) const {
    std::error_code error;
    const auto from = std::filesystem::weakly_canonical(
        folder_.empty() ? std::filesystem::path(".") : folder_, error);
    const auto to = std::filesystem::weakly_canonical(file, error);
    const std::filesystem::path path = to.lexically_relative(from);
    return (path.empty() || error ? to : path).generic_string();
  }

  void to_find(const FileKey& key, const std::string& name) {
    const bool listed =
        std::any_of(imported_.notes.begin(), imported_.notes.end(), [&](const ImportNote& note) {
          return note.kind == NoteKind::ToFind && note.subject == key.key;
        });
    const bool several = std::string_view(key.key) == "lora" ||
                         std::string_view(key.key) == "controlnet" ||
                         std::string_view(key.key) == "control";
    if (listed && !several) return;
    imported_.note(NoteKind::ToFind, key.key,
                   concat("the ", key.kind, " ", clean_text(name), " is not there yet"));
  }

  Imported& imported_;
  const std::filesystem::path& models_;
  const std::filesystem::path& folder_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace

const char* name(NoteKind kind) {
  switch (kind) {
    case NoteKind::NoCounterpart:
      return "no_counterpart";
    case NoteKind::NotEqual:
      return "not_equal";
    case NoteKind::ToFind:
      return "to_find";
    case NoteKind::NoEffect:
      return "no_effect";
  }
  return "no_counterpart";
}

void Imported::note(NoteKind kind, std::string subject, std::string reason) {
  notes.push_back({kind, std::move(subject), std::move(reason)});
}

Imported import_recipe(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (picture_kind(bytes)) return import_picture(bytes, what);
  if (bytes.size() > kMostText) {
    fail(Cause::BadInput, what, ": expected at most ", kMostText >> 20, " MiB, found ",
         bytes.size() >> 20);
  }
  const std::string_view text = as_text(bytes);
  if (text.find('\0') != std::string_view::npos) {
    fail(Cause::BadInput, what,
         ": expected a ComfyUI workflow, an A1111 parameters text, a diffusers call or a picture "
         "that carries one, found other data");
  }
  return begins_with_brace(text) ? import_json(text, what) : import_parameters(text, what);
}

void locate_files(Imported& imported, const std::filesystem::path& models,
                  const std::filesystem::path& folder) {
  Locator(imported, models, folder).run();
}

std::string recipe_toml(const Imported& imported, const std::string& what) {
  std::string out = concat("# From ", one_line(what), " (", imported.source,
                           "). Run it: affiche generate --recipe THIS_FILE --out picture.png\n");
  static constexpr std::pair<NoteKind, const char*> kHeadings[] = {
      {NoteKind::NoCounterpart, "Has no counterpart, so the picture will be another"},
      {NoteKind::NotEqual, "Comes near, but is not equal"},
      {NoteKind::ToFind, "Files to be found"}};
  for (const auto& [kind, heading] : kHeadings) {
    bool first = true;
    for (const ImportNote& note : imported.notes) {
      if (note.kind != kind) continue;
      if (first) out += concat("#\n# ", heading, ":\n");
      first = false;
      out += "#   " + one_line(note.subject + ": " + note.reason) + "\n";
    }
  }
  return out + "\n" + json_to_toml(imported.request);
}

}  // namespace affiche::recipes

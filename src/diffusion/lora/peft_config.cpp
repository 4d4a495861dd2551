// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/peft_config.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace affiche::diffusion {
namespace {

// What PEFT's save_pretrained() puts before every name.
constexpr std::string_view kRoot = "base_model.model.";

struct Atom {
  enum class Kind { Character, Any, Digit } kind;
  char character = 0;
  bool optional = false, repeated = false;
  bool takes(char c) const {
    if (kind == Kind::Any) return true;
    return kind == Kind::Digit ? c >= '0' && c <= '9' : c == character;
  }
};

std::vector<Atom> parse_pattern(std::string_view pattern, const std::string& file) {
  const auto refuse = [&](const char* what) {
    fail(Cause::BadInput, file, ": pattern \"", pattern, "\": expected ", what,
         "; write the module's name instead");
  };
  if (pattern.size() > 512) refuse("at most 512 characters");
  std::vector<Atom> atoms;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '*' || c == '+') {
      if (atoms.empty() || atoms.back().repeated) refuse("something before a repetition");
      atoms.back().repeated = true;
      atoms.back().optional = c == '*';
    } else if (c == '\\') {
      const char next = ++i < pattern.size() ? pattern[i] : '\0';
      if (next != '.' && next != 'd') refuse("\\. or \\d behind a backslash");
      atoms.push_back({next == 'd' ? Atom::Kind::Digit : Atom::Kind::Character, next});
    } else if (c == '.') {
      atoms.push_back({Atom::Kind::Any});
    } else if (c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
               (c >= 'A' && c <= 'Z')) {
      atoms.push_back({Atom::Kind::Character, c});
    } else if (!(c == '$' && i + 1 == pattern.size())) {
      refuse("letters, digits, _ . * + \\. \\d");
    }
  }
  return atoms;
}

// Follows all ways through the atoms at once, so that no pattern takes exponential time.
bool matches(const std::vector<Atom>& atoms, std::string_view text) {
  std::vector<bool> here(atoms.size() + 1, false);
  const auto skip = [&] {
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      if (here[i] && atoms[i].optional) here[i + 1] = true;
    }
  };
  here[0] = true;
  skip();
  for (const char c : text) {
    std::vector<bool> next(atoms.size() + 1, false);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      if (!here[i] || !atoms[i].takes(c)) continue;
      next[i + 1] = true;
      if (atoms[i].repeated) next[i] = true;
    }
    here = std::move(next);
    // A repetition that has taken one may end or go on: next[i] stands for "one more".
    skip();
  }
  return here[atoms.size()];
}

}  // namespace

bool peft_pattern_fits(const std::string& pattern, const std::string& name,
                       const std::string& file) {
  const bool anchored = pattern.starts_with('^');
  const std::vector<Atom> atoms =
      parse_pattern(std::string_view(pattern).substr(anchored ? 1 : 0), file);
  if (matches(atoms, name)) return true;
  for (std::size_t i = 0; !anchored && i < name.size(); ++i) {
    if (name[i] == '.' && matches(atoms, std::string_view(name).substr(i + 1))) return true;
  }
  return false;
}

std::string adapter_config(const std::filesystem::path& path) {
  const Json config = parse_json(read_text(path), path.string());
  if (!config.is_object()) fail(Cause::BadInput, path.string(), ": expected an object");
  const auto type = config.find("peft_type");
  if (type != config.end() && *type != Json("LORA")) {
    fail(Cause::BadInput, path.string(), ": peft_type: expected \"LORA\", found ", type->dump());
  }
  Json result = Json::object();
  for (const auto& [key, value] : config.items()) result["base_model." + key] = value;
  return result.dump();
}

PeftConfig::PeftConfig(const std::map<std::string, std::string>& metadata, std::string file)
    : file_(std::move(file)), settings_(Json::object()) {
  const auto found = metadata.find("lora_adapter_metadata");
  if (found == metadata.end()) return;
  settings_ = parse_json(found->second, file_ + " (lora_adapter_metadata)", true);
  if (!settings_.is_object()) {
    fail(Cause::BadInput, file_, ": lora_adapter_metadata: expected an object");
  }
}

const Json* PeftConfig::setting(const std::string& module, const char* key) const {
  const auto found = settings_.find(concat(module.substr(0, module.find('.')), ".", key));
  return found == settings_.end() || found->is_null() ? nullptr : &*found;
}

const Json* PeftConfig::number(const std::string& module, const char* patterns,
                               const char* key) const {
  const auto checked = [&](const Json& value, const char* name) {
    if (!value.is_number()) {
      fail(Cause::BadInput, file_, ": lora_adapter_metadata: ", name, ": expected a number");
    }
    return &value;
  };
  if (const Json* list = setting(module, patterns)) {
    if (!list->is_object()) {
      fail(Cause::BadInput, file_, ": lora_adapter_metadata: ", patterns, ": expected an object");
    }
    const std::size_t component = module.starts_with(kRoot) ? kRoot.size() : module.find('.') + 1;
    const std::string name = module.substr(component);
    for (const auto& [pattern, value] : list->items()) {
      if (peft_pattern_fits(pattern, name, file_)) return checked(value, patterns);
    }
  }
  const Json* value = setting(module, key);
  return value == nullptr ? nullptr : checked(*value, key);
}

bool PeftConfig::flag(const std::string& module, const char* key) const {
  const Json* value = setting(module, key);
  return value != nullptr && *value == Json(true);
}

double PeftConfig::scale(const std::string& module, std::int64_t rank) const {
  const Json* stated = number(module, "rank_pattern", "r");
  if (stated != nullptr && stated->get<double>() != static_cast<double>(rank)) {
    fail(Cause::BadInput, file_, ": \"", module, "\": expected rank ", stated->dump(),
         " as its metadata state, found ", rank);
  }
  const Json* alpha = number(module, "alpha_pattern", "lora_alpha");
  if (alpha == nullptr) return 1;
  const double divisor = static_cast<double>(rank);
  return alpha->get<double>() / (flag(module, "use_rslora") ? std::sqrt(divisor) : divisor);
}

bool PeftConfig::dora(const std::string& module) const {
  return flag(module, "use_dora");
}

}  // namespace affiche::diffusion

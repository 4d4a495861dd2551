// SPDX-License-Identifier: Apache-2.0
// The sample workflows of tests/data/recipes.
#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "recipes/import.h"

namespace affiche::test {

inline std::filesystem::path sample_path(const std::string& name) {
  return std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/recipes" / name;
}

inline Json sample_json(const std::string& name) {
  return parse_json(read_text(sample_path(name)), name);
}

inline recipes::Imported import_sample(const std::string& name) {
  return recipes::import_recipe(read_bytes(sample_path(name)), name);
}

inline recipes::Imported import_text(const std::string& text) {
  return recipes::import_recipe(Bytes(text.begin(), text.end()), "a file");
}

// The reasons of the notes of a kind whose subject has these words, joined.
inline std::string noted(const recipes::Imported& imported, recipes::NoteKind kind,
                         const std::string& subject) {
  std::string found;
  for (const recipes::ImportNote& note : imported.notes) {
    if (note.kind == kind && note.subject.find(subject) != std::string::npos) {
      found += note.subject + ": " + note.reason + "\n";
    }
  }
  return found;
}

inline std::size_t count(const recipes::Imported& imported, recipes::NoteKind kind) {
  std::size_t found = 0;
  for (const recipes::ImportNote& note : imported.notes) found += note.kind == kind ? 1 : 0;
  return found;
}

// All notes, for messages of failing tests.
inline std::string all_notes(const recipes::Imported& imported) {
  std::string text = imported.request.dump(1) + "\n";
  for (const recipes::ImportNote& note : imported.notes) {
    text += std::string(recipes::name(note.kind)) + ": " + note.subject + ": " + note.reason + "\n";
  }
  return text;
}

}  // namespace affiche::test

// SPDX-License-Identifier: Apache-2.0
#include "service/job_file.h"

#include <algorithm>
#include <array>
#include <iostream>
#include <iterator>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/suggest.h"
#include "service/card_files.h"
#include "service/card_job.h"
#include "service/csv.h"
#include "service/names.h"
#include "service/outputs.h"

namespace affiche::service {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kKeys = {"template", "brand", "set", "photo",   "out",
                                        "outputs",  "key",   "at",  "priority"};
constexpr std::string_view kVariablePrefix = "set.";

std::string text_of(const Json& value, const std::string& what, const std::string& key) {
  if (!value.is_string()) {
    fail(Cause::BadInput, what, ": ", key, ": expected a text, found ", value.type_name());
  }
  return value.get<std::string>();
}

int priority_of(const Json& value, const std::string& what) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < -1000 ||
      value.get<std::int64_t>() > 1000) {
    fail(Cause::BadInput, what, ": priority: expected a whole number from -1000 to 1000, found ",
         value.dump());
  }
  return value.get<int>();
}

// The worker may run in another folder.
std::string absolute(const std::string& path, const fs::path& base) {
  return path.empty() ? path : (base / path).lexically_normal().string();
}

bool is_photo_id(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Words stay words, an id becomes {"id": …}, paths become absolute.
Json photo_of(const Json& value, const fs::path& folder) {
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    if (is_photo_id(text)) return Json{{"id", text}};
    return text.empty() ? Json() : value;
  }
  Json photo = value;
  if (photo.is_object() && photo.contains("path") && photo["path"].is_string()) {
    photo["path"] = absolute(photo["path"].get<std::string>(), folder);
  }
  return photo;
}

// A wrong name is told when the job is entered, not at night by a dead job.
std::string checked_name(const std::string& name, const fs::path& folder, const std::string& kind,
                         const std::string& what) {
  if (name.empty()) return name;
  const bool is_path = name.find('/') != std::string::npos || fs::path(name).extension() == ".toml";
  const std::string resolved = is_path ? absolute(name, fs::current_path()) : name;
  try {
    named_file(resolved, folder, kind);
  } catch (const Error& error) {
    fail(Cause::BadInput, what, ": ", error.what());
  }
  return resolved;
}

// A URL that no provider of photos.order could know, or another provider's record, is told now too.
void check_provider(const PhotoRequest& request, const Config& config) {
  if (request.reference.empty()) return;
  const std::vector<std::string>& order = config.photos.order;
  const bool is_url = request.reference.find("://") != std::string::npos;
  const std::string name = request.reference.substr(0, request.reference.find(':'));
  const bool good = std::any_of(order.begin(), order.end(), [&](const std::string& entry) {
    return is_url ? entry != "library" : entry == name;
  });
  if (!good) {
    fail(Cause::BadInput, "photo: ", request.reference, ": a URL or PROVIDER:ID wants its provider",
         " in photos.order; add it there, or import the picture with `affiche photos import`");
  }
}

// What is asked for, against the template and the place that it goes to.
std::string checked_outputs(const std::vector<Output>& outputs, const store::NewJob& job,
                            const Config& config) {
  if (outputs.empty()) return "[]";
  const auto card =
      cards::load_template(named_file(job.template_name, config.paths.templates, "template"));
  check_outputs(outputs, card, "outputs");
  if (is_file_name(job.out)) {
    if (outputs.size() > 1) {
      fail(Cause::BadInput, "outputs: ", outputs.size(), " files need a folder, out is the file ",
           job.out);
    }
    if (card_format(job.out) != outputs.front().format) {
      fail(Cause::BadInput, "outputs: ", label(outputs.front()), " cannot be written to ", job.out);
    }
  }
  return to_json(outputs);
}

// A job as an object with the keys above, over the defaults.
store::NewJob job_from(const Json& object, const JobDefaults& defaults, const Config& config,
                       const fs::path& folder, const std::string& what) {
  if (!object.is_object()) {
    fail(Cause::BadInput, what, ": expected an object, found ", object.type_name());
  }
  for (const auto& [key, value] : object.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      fail(Cause::BadInput, what, ": unknown key \"", key, "\"", suggestion(key, kKeys));
    }
  }
  const auto text = [&](const char* key, const std::string& fallback) {
    return object.contains(key) ? text_of(object[key], what, key) : fallback;
  };
  store::NewJob job;
  job.template_name = checked_name(text("template", defaults.template_name), config.paths.templates,
                                   "template", what);
  if (job.template_name.empty()) {
    fail(Cause::BadInput, what, ": template: expected a name, found none; --template gives one");
  }
  job.brand = checked_name(text("brand", defaults.brand), config.paths.brands, "brand", what);
  job.out = absolute(text("out", defaults.out), fs::current_path());
  job.key = text("key", defaults.key);
  job.priority =
      object.contains("priority") ? priority_of(object["priority"], what) : defaults.priority;
  job.max_attempts = config.work.max_attempts;

  Json set = Json::object();
  for (const auto& [name, value] : defaults.set) set[name] = value;
  if (object.contains("set")) {
    if (!object["set"].is_object()) {
      fail(Cause::BadInput, what, ": set: expected an object, found ", object["set"].type_name());
    }
    set.update(object["set"]);
  }
  try {
    job.variables = set.dump();
    job.photo =
        photo_of(object.contains("photo") ? object["photo"] : Json(defaults.photo), folder).dump();
    if (const std::string at = text("at", defaults.at); !at.empty()) job.run_at = parse_iso8601(at);
    job_variables(job.variables, "set");
    check_provider(photo_request(job.photo, "photo"), config);
    // Outputs of the configuration are for folders: a job that names its file gets that.
    const Json usual = is_file_name(job.out) ? Json::array() : Json(config.cards.outputs);
    job.makes = checked_outputs(read_outputs(object.contains("outputs") ? object["outputs"]
                                             : defaults.outputs.empty() ? usual
                                                                        : Json(defaults.outputs),
                                             "outputs"),
                                job, config);
  } catch (const Error& error) {
    fail(Cause::BadInput, what, ": ", error.what());
  } catch (const Json::exception& error) {
    fail(Cause::BadInput, what, ": ", error.what());
  }
  return job;
}

// An unknown column is a variable, unless it looks like a mistyped key.
void put_cell(Json& object, const std::string& column, const std::string& cell,
              const std::string& what) {
  if (column.starts_with(kVariablePrefix)) {
    object["set"][column.substr(kVariablePrefix.size())] = cell;
  } else if (column == "priority") {
    object[column] = parse_json(cell, what + ": priority");
  } else if (column == "photo" && cell.starts_with("{")) {
    object[column] = parse_json(cell, what + ": photo");
  } else if (std::find(kKeys.begin(), kKeys.end(), column) != kKeys.end()) {
    object[column] = cell;
  } else {
    object["set"][column] = cell;
  }
}

void check_columns(const CsvRow& header, const std::string& file) {
  static const std::array<std::string, 4> kLong = {"template", "brand", "photo", "priority"};
  std::vector<std::string> seen;
  for (const std::string& column : header.cells) {
    const std::string what = concat(file, ":", header.line, ": column \"", column, "\"");
    if (column.empty() || column == "set") {
      fail(Cause::BadInput, what, ": expected a key or the name of a variable");
    }
    if (std::find(seen.begin(), seen.end(), column) != seen.end()) {
      fail(Cause::BadInput, what, " occurs twice");
    }
    seen.push_back(column);
    const std::string hint = suggestion(column, kLong);
    const bool known = std::find(kKeys.begin(), kKeys.end(), column) != kKeys.end();
    if (!known && hint.starts_with(" (did you mean")) {
      fail(Cause::BadInput, what, ": unknown", hint, "; a variable of this name is \"set.", column,
           "\"");
    }
  }
}

struct Line {
  std::string what;  // FILE:LINE
  Json object;
};

std::vector<Line> lines_of_csv(const std::string& text, const std::string& file) {
  const std::vector<CsvRow> rows = parse_csv(text, file);
  if (rows.empty()) return {};
  const CsvRow& header = rows.front();
  check_columns(header, file);
  std::vector<Line> lines;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    Line line{concat(file, ":", rows[i].line), Json::object()};
    if (rows[i].cells.size() != header.cells.size()) {
      fail(Cause::BadInput, line.what, ": expected ", header.cells.size(), " cells, found ",
           rows[i].cells.size());
    }
    for (std::size_t c = 0; c < header.cells.size(); ++c) {
      const std::string& cell = rows[i].cells[c];
      if (!cell.empty()) put_cell(line.object, header.cells[c], cell, line.what);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Line> lines_of_jsonl(const std::string& text, const std::string& file) {
  std::vector<Line> lines;
  std::size_t begin = 0;
  for (int number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string what = concat(file, ":", number);
    lines.push_back({what, parse_json(line, what)});
  }
  return lines;
}

std::vector<Line> lines_of_json(const std::string& text, const std::string& file) {
  Json value = parse_json(text, file);
  if (!value.is_array()) return {{file, std::move(value)}};
  std::vector<Line> lines;
  for (std::size_t i = 0; i < value.size(); ++i) {
    lines.push_back({concat(file, ": job ", i + 1), std::move(value[i])});
  }
  return lines;
}

std::vector<Line> lines_of(const fs::path& file) {
  if (file == "-") {
    const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    return lines_of_jsonl(text, "standard input");
  }
  const std::string extension = file.extension().string();
  if (extension == ".json") return lines_of_json(read_text(file), file.string());
  if (extension == ".jsonl") return lines_of_jsonl(read_text(file), file.string());
  if (extension == ".csv") return lines_of_csv(read_text(file), file.string());
  fail(Cause::BadInput, file.string(), ": expected a file ending in .json, .jsonl or .csv");
}

}  // namespace

store::NewJob single_job(const JobDefaults& defaults, const Config& config) {
  return job_from(Json::object(), defaults, config, fs::current_path(), "the job");
}

std::vector<store::NewJob> read_jobs(const fs::path& file, const JobDefaults& defaults,
                                     const Config& config) {
  const fs::path folder = file == "-" ? fs::current_path() : fs::absolute(file).parent_path();
  std::vector<store::NewJob> jobs;
  for (const Line& line : lines_of(file)) {
    jobs.push_back(job_from(line.object, defaults, config, folder, line.what));
  }
  if (jobs.empty()) fail(Cause::BadInput, file.string(), ": expected at least one job, found none");
  return jobs;
}

}  // namespace affiche::service

// SPDX-License-Identifier: Apache-2.0
#include "hub/record.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "hub/reference.h"

namespace affiche::hub {
namespace {

// Names in blobs/ as this program writes them.
bool is_blob(const std::string& name) {
  return name.size() > 4 && name.size() <= 80 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
         });
}

Record parse(const std::string& text, const std::string& what) {
  const Json json = parse_json(text, what);
  Record record;
  json.at("source").get_to(record.source);
  json.at("commit").get_to(record.commit);
  json.at("etag").get_to(record.etag);
  if (!json.at("model").is_null()) record.model = json.at("model").get<std::string>();
  if (record.model && !record.model->empty()) check_repo_path(*record.model, what);
  for (const Json& entry : json.at("files")) {
    RecordFile file{entry.at("path").get<std::string>(), entry.at("blob").get<std::string>(),
                    entry.at("size").get<std::uint64_t>(), entry.at("verified").get<bool>()};
    check_repo_path(file.path, what);
    if (!is_blob(file.blob)) fail(Cause::BadInput, what, ": not the name of a blob");
    record.files.push_back(std::move(file));
  }
  return record;
}

}  // namespace

const RecordFile* Record::find(const std::string& path) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const RecordFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

void Record::add(const RecordFile& file) {
  std::erase_if(files, [&](const RecordFile& other) { return other.path == file.path; });
  files.push_back(file);
}

std::optional<Record> read_record(const std::filesystem::path& file) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(file, missing)) return {};
  try {
    return parse(read_text(file), file.string());
  } catch (const std::exception&) {
    return {};  // it is fetched again
  }
}

void write_record(const std::filesystem::path& file, const Record& record) {
  Json files = Json::array();
  for (const RecordFile& each : record.files) {
    files.push_back({{"path", each.path},
                     {"blob", each.blob},
                     {"size", each.size},
                     {"verified", each.verified}});
  }
  Json json = {{"source", record.source},
               {"commit", record.commit},
               {"etag", record.etag},
               {"model", record.model ? Json(*record.model) : Json()},
               {"files", files}};
  write_atomically(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace affiche::hub

// SPDX-License-Identifier: Apache-2.0
// A hub with one repository: answers in the shapes of the real one. Files in large-file storage are
// redirected to another server, with a signature in the query, as the real one does.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "net/server.h"
#include "store/temporary_folder.h"

namespace affiche::test {

inline std::string git_sha1(const std::string& content) {
  const TemporaryFolder folder;
  write_atomically(folder / "blob", content);
  return git_blob_sha1(folder / "blob");
}

struct FakeHub {
  Server hub, storage;
  std::string repository = "studio/brush";
  std::string commit = std::string(39, 'a') + "1";
  std::map<std::string, std::string> files;
  std::string token;                        // asked for, when not empty
  std::function<void(Json& listing)> edit;  // changes the listing before it is sent
  // Answers in place of the storage; by path.
  std::map<std::string, httplib::Server::Handler> instead;

  FakeHub() {
    hub.get("/api/models/([^/]+/[^/]+)/revision/(.+)",
            [this](const Question& q, Reply& a) { list(q, a); });
    hub.get("/([^/]+/[^/]+)/resolve/([0-9a-f]+)/(.+)",
            [this](const Question& q, Reply& a) { resolve(q, a); });
    storage.get("/stored/(.+)", [this](const Question& q, Reply& a) {
      const std::string path = q.matches[1];
      if (instead.contains(path)) return instead.at(path)(q, a);
      give_file(q, a, files.at(path), "\"" + sha256_hex(files.at(path)) + "\"");
    });
  }
  std::string endpoint() const { return hub.url(""); }
  static bool is_large(const std::string& path) { return path.ends_with(".safetensors"); }

  // A small pipeline in two precisions, with all that a real repository has besides.
  void add_pipeline() {
    files = {
        {"model_index.json",
         R"({"_class_name":"StableDiffusionPipeline","_diffusers_version":"0.30.0",)"
         R"("requires_safety_checker":true,"feature_extractor":["transformers","X"],)"
         R"("safety_checker":["stable_diffusion","Y"],"image_encoder":[null,null],)"
         R"("scheduler":["diffusers","DDIMScheduler"],"text_encoder":["transformers","CLIPTextModel"],)"
         R"("tokenizer":["transformers","CLIPTokenizer"],"unet":["diffusers","UNet2DConditionModel"],)"
         R"("vae":["diffusers","AutoencoderKL"]})"},
        {"README.md", "# Brush\n"},
        {"brush.ckpt", noise(100, 20)},
        {"brush.safetensors", noise(100, 21)},
        {"feature_extractor/preprocessor_config.json", "{}"},
        {"safety_checker/config.json", "{}"},
        {"safety_checker/model.safetensors", noise(100, 22)},
        {"scheduler/scheduler_config.json", "{\"s\":1}"},
        {"text_encoder/config.json", "{\"t\":1}"},
        {"text_encoder/flax_model.msgpack", noise(100, 23)},
        {"text_encoder/model.fp16.safetensors", noise(3000, 1)},
        {"text_encoder/model.safetensors", noise(6000, 2)},
        {"text_encoder/pytorch_model.bin", noise(100, 24)},
        {"tokenizer/merges.txt", "#version\n"},
        {"tokenizer/vocab.json", "{}"},
        {"unet/config.json", "{\"u\":1}"},
        {"unet/diffusion_pytorch_model-00001-of-00002.safetensors", noise(90'000, 3)},
        {"unet/diffusion_pytorch_model-00002-of-00002.safetensors", noise(80'000, 4)},
        {"unet/diffusion_pytorch_model.bin", noise(100, 25)},
        {"unet/diffusion_pytorch_model.fp16.safetensors", noise(50'000, 5)},
        {"unet/diffusion_pytorch_model.safetensors.index.json", "{\"i\":1}"},
        {"unet/model.onnx", noise(100, 26)},
        {"vae/config.json", "{\"v\":1}"},
        {"vae/diffusion_pytorch_model.safetensors", noise(7000, 6)},
    };
  }

 private:
  bool allowed(const Question& q, Reply& a) const {
    if (q.matches[1] != repository) {
      a.set_header("X-Error-Code", "RepoNotFound");
      a.status = token.empty() ? 404 : 401;
      return false;
    }
    if (token.empty() || q.get_header_value("Authorization") == "Bearer " + token) return true;
    a.set_header("X-Error-Code", "GatedRepo");
    a.set_header("X-Error-Message", "Access to model studio/brush is restricted.");
    a.status = 403;
    return false;
  }
  void list(const Question& q, Reply& a) {
    if (!allowed(q, a)) return;
    const std::string revision = q.matches[2];
    if (revision != "main" && revision != "refs/pr/1" && revision != commit) {
      a.set_header("X-Error-Code", "RevisionNotFound");
      a.status = 404;
      return;
    }
    Json json = {
        {"id", repository}, {"sha", commit}, {"gated", false}, {"siblings", Json::array()}};
    for (const auto& [path, content] : files) {
      Json file = {{"rfilename", path}, {"size", content.size()}, {"blobId", git_sha1(content)}};
      if (is_large(path)) {
        file["blobId"] = git_sha1("pointer to " + path);
        file["lfs"] = {
            {"sha256", sha256_hex(content)}, {"size", content.size()}, {"pointerSize", 131}};
      }
      json["siblings"].push_back(file);
    }
    if (edit) edit(json);
    a.set_content(json.dump(), "application/json");
  }
  void resolve(const Question& q, Reply& a) {
    if (!allowed(q, a)) return;
    const std::string path = q.matches[3];
    if (q.matches[2] != commit || !files.contains(path)) {
      a.set_header("X-Error-Code", "EntryNotFound");
      a.status = 404;
    } else if (is_large(path) || instead.contains(path)) {
      a.set_redirect(storage.url("/stored/" + path + "?X-Signature=topsecret"), 302);
    } else {
      give_file(q, a, files.at(path), "\"" + git_sha1(files.at(path)) + "\"");
    }
  }
};

}  // namespace affiche::test

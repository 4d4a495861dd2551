// SPDX-License-Identifier: Apache-2.0
#include "hub/fetch.h"

#include <algorithm>
#include <thread>

#include "catch.h"
#include "hub/fake_hub.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::hub;
using namespace affiche::test;

namespace {

namespace fs = std::filesystem;

struct Quiet final : Watcher {
  std::vector<std::string> notes;
  std::uint64_t bytes = 0, there = 0;
  void note(const std::string& text) override { notes.push_back(text); }
  void planned(std::size_t, std::uint64_t total) override { bytes = total; }
  void progress(const std::string&, std::uint64_t now) override { there = now; }
};

struct Fixture {
  TemporaryFolder folder;
  FakeHub server;
  Settings settings;
  Quiet watcher;

  Fixture() {
    server.add_pipeline();
    settings.endpoint = server.endpoint();
    settings.cache = folder / "cache";
    settings.pace = {3, net::milliseconds(1), net::milliseconds(5), net::milliseconds(2000)};
  }
  Fetched run(const std::string& text, const Wish& wish = {}, const std::string& sha256 = "") {
    return fetch(settings, {parse_reference(text), wish, sha256}, watcher);
  }
  std::string error(const std::string& text, const Wish& wish = {},
                    const std::string& sha256 = "") {
    return thrown([&] { run(text, wish, sha256); });
  }
  std::vector<std::string> paths(const Fetched& fetched) {
    std::vector<std::string> found;
    for (const auto& file : fs::recursive_directory_iterator(fetched.place.path)) {
      if (file.is_regular_file()) {
        found.push_back(file.path().lexically_relative(fetched.place.path).string());
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  Cached find(const std::string& text) {
    return Cache(settings.cache, settings.cache_limit).find(parse_reference(text));
  }
};

const std::vector<std::string> kPlain = {"model_index.json",
                                         "scheduler/scheduler_config.json",
                                         "text_encoder/config.json",
                                         "text_encoder/model.safetensors",
                                         "tokenizer/merges.txt",
                                         "tokenizer/vocab.json",
                                         "unet/config.json",
                                         "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
                                         "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                                         "unet/diffusion_pytorch_model.safetensors.index.json",
                                         "vae/config.json",
                                         "vae/diffusion_pytorch_model.safetensors"};

}  // namespace

TEST_CASE("a pipeline's files come, verified, and nothing else", "[hub]") {
  Fixture f;
  const Fetched fetched = f.run("hub:studio/brush");
  CHECK(f.paths(fetched) == kPlain);
  CHECK(fetched.place.commit == f.server.commit);
  CHECK(fetched.warnings.empty());
  for (const std::string& path : kPlain) {
    INFO(path);
    CHECK(read_text(fetched.place.path / path) == f.server.files.at(path));
  }
  CHECK(std::all_of(fetched.files.begin(), fetched.files.end(),
                    [](const auto& file) { return file.verified && file.fetched; }));
  CHECK(f.watcher.there == f.watcher.bytes);
  CHECK(f.find("hub:studio/brush").path == fetched.place.path);
}

TEST_CASE("a variant is taken where there is one, and the plain weights elsewhere", "[hub]") {
  Fixture f;
  const Fetched fetched = f.run("hub:studio/brush", {"fp16", {}, {}});
  const auto paths = f.paths(fetched);
  CHECK(std::count(paths.begin(), paths.end(), "unet/diffusion_pytorch_model.fp16.safetensors") ==
        1);
  CHECK(std::count(paths.begin(), paths.end(), "text_encoder/model.fp16.safetensors") == 1);
  CHECK(std::count(paths.begin(), paths.end(), "vae/diffusion_pytorch_model.safetensors") == 1);
  CHECK(paths.size() == 10);
  REQUIRE(fetched.warnings.size() == 1);
  CHECK(contains(fetched.warnings[0], "vae/ has no variant fp16"));
  f.server.files.erase("vae/diffusion_pytorch_model.safetensors");
  f.server.files["vae/diffusion_pytorch_model.bf16.safetensors"] = noise(10);
  f.server.commit.back() = '2';
  CHECK(contains(f.error("hub:studio/brush"),
                 "vae/: expected weights without a variant, found bf16; "
                 "add --variant bf16"));
}

TEST_CASE("a second fetch asks for the listing and nothing else", "[hub]") {
  Fixture f;
  f.run("hub:studio/brush");
  f.server.hub.forget();
  f.server.storage.forget();
  const Fetched again = f.run("hub:studio/brush");
  CHECK(again.received == 0);
  CHECK(f.server.hub.asked().size() == 1);
  CHECK(f.server.storage.asked().empty());
  CHECK(std::none_of(again.files.begin(), again.files.end(),
                     [](const auto& file) { return file.fetched; }));
}

TEST_CASE("a new commit fetches what changed and shares the rest", "[hub]") {
  Fixture f;
  const fs::path before = f.run("hub:studio/brush").place.path;
  f.server.commit.back() = '2';
  f.server.files["unet/config.json"] = "{\"u\":2}";
  const Fetched after = f.run("hub:studio/brush");
  CHECK(after.received == 7);
  CHECK(read_text(before / "unet/config.json") == "{\"u\":1}");
  CHECK(read_text(after.place.path / "unet/config.json") == "{\"u\":2}");
  CHECK(f.find("hub:studio/brush").path == after.place.path);
}

TEST_CASE("revisions are asked for by name, and a commit must be the one that was named", "[hub]") {
  Fixture f;
  f.run("hub:studio/brush@refs/pr/1");
  CHECK(f.server.hub.asked()[0].path ==
        "/api/models/studio/brush/revision/refs%2Fpr%2F1?blobs=true");
  CHECK(f.find("hub:studio/brush@refs/pr/1").commit == f.server.commit);
  CHECK(contains(f.error("hub:studio/brush@v9"), "not_found: "));
  CHECK(contains(f.error("hub:studio/brush@v9"), "no such branch, tag or commit"));
  f.server.edit = [](Json& listing) { listing["sha"] = std::string(40, 'f'); };
  CHECK(contains(f.error("hub:studio/brush@" + f.server.commit), "expected the commit"));
}

TEST_CASE("one file comes alone and is found by its name", "[hub]") {
  Fixture f;
  const Fetched fetched = f.run("hub:studio/brush/brush.safetensors");
  CHECK(fetched.files.size() == 1);
  CHECK(read_text(fetched.place.path) == f.server.files.at("brush.safetensors"));
  CHECK(f.find("hub:studio/brush/brush.safetensors").path == fetched.place.path);
  CHECK(contains(thrown([&] { f.find("hub:studio/brush"); }),
                 "found a part of it; run `affiche "
                 "model fetch hub:studio/brush`"));
  CHECK(
      contains(f.error("hub:studio/brush/brush.safetensor"), "did you mean 'brush.safetensors'?"));
  CHECK(contains(f.error("hub:studio/brush/brush.safetensors", {}, std::string(64, '0')),
                 "in the hub's listing"));
}

TEST_CASE("patterns choose in place of the pipeline's rules", "[hub]") {
  Fixture f;
  const Fetched fetched =
      f.run("hub:studio/brush", {"", {"unet/*", "*.md"}, {"*.bin", "*.onnx", "*fp16*"}});
  CHECK(f.paths(fetched) ==
        std::vector<std::string>{"README.md", "unet/config.json",
                                 "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
                                 "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
                                 "unet/diffusion_pytorch_model.safetensors.index.json"});
  CHECK(contains(f.error("hub:studio/brush", {"", {"nothing*"}, {}}), "no file of 24 is left"));
}

TEST_CASE("repositories of one network or one file need no choice", "[hub]") {
  Fixture f;
  f.server.files = {{"config.json", "{}"},
                    {"README.md", "x"},
                    {"diffusion_pytorch_model.bin", noise(10)},
                    {"diffusion_pytorch_model.safetensors", noise(20)}};
  CHECK(f.paths(f.run("hub:studio/brush")) ==
        std::vector<std::string>{"config.json", "diffusion_pytorch_model.safetensors"});
  f.server.commit.back() = '2';
  f.server.files = {{"README.md", "x"}, {"style.safetensors", noise(20)}};
  const Fetched one = f.run("hub:studio/brush");
  CHECK(one.place.path.filename() == "style.safetensors");
  CHECK(f.find("hub:studio/brush").path == one.place.path);
  f.server.commit.back() = '3';
  f.server.files["other.safetensors"] = noise(20);
  CHECK(contains(f.error("hub:studio/brush"),
                 "found other.safetensors, style.safetensors; name a "
                 "file with --file"));
  f.server.commit.back() = '4';
  f.server.files = {{"README.md", "x"}};
  CHECK(contains(f.error("hub:studio/brush"), "found no weights"));
}

TEST_CASE("weights in other formats only are named, not taken", "[hub]") {
  Fixture f;
  f.server.files.erase("vae/diffusion_pytorch_model.safetensors");
  f.server.files["vae/diffusion_pytorch_model.bin"] = noise(10);
  CHECK(contains(f.error("hub:studio/brush"),
                 "vae/: expected weights as safetensors, found only "
                 "vae/diffusion_pytorch_model.bin; choose files with --include"));
}

TEST_CASE("the token is told to the hub and not to the storage", "[hub]") {
  Fixture f;
  f.server.token = "hf_secret";
  f.settings.token = "hf_secret";
  f.run("hub:studio/brush");
  for (const auto& asked : f.server.hub.asked()) CHECK(asked.token == "Bearer hf_secret");
  REQUIRE(!f.server.storage.asked().empty());
  for (const auto& asked : f.server.storage.asked()) CHECK(asked.token.empty());
  // Nor to the host of a URL.
  f.server.storage.forget();
  f.run(f.server.storage.url("/stored/brush.safetensors"));
  CHECK(f.server.storage.asked()[0].token.empty());
}

TEST_CASE("answers of a hub that refuses say what to do", "[hub]") {
  Fixture f;
  CHECK(contains(f.error("hub:studio/other"),
                 "no such model, revision or file; check hub:studio/other"));
  f.server.token = "hf_secret";
  const std::string gated = f.error("hub:studio/brush");
  CHECK(contains(gated, "refused: "));
  CHECK(contains(gated, "Access to model studio/brush is restricted."));
  CHECK(contains(gated, "accept its terms at " + f.server.endpoint() + "/studio/brush"));
  CHECK(contains(gated, "set HF_TOKEN"));
  CHECK(contains(f.error("hub:studio/other"), "it is private; check the name"));
  f.settings.token = "hf_wrong";
  CHECK(contains(f.error("hub:studio/brush"), "with the account of the token"));
  CHECK(contains(f.error("hub:studio/other"), "the token was not accepted"));
  CHECK(!contains(f.error("hub:studio/other"), "hf_wrong"));
}

TEST_CASE("hostile paths in a listing stop everything", "[hub]") {
  Fixture f;
  for (const char* path : {"../../../escaped", "/escaped", "a/../../../../escaped", "a\\b"}) {
    f.server.edit = [&](Json& listing) { listing["siblings"][0]["rfilename"] = path; };
    INFO(path);
    CHECK(contains(f.error("hub:studio/brush"), "expected a path inside the repository"));
  }
  CHECK(!fs::exists(f.folder / "escaped"));
  f.server.edit = nullptr;
  f.server.files["model_index.json"] = R"({"..":["a","b"],"../x":["a","b"]})";
  CHECK(contains(f.error("hub:studio/brush"), "expected a path inside the repository"));
}

TEST_CASE("files that differ from the listing are not kept", "[hub]") {
  Fixture f;
  const std::string path = "vae/diffusion_pytorch_model.safetensors";
  f.server.instead[path] = [](const Question& q, Reply& a) { give_file(q, a, noise(7000, 99)); };
  const std::string wrong = f.error("hub:studio/brush");
  CHECK(contains(wrong, "expected SHA-256 " + sha256_hex(f.server.files.at(path))));
  CHECK(!contains(wrong, "topsecret"));
  f.server.instead[path] = [](const Question& q, Reply& a) { give_file(q, a, noise(7001, 6)); };
  CHECK(contains(f.error("hub:studio/brush"), "expected 7000 bytes, found 7001"));
  f.server.instead.clear();
  f.server.commit.back() = '2';
  f.server.files["tokenizer/vocab.json"] = "{\"n\":1}";
  f.server.instead["tokenizer/vocab.json"] = [](const Question& q, Reply& a) {
    give_file(q, a, "{\"n\":2}");
  };
  CHECK(contains(f.error("hub:studio/brush"), "expected git blob "));
  CHECK(contains(thrown([&] { f.find("hub:studio/brush"); }), "not_found: "));
  f.server.instead.clear();
  CHECK(f.paths(f.run("hub:studio/brush")) == kPlain);
}

TEST_CASE("a hub that gives no hashes is taken at its sizes, and that is said", "[hub]") {
  Fixture f;
  f.server.edit = [](Json& listing) {
    for (auto& file : listing["siblings"]) {
      file.erase("lfs");
      file.erase("blobId");
    }
  };
  const Fetched fetched = f.run("hub:studio/brush");
  CHECK(f.paths(fetched) == kPlain);
  CHECK(fetched.warnings.size() == kPlain.size());
  f.server.edit = [](Json& listing) { listing["siblings"][0].erase("size"); };
  f.server.commit.back() = '2';
  CHECK(contains(f.error("hub:studio/brush", {"", {"*"}, {}}), "expected its size"));
}

TEST_CASE("offline, the cache answers or says what to run", "[hub]") {
  Fixture f;
  f.settings.offline = true;
  CHECK(f.error("hub:studio/brush") ==
        "not_found: hub:studio/brush: expected it in the cache " + f.settings.cache.string() +
            ", found nothing; run `affiche model fetch hub:studio/brush`");
  CHECK(!fs::exists(f.settings.cache));
  f.settings.offline = false;
  const fs::path path = f.run("hub:studio/brush").place.path;
  f.settings.offline = true;
  f.server.hub.forget();
  CHECK(f.run("hub:studio/brush").place.path == path);
  CHECK(f.run("hub:studio/brush@" + f.server.commit).place.path == path);
  CHECK(f.server.hub.asked().empty());
  fs::remove(path / "unet/config.json");
  CHECK(contains(f.error("hub:studio/brush"), "found it without unet/config.json"));
}

TEST_CASE("the file of a URL comes with its hash and is asked for again by its tag", "[hub]") {
  Fixture f;
  f.server.storage.get("/style.safetensors", [](const Question& q, Reply& a) {
    if (q.get_header_value("If-None-Match") == "\"v1\"") {
      a.status = 304;
      return;
    }
    give_file(q, a, noise(5000, 7));
  });
  const std::string url = f.server.storage.url("/style.safetensors?token=hidden");
  const Fetched first = f.run(url);
  CHECK(read_text(first.place.path) == noise(5000, 7));
  CHECK(first.files[0].hash == "sha256-" + sha256_hex(noise(5000, 7)));
  CHECK(first.warnings.size() == 1);
  CHECK(f.run(url).received == 0);
  CHECK(f.find(url).path == first.place.path);
  f.server.storage.forget();
  CHECK(f.run(url, {}, sha256_hex(noise(5000, 7))).received == 0);
  CHECK(f.server.storage.asked().empty());
  CHECK(contains(f.error(url, {}, std::string(64, '0')), "expected SHA-256 0000"));
  CHECK(!contains(f.error(url, {}, std::string(64, '0')), "hidden"));
  CHECK(f.find(url).path == first.place.path);
  for (const auto& file : fs::recursive_directory_iterator(f.settings.cache)) {
    if (file.path().extension() == ".json") CHECK(!contains(read_text(file.path()), "hidden"));
  }
  CHECK(contains(f.error(f.server.storage.url("/page.html")), "expected a URL that ends in"));
  CHECK(contains(f.error(f.server.storage.url("/none.safetensors")), "nothing under this URL"));
}

TEST_CASE("an endpoint must be https, or this machine", "[hub]") {
  Fixture f;
  for (const char* endpoint : {"http://example.org", "ftp://127.0.0.1", "nonsense"}) {
    f.settings.endpoint = endpoint;
    INFO(endpoint);
    CHECK(contains(f.error("hub:studio/brush"), "models.endpoint"));
  }
  f.settings.endpoint = "https://huggingface.co";
  CHECK(contains(f.error(f.server.storage.url("/stored/brush.safetensors")), "expected https://"));
}

TEST_CASE("two fetches at once download each file once", "[hub]") {
  Fixture f;
  const std::string slow = "vae/diffusion_pytorch_model.safetensors";
  f.server.instead[slow] = [&](const Question& q, Reply& a) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    give_file(q, a, f.server.files.at(slow));
  };
  std::vector<std::string> outcomes(4);
  std::vector<std::thread> threads;
  for (std::string& outcome : outcomes) {
    threads.emplace_back([&] {
      Quiet quiet;
      outcome = thrown([&] {
        fetch(f.settings, {parse_reference("hub:studio/brush"), {}, ""}, quiet);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& outcome : outcomes) CHECK(outcome == "nothing was thrown");
  CHECK(f.server.storage.count("/stored/") == 4);
  CHECK(f.paths(f.run("hub:studio/brush")) == kPlain);
}

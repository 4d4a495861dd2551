// SPDX-License-Identifier: Apache-2.0
// affiche model fetch against a hub on loopback, also killed in the middle.
#include <thread>

#include "catch.h"
#include "cli/commands.h"
#include "cli/site.h"
#include "hub/fake_hub.h"
#include "service/process.h"

using namespace affiche;
using namespace affiche::test;

namespace {

namespace fs = std::filesystem;

const fs::path kTiny = fs::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens/models/sd15";

// A hub with the tiny model of the goldens.
struct HubSite {
  Site site;
  FakeHub server;
  HubSite() {
    for (const auto& file : fs::recursive_directory_iterator(kTiny)) {
      if (!file.is_regular_file()) continue;
      server.files[file.path().lexically_relative(kTiny).string()] = read_text(file.path());
    }
    site.write("config.toml",
               "[models]\ncache = \"cache\"\nendpoint = \"" + server.endpoint() + "\"\n");
  }
  Answer run(const std::vector<std::string>& words,
             const std::vector<std::string>& variables = {}) const {
    Surroundings around;
    around.folder = site.folder.path();
    around.variables = {"HOME=" + site.folder.path().string(),
                        "HF_TOKEN=", "AFFICHE_HUB_TOKEN=", "HF_ENDPOINT=", "HF_HUB_OFFLINE="};
    around.variables.insert(around.variables.end(), variables.begin(), variables.end());
    return run_program(words, around);
  }
};

std::string line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("model fetch prints the folder, and --model takes its name") {
  const HubSite hub;
  const Answer early =
      hub.run({"generate", "--model", "hub:studio/brush", "--prompt", "waves", "--out", "a.png"});
  CHECK(early.code == 1);
  CHECK(early.says("run `affiche model fetch hub:studio/brush`"));
  CHECK(hub.server.hub.asked().empty());

  const Answer fetched = hub.run({"model", "fetch", "hub:studio/brush"});
  INFO(fetched.err);
  REQUIRE(fetched.code == 0);
  const fs::path folder = line(fetched.out);
  CHECK(fs::exists(folder / "unet/config.json"));
  CHECK(fetched.says("files, "));

  const auto asked = hub.server.hub.asked().size();
  for (const std::string& model : {std::string("hub:studio/brush"), folder.string()}) {
    const Answer made =
        hub.run({"generate", "--model", model, "--prompt", "waves", "--steps", "1", "--width", "64",
                 "--height", "64", "--threads", "1", "--out", "a.png"});
    INFO(made.err);
    CHECK(made.code == 0);
  }
  hub.site.write("request.json", R"({"model":"hub:studio/brush","prompt":"waves","width":64,)"
                                 R"("height":64,"num_inference_steps":1})");
  CHECK(hub.run({"generate", "--request", "request.json", "--out", "b.png"}).code == 0);
  CHECK(read_text(hub.site.folder / "a.png").size() > 100);
  CHECK(hub.server.hub.asked().size() == asked);
}

TEST_CASE("model fetch --json is one object, quiet and without progress") {
  const HubSite hub;
  const Answer answer = hub.run({"model", "fetch", "hub:studio/brush", "--json"});
  CHECK(answer.err.empty());
  const Json json = answer.json();
  CHECK(fs::is_directory(json.at("path").get<std::string>()));
  CHECK(json.at("commit") == hub.server.commit);
  CHECK(json.at("reference") == "hub:studio/brush");
  CHECK(json.at("received").get<std::uint64_t>() > 1000);
  for (const Json& file : json.at("files")) CHECK(file.at("verified") == true);
  const Answer refused = hub.run({"model", "fetch", "hub:studio/none", "--json"});
  CHECK(refused.json().at("cause") == "not_found");
  CHECK(refused.code == 1);
}

TEST_CASE("a fetch that was killed goes on where it was") {
  const HubSite hub;
  const std::string big = noise(4'000'000, 9);
  auto& server = const_cast<FakeHub&>(hub.server);
  server.files["big.safetensors"] = big;
  server.instead["big.safetensors"] = [&](const Question& q, httplib::Response& a) {
    if (!q.get_header_value("Range").empty()) return give_file(q, a, big, "\"big\"");
    a.set_header("ETag", "\"big\"");
    a.set_content_provider(
        big.size(), "x/y", [&](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
          if (offset >= 2'000'000) {  // then hangs until the client is gone
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            return sink.is_writable();
          }
          return sink.write(big.data() + offset, std::min<std::size_t>(length, 100'000));
        });
  };
  const fs::path config = hub.site.folder / "config.toml";
  const fs::path partial =
      hub.site.folder / "cache/partial" / ("sha256-" + sha256_hex(big) + ".part");
  {
    Process killed({AFFICHE_PROGRAM, "model", "fetch", "hub:studio/brush", "--file",
                    "big.safetensors", "--config", config.string(), "-q"});
    std::error_code missing;
    for (int i = 0; i < 2000; ++i) {
      if (fs::exists(partial, missing) && fs::file_size(partial, missing) == 2'000'000) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    killed.send(SIGKILL);
    killed.wait();
  }
  REQUIRE(fs::file_size(partial) == 2'000'000);
  server.storage.forget();
  const Answer resumed =
      hub.run({"model", "fetch", "hub:studio/brush", "--file", "big.safetensors", "--json"});
  INFO(resumed.out << resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(resumed.json().at("received") == 2'000'000);
  CHECK(read_text(resumed.json().at("path").get<std::string>()) == big);
  REQUIRE(server.storage.asked().size() == 1);
  CHECK(server.storage.asked()[0].range == "bytes=2000000-");
  CHECK(server.storage.asked()[0].if_range == "\"big\"");
}

TEST_CASE("endpoint, token and offline come from the environment") {
  const HubSite hub;
  auto& server = const_cast<FakeHub&>(hub.server);
  server.token = "hf_secret";
  hub.site.write("config.toml", "[models]\ncache = \"cache\"\n");
  const std::string endpoint = "HF_ENDPOINT=" + hub.server.endpoint();
  const Words fetch = {"model", "fetch", "hub:studio/brush"};
  CHECK(hub.run(fetch, {endpoint, "HF_HUB_OFFLINE=1"}).says("run `affiche model fetch"));
  CHECK(hub.server.hub.asked().empty());
  CHECK(hub.run(fetch, {endpoint}).code == 1);
  CHECK(hub.run(fetch, {endpoint, "HF_TOKEN=hf_secret"}).code == 0);
  CHECK(hub.run(fetch, {endpoint, "HF_TOKEN=hf_wrong", "AFFICHE_HUB_TOKEN=hf_secret"}).code == 0);
  const Answer wrong = hub.run(fetch, {endpoint, "HF_TOKEN=hf_wrong"});
  CHECK(wrong.code == 1);
  CHECK(!wrong.says("hf_wrong"));
  CHECK(hub.run({"model", "fetch", "hub:studio/brush", "--offline"}).code == 0);
}

TEST_CASE("model fetch names what is wrong with its arguments") {
  const HubSite hub;
  const std::vector<std::pair<Words, std::string>> wrong = {
      {{"hub:studio"}, "expected hub:OWNER/NAME"},
      {{"../model"}, "expected hub:OWNER/NAME"},
      {{"hub:studio/brush", "--sha256", "12"}, "expected 64 hexadecimal digits"},
      {{"hub:studio/brush/a", "--file", "b"}, "--file: expected with hub:OWNER/NAME"},
      {{"hub:studio/brush", "--file", "../b"}, "expected a path inside the repository"},
      {{"https://a.org/b.safetensors", "--variant", "fp16"}, "is one file"},
      {{"hub:studio/brush", "--endpoint", "http://example.org"}, "expected https://"},
      {{"http://example.org/a.safetensors"}, "expected https://"},
  };
  for (const auto& [words, message] : wrong) {
    Words all = {"model", "fetch"};
    all.insert(all.end(), words.begin(), words.end());
    const Answer answer = hub.run(all);
    INFO(joined(all) << ": " << answer.err);
    CHECK(answer.code != 0);
    CHECK(answer.says(message));
  }
  CHECK(hub.run({"generate", "--model", "hub:nothing", "--prompt", "x", "--out", "a.png"}).code ==
        2);
}

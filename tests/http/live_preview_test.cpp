// SPDX-License-Identifier: Apache-2.0
#include "http/live_preview.h"

#include <httplib.h>

#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "cards/encode.h"
#include "catch.h"
#include "store/temporary_folder.h"

using namespace affiche;

namespace {

constexpr const char* kCard = R"(
[canvas]
width = 400
height = 210
safe = 20
background = "#102030"
[sizes.square]
width = 300
height = 300
[variables.headline]
required = true
sample = "Wind & <b>rain</b>"
[[layers]]
kind = "text"
name = "headline"
box = [20, 20, 260, 150]
content = ["{{headline}}"]
font = "body"
max_size = 40
min_size = 16
lines = 2
)";

// A template and a brand in a folder of their own, shown by a live page.
struct Shown {
  Shown() {
    write("card.toml", kCard);
    write("brand.toml",
          "publisher = \"P\"\n[colours]\nink = \"#102030\"\n[fonts]\nbody = { family = "
          "\"Noto Sans\" }\n");
    write("data.json", R"([{"headline": "From the file"}])");
  }
  void write(const std::string& name, const std::string& text) const {
    write_atomically(folder / name, text);
  }
  void start() {
    page.emplace(
        http::LivePreviewFiles{folder / "card.toml", folder / "brand.toml", folder / "data.json"},
        service::PreviewOptions{});
    port = page->start(0);
    client.emplace("127.0.0.1", port);
    client->set_read_timeout(60);
  }
  httplib::Result get(const std::string& path) { return client->Get(path.c_str()); }
  Json state() { return Json::parse(get("/state.json")->body); }
  // The state after the next change that the page tells of.
  Json state_after(const std::function<void()>& change) {
    const int before = state().at("version").get<int>();
    std::string heard;
    httplib::Client events("127.0.0.1", port);
    events.set_read_timeout(60);
    events.Get(("/events?after=" + std::to_string(before)).c_str(), httplib::Headers(),
               [&](const httplib::Response&) {
                 change();
                 return true;
               },
               [&](const char* data, std::size_t size) {
                 heard.append(data, size);
                 return heard.find("data: ") == std::string::npos;
               });
    return state();
  }
  test::TemporaryFolder folder;
  std::optional<http::LivePreview> page;
  int port = 0;
  std::optional<httplib::Client> client;
};

}  // namespace

TEST_CASE("the live page shows each size and variant, and what stands where", "[live]") {
  Shown shown;
  shown.start();
  const auto page = shown.get("/");
  REQUIRE(page);
  CHECK(page->body.find("EventSource") != std::string::npos);
  CHECK(page->get_header_value("Content-Security-Policy").starts_with("default-src 'none'"));
  const Json state = shown.state();
  CHECK(state.at("error").is_null());
  CHECK(state.at("sizes").size() == 2);
  CHECK(state.at("cases").at(0) == "data");
  CHECK(state.at("cases").size() == 4);

  const auto card = shown.get("/card.jpg?size=square&case=1");
  REQUIRE(card->status == 200);
  const Image image = cards::decode(
      {reinterpret_cast<const std::uint8_t*>(card->body.data()), card->body.size()}, "card");
  CHECK(image.width == 300);
  CHECK(image.height == 300);

  const Json layout = Json::parse(shown.get("/layout.json?size=card&case=0")->body);
  CHECK(layout.at("safe").at("x") == 20);
  const Json layer = layout.at("layers").at(0);
  CHECK(layer.at("name") == "headline");
  CHECK(layer.at("baselines").size() == layer.at("lines").get<std::size_t>());
  CHECK(layer.at("contrast").get<double>() > 4.5);
}

TEST_CASE("the live page follows its files and tells where an error stands", "[live]") {
  Shown shown;
  shown.start();
  Json state = shown.state_after([&] {
    std::string wrong = kCard;
    wrong.replace(wrong.find("lines = 2"), 9, "lnes = 2");
    shown.write("card.toml", wrong);
  });
  const std::string error = state.at("error").get<std::string>();
  CHECK(error.find("card.toml:21:") != std::string::npos);
  CHECK(error.find("lnes") != std::string::npos);
  // What was good last is still there to look at.
  CHECK(state.at("sizes").size() == 2);
  CHECK(shown.get("/card.jpg?size=card&case=1")->status == 200);

  state = shown.state_after([&] { shown.write("card.toml", kCard); });
  CHECK(state.at("error").is_null());
  state = shown.state_after([&] { shown.write("data.json", "{\"set\": {\"headline\": 1}}"); });
  CHECK(state.at("error").is_null());
}

TEST_CASE("a card that cannot be made is an error in its place", "[live]") {
  Shown shown;
  shown.write("data.json", R"({"heading": "No such variable"})");
  shown.start();
  const auto card = shown.get("/card.jpg?size=card&case=0");
  CHECK(card->status == 422);
  CHECK(card->body.find("heading") != std::string::npos);
  CHECK(shown.get("/card.jpg?size=card&case=1")->status == 200);
}

TEST_CASE("a template that is wrong from the beginning has a live page too", "[live]") {
  Shown shown;
  shown.write("card.toml", "[canvas\n");
  shown.start();
  const Json state = shown.state();
  CHECK(state.at("error").get<std::string>().find("card.toml:1:") != std::string::npos);
  CHECK(state.at("cases").empty());
  CHECK(shown.get("/card.jpg?size=card&case=0")->status == 404);
}

TEST_CASE("the live page answers requests to loopback only, and only what it has", "[live]") {
  Shown shown;
  shown.start();
  const httplib::Headers elsewhere = {{"Host", "evil.example:80"}};
  CHECK(shown.client->Get("/state.json", elsewhere)->status == 403);
  const httplib::Headers near = {{"Host", "localhost:" + std::to_string(shown.port)}};
  CHECK(shown.client->Get("/state.json", near)->status == 200);
  for (const char* path :
       {"/card.jpg", "/card.jpg?size=card&case=99", "/card.jpg?size=card&case=-1",
        "/card.jpg?size=../x&case=0", "/layout.json?size=card&case=0x", "/x"}) {
    CAPTURE(path);
    CHECK(shown.get(path)->status == 404);
  }
  CHECK(shown.client->Post("/state.json", "", "text/plain")->status == 404);
}

TEST_CASE("a port that is taken is said", "[live]") {
  Shown shown;
  shown.start();
  http::LivePreview second({shown.folder / "card.toml", shown.folder / "brand.toml", {}}, {});
  CHECK_THROWS_WITH(second.start(shown.port), Catch::Contains("--port"));
}

TEST_CASE("a browser runs the live page", "[live][browser]") {
  if (std::system("command -v chromium >/dev/null 2>&1") != 0) {
    WARN("skipped: chromium is not installed; scripts/setup installs it");
    return;
  }
  Shown shown;
  shown.start();
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir=" +
      (shown.folder / "profile").string() +
      " --dump-dom 'http://127.0.0.1:" + std::to_string(shown.port) +
      "/?once&overlay=boxes,baselines,figures' 2>/dev/null";
  std::string dom;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) dom += buffer.data();
  CHECK(dom.find("class=\"boxes baselines figures\"") != std::string::npos);
  CHECK(dom.find("square 300×300") != std::string::npos);
  CHECK(dom.find("<h2>data</h2>") != std::string::npos);
  CHECK(dom.find("class=\"words\"") != std::string::npos);
  CHECK(dom.find("<td>headline</td>") != std::string::npos);
}

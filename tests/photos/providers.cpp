// SPDX-License-Identifier: Apache-2.0
// Every provider against a server that answers as it does, and misbehaves as it does.
#include "photos/providers/providers.h"

#include "catch.h"
#include "photos/fake_providers.h"
#include "photos/ruling.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using affiche::test::contains;
using affiche::test::fake_jpeg;
using affiche::test::FakeProviders;
using affiche::test::html;
using affiche::test::Question;
using affiche::test::Reply;
using affiche::test::TemporaryFolder;
using affiche::test::thrown;
using std::chrono::milliseconds;

namespace {

struct World {
  FakeProviders fake;
  TemporaryFolder folder;
  ManualClock clock{1'795'000'000'000};
  FetchSettings settings;
  std::unique_ptr<Fetcher> fetcher;
  std::vector<milliseconds> slept;
  std::string openverse_key;

  World() {
    settings.folder = folder.path();
    settings.user_agent = user_agent("0.1.0", "https://site.example", "ops@site.example");
    settings.named = {fake.server.url("").substr(7)};
    settings.sleep = [this](milliseconds time, const std::stop_token&) {
      clock.advance(time.count());
      slept.push_back(time);
    };
    fetcher = std::make_unique<Fetcher>(settings, clock);
  }
  std::unique_ptr<Provider> provider(const std::string& name) {
    ProviderSettings own;
    own.base_url = fake.base(name);
    own.key = name == "openverse" ? openverse_key : name + "-key";
    own.app = "affiche-test";
    own.most_bytes = 4 << 20;
    if (name == "article") own.base_url.clear();
    return make_provider(name, *fetcher, own);
  }
  Candidate first(const std::string& name, const std::string& words = "lone tree") {
    Wanted wanted;
    wanted.query = words;
    wanted.shape = Shape::Landscape;
    wanted.least_width = 1'200;
    const std::vector<Candidate> found = provider(name)->search(wanted, {});
    if (found.empty()) fail(Cause::NotFound, name, ": nothing found");
    return found.front();
  }
  Fetched fetch(const Candidate& candidate) {
    return provider(candidate.provider)->fetch(candidate, {});
  }
  std::string ruling(const Candidate& candidate, const Policy& policy = {}) {
    const Ruling made = rule_on(candidate, policy, clock.now());
    return made.decision.allowed ? made.license.id : "refused: " + made.decision.rule;
  }
  // Of the last request that started so.
  std::string asked(const std::string& start) {
    std::string last;
    for (const auto& one : fake.server.asked()) {
      if (one.path.starts_with(start)) last = one.path;
    }
    return last;
  }
};

Wanted words(const std::string& query) {
  Wanted wanted;
  wanted.query = query;
  return wanted;
}

}  // namespace

TEST_CASE("every provider's search gives full records with their evidence", "[providers]") {
  World world;
  for (const char* name :
       {"commons", "flickr", "loc", "nasa", "openverse", "pexels", "pixabay", "unsplash"}) {
    INFO(name);
    const Candidate found = world.first(name);
    CHECK(found.provider == name);
    for (const std::string* text :
         {&found.source, &found.source_id, &found.title, &found.creator, &found.landing_url,
          &found.file_url, &found.raw, &found.raw_url}) {
      CHECK_FALSE(text->empty());
    }
    CHECK(found.answered_at == world.clock.now());
    CHECK_NOTHROW(Json::parse(found.raw));
    CHECK_FALSE(contains(found.raw_url, "-key"));
    const Fetched fetched = world.fetch(found);
    CHECK(fetched.media_type == "image/jpeg");
    CHECK(fetched.width >= 960);
    CHECK_FALSE(fetched.cached);
    CHECK(world.fetch(found).cached);
    // The same record again by its id.
    const Candidate again = world.provider(name)->lookup(found.source_id, {});
    CHECK(again.source_id == found.source_id);
    CHECK(again.creator == found.creator);
    CHECK(again.license.code == found.license.code);
    CHECK(again.landing_url == found.landing_url);
  }
  for (const auto& one : world.fake.server.asked()) {
    CHECK(contains(one.agent, "(+https://site.example; ops@site.example) bot"));
  }
}

TEST_CASE("the licence engine reads every provider's claim", "[providers]") {
  World world;
  Policy terms_read;
  terms_read.also_allow = {"LicenseRef-Unsplash", "LicenseRef-Pexels", "LicenseRef-Pixabay",
                           "LicenseRef-No-Known-Restrictions"};
  CHECK(world.ruling(world.first("commons")) == "CC-BY-4.0");
  CHECK(world.ruling(world.first("flickr")) == "CC-BY-4.0");
  CHECK(world.ruling(world.first("openverse")) == "CC0-1.0");
  CHECK(world.ruling(world.first("nasa")) == "US-GOV");
  CHECK(world.ruling(world.first("loc"), terms_read) == "LicenseRef-No-Known-Restrictions");
  CHECK(world.ruling(world.first("unsplash"), terms_read) == "LicenseRef-Unsplash");
  CHECK(world.ruling(world.first("pexels"), terms_read) == "LicenseRef-Pexels");
  CHECK(world.ruling(world.first("pixabay"), terms_read) == "LicenseRef-Pixabay");
  CHECK(world.ruling(world.first("unsplash")).starts_with("refused: "));
}

TEST_CASE("providers that can are asked for what all may see", "[providers]") {
  World world;
  for (const auto& [name, flag] :
       std::map<std::string, std::string>{{"openverse", "mature=false"},
                                          {"flickr", "safe_search=1"},
                                          {"unsplash", "content_filter=high"},
                                          {"pixabay", "safesearch=true"}}) {
    INFO(name);
    world.first(name);
    CHECK(contains(world.asked("/" + name + "/"), flag));
  }
}

TEST_CASE("a second search and fetch ask nobody", "[providers]") {
  World world;
  const Candidate found = world.first("commons");
  world.fetch(found);
  world.fake.server.forget();
  world.fetch(world.first("commons"));
  CHECK(world.fake.server.asked().empty());
}

TEST_CASE("Commons: best first, names without markup, and widths that are served", "[providers]") {
  World world;
  Wanted wanted;
  wanted.query = "lone tree";
  wanted.least_width = 1'300;
  const auto found = world.provider("commons")->search(wanted, {});
  REQUIRE(found.size() == 3);
  CHECK(found[0].source_id == "File:Tree 1.jpg");
  CHECK(found[0].title == "Lone tree 1");
  CHECK(found[0].creator == "PtrQs");
  CHECK(found[0].creator_url == "https://commons.wikimedia.org/wiki/User:PtrQs");
  CHECK(found[0].width == 1'920);
  const std::string asked = world.asked("/commons/w/api.php");
  CHECK(contains(asked, "iiurlwidth=1920"));
  CHECK(contains(asked, "maxlag=5"));
  CHECK(contains(asked, "gsrsearch=lone%20tree%20filetype%3Abitmap"));
}

TEST_CASE("Commons: records that lack what counts are refused or left out", "[providers]") {
  World world;
  const auto with = [&](const FakeProviders::Spoil& change) {
    world.clock.advance(25 * 3'600'000);
    world.fake.spoil("commons", [&](Json& json) {
      for (Json& page : json["query"]["pages"]) {
        if (page.contains("imageinfo")) change(page["imageinfo"][0]["extmetadata"]);
      }
    });
    const Candidate found = world.first("commons");
    return world.ruling(found);
  };
  CHECK(with([](Json&) {}) == "CC-BY-4.0");
  CHECK(with([](Json& data) { data.erase("License"); }).starts_with("refused: "));
  CHECK(with([](Json& data) { data["License"] = html("cc-by-sa-4.0"); }) ==
        "refused: contradiction");
  CHECK(with([](Json& data) {
          data["License"] = html("pd-something-new");
        }).starts_with("refused: "));
  CHECK(with([](Json& data) { data["NonFree"] = html("true"); }) == "refused: objection");
  CHECK(with([](Json& data) { data["DeletionReason"] = html("<i>copyvio</i>"); }) ==
        "refused: objection");
  CHECK(with([](Json& data) { data["Restrictions"] = html("personality"); }) == "CC-BY-4.0");
  CHECK(with([](Json& data) { data["Restrictions"] = html("personality|trademarked"); }) ==
        "refused: restriction");
  CHECK(with([](Json& data) { data["Artist"] = html("Plain Jane"); }) == "CC-BY-4.0");
  CHECK(with([](Json& data) { data.erase("Artist"); }).starts_with("refused: "));

  world.clock.advance(25 * 3'600'000);
  world.fake.spoil("commons", [](Json& json) {
    json["query"]["pages"][0].erase("imageinfo");
    json["query"]["pages"][1]["imageinfo"] = Json::array();
    json["query"]["pages"][2]["imageinfo"] = "none";
  });
  CHECK(contains(thrown([&] { world.first("commons"); }), "nothing found"));
  CHECK(contains(thrown([&] { world.provider("commons")->lookup("File:Gone.jpg", {}); }),
                 "not_found: commons: File:Gone.jpg"));
}

TEST_CASE("Commons: a lagging server is asked again later, and its answer is not kept",
          "[providers]") {
  World world;
  int count = 0;
  world.fake.spoil("commons", [&](Json& json) {
    if (++count == 1) json = {{"error", {{"code", "maxlag"}, {"info", "6 seconds lagged"}}}};
  });
  CHECK(world.first("commons").source_id == "File:Tree 1.jpg");
  REQUIRE_FALSE(world.slept.empty());
  CHECK(world.slept[0] == milliseconds(5'000));
  CHECK(count == 2);
}

TEST_CASE("Openverse: an index, with its bounds, small copies and null fields", "[providers]") {
  World world;
  world.fake.spoil("openverse", [](Json& json) {
    json["results"][0]["creator"] = nullptr;
    json["results"][0]["title"] = nullptr;
  });
  Wanted wanted;
  wanted.query = "bark";
  wanted.count = 500;
  const auto found = world.provider("openverse")->search(wanted, {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].indexed);
  CHECK(found[0].source == "StockSnap");
  CHECK(found[0].creator.empty());
  CHECK(found[0].title.empty());
  CHECK(contains(world.asked("/openverse/"), "page_size=20"));
  CHECK(contains(world.asked("/openverse/"), "license_type=commercial%2Cmodification"));
  // Told as 6016 wide.
  CHECK(found[0].width == 6'016);
  CHECK(world.fetch(found[0]).width == 960);
  world.clock.advance(25 * 3'600'000);
  world.fake.spoil("openverse", [](Json& json) {
    json["results"][0]["source"] = "wikimedia";
    json["results"][0]["unstable__sensitivity"] = {"sensitive_text"};
  });
  const Candidate again = world.first("openverse", "bark");
  CHECK(again.origin_check == "commons");
  CHECK(again.mature);
}

TEST_CASE("Openverse: a registered client asks with a token, which is kept and renewed",
          "[providers]") {
  World world;
  world.openverse_key = "the-id:the-secret&";
  int tokens = 0;
  std::string form;
  world.fake.server.post("/openverse/v1/auth_tokens/token/",
                         [&](const Question& question, Reply& answer) {
                           form = question.body;
                           answer.set_content(Json{{"access_token", concat("t", ++tokens)},
                                                   {"expires_in", 43'200},
                                                   {"token_type", "Bearer"},
                                                   {"scope", "read write groups"}}
                                                  .dump(),
                                              "application/json");
                         });
  const auto provider = world.provider("openverse");
  const auto last_token = [&] { return world.fake.server.asked().back().token; };
  REQUIRE(provider->search(words("bark"), {}).size() == 1);
  CHECK(form == "grant_type=client_credentials&client_id=the-id&client_secret=the-secret%26");
  CHECK(last_token() == "Bearer t1");
  Wanted many = words("oak");
  many.count = 500;
  provider->search(many, {});
  CHECK(contains(world.asked("/openverse/v1/images/"), "page_size=50"));
  CHECK(tokens == 1);
  // Over: twelve hours later.
  world.clock.advance(43'200'000);
  provider->search(words("elm"), {});
  CHECK(last_token() == "Bearer t2");
  // Taken back: the next answer is 401, once.
  bool refuse = true;
  world.fake.server.get("/openverse/v1/images/tree/", [&](const Question& question, Reply& answer) {
    const bool old = question.get_header_value("Authorization") == "Bearer t2";
    answer.status = refuse && old ? 401 : 200;
    answer.set_content(world.fake.openverse_record().dump(), "application/json");
  });
  CHECK(provider->lookup("tree", {}).title == "Tree Bark Photo");
  CHECK(last_token() == "Bearer t3");
  // Neither in the memory's folder nor in messages.
  for (const auto& file : std::filesystem::recursive_directory_iterator(world.folder.path())) {
    if (!file.is_regular_file()) continue;
    const std::string text = read_text(file.path());
    for (const char* secret : {"the-secret", "Bearer", "\"t1\"", "access_token"}) {
      CHECK_FALSE(contains(text, secret));
    }
  }
  world.openverse_key = "no-colon-secret";
  const std::string wrong = thrown([&] { world.provider("openverse"); });
  CHECK(contains(wrong, "usage: AFFICHE_OPENVERSE_KEY"));
  CHECK_FALSE(contains(wrong, "no-colon-secret"));
}

TEST_CASE("Openverse: credentials that are refused are told without them", "[providers]") {
  World world;
  world.openverse_key = "the-id:the-secret";
  world.fake.server.post("/openverse/v1/auth_tokens/token/", [](const Question& q, Reply& answer) {
    answer.status = 401;
    answer.set_content("invalid_client " + q.body, "text/plain");
  });
  const std::string error = thrown([&] { world.provider("openverse")->search(words("bark"), {}); });
  CHECK(contains(error, "refused: openverse: "));
  CHECK_FALSE(contains(error, "the-secret"));
  CHECK(world.fake.server.count("/openverse/v1/images/") == 0);
}

TEST_CASE("the day of upload is read where a provider tells it", "[providers]") {
  World world;
  constexpr Millis kDay = Millis{1'400'000'000} * 1'000;
  world.fake.spoil("commons", [](Json& json) {
    for (Json& page : json["query"]["pages"]) {
      page["imageinfo"][0]["timestamp"] = "2014-05-13T16:53:20Z";
    }
  });
  world.fake.spoil("flickr", [](Json& json) {
    if (json.contains("photos")) json["photos"]["photo"][0]["dateupload"] = "1400000000";
    if (json.contains("photo")) json["photo"]["dateuploaded"] = "1400000000";
  });
  world.fake.spoil("unsplash", [](Json& json) {
    json["results"][0]["created_at"] = "2014-05-13T12:53:20-04:00";
  });
  for (const char* name : {"commons", "flickr", "unsplash"}) {
    INFO(name);
    CHECK(world.first(name).uploaded_at == kDay);
  }
  CHECK(world.provider("flickr")->lookup("4459771899", {}).uploaded_at == kDay);
  for (const char* name : {"openverse", "loc", "nasa", "pexels", "pixabay"}) {
    INFO(name);
    CHECK(world.first(name).uploaded_at == 0);
  }
  world.clock.advance(25 * 3'600'000);
  for (const char* odd : {"yesterday", "99999999999999999999", "-5", ""}) {
    world.fake.spoil("unsplash", [&](Json& json) { json["results"][0]["created_at"] = odd; });
    world.clock.advance(25 * 3'600'000);
    CHECK(world.first("unsplash").uploaded_at == 0);
  }
}

TEST_CASE("Library of Congress: rights in any field, and the largest picture", "[providers]") {
  World world;
  const Candidate found = world.first("loc");
  CHECK(found.width == 1'536);
  CHECK(found.source == "Library of Congress, Prints & Photographs Division, LC-USZC4-3254");
  CHECK(found.creator == "moran, thomas");
  Policy policy;
  policy.also_allow = {"LicenseRef-No-Known-Restrictions"};
  const auto with = [&](const FakeProviders::Spoil& change) {
    world.clock.advance(25 * 3'600'000);
    world.fake.spoil("loc", [&](Json& json) { change(json["results"][0]); });
    return world.ruling(world.first("loc"), policy);
  };
  CHECK(with([](Json& item) {
          item.erase("rights_advisory");
          item["rights"] = {"No known restrictions on publication."};
        }) == "LicenseRef-No-Known-Restrictions");
  CHECK(with([](Json& item) { item.erase("rights_advisory"); }).starts_with("refused: "));
  CHECK(with([](Json& item) {
          item["rights_advisory"] = "Rights status not evaluated.";
        }).starts_with("refused: "));
  CHECK(with([](Json& item) { item["access_restricted"] = true; }) == "refused: objection");
}

TEST_CASE("NASA: pictures of others are refused, and a large file is found", "[providers]") {
  World world;
  const Candidate found = world.first("nasa");
  CHECK(world.fetch(found).width == 1'920);
  CHECK(contains(world.asked("/nasa/files/1920"), "~large.jpg"));
  const auto with = [&](const char* key, const Json& value) {
    world.clock.advance(25 * 3'600'000);
    world.fake.spoil("nasa",
                     [&](Json& json) { json["collection"]["items"][0]["data"][0][key] = value; });
    return world.ruling(world.first("nasa"));
  };
  CHECK(with("secondary_creator", "NASA/JPL") == "US-GOV");
  CHECK(with("secondary_creator", "ESA") == "refused: objection");
  CHECK(with("description", "Image © 2011 Example Corp.") == "refused: objection");
}

TEST_CASE("Flickr: what is wrong is told with status 200", "[providers]") {
  World world;
  CHECK(world.first("flickr").width == 2'048);
  CHECK(contains(world.asked("/flickr/"), "license=4%2C5%2C7%2C8%2C9%2C10%2C11%2C12"));
  CHECK(contains(world.asked("/flickr/"), "safe_search=1"));
  ProviderSettings wrong;
  wrong.base_url = world.fake.base("flickr");
  wrong.key = "stolen";
  world.clock.advance(25 * 3'600'000);
  const std::string error =
      thrown([&] { make_flickr(*world.fetcher, wrong)->search(words("tree"), {}); });
  CHECK(contains(error, "refused: flickr: answered 100: Invalid API Key"));
  CHECK_FALSE(contains(error, "stolen"));
  CHECK(contains(thrown([&] { world.provider("flickr")->lookup("404", {}); }),
                 "not_found: flickr: answered 1"));
  const auto provider = world.provider("flickr");
  CHECK(provider->knows("https://www.flickr.com/photos/smemon/4459771899/in/pool"));
  CHECK_FALSE(provider->knows("https://www.flickr.com.evil.org/photos/smemon/1"));
  CHECK(provider->lookup("https://www.flickr.com/photos/smemon/4459771899/", {}).source_id ==
        "4459771899");
  // A number that nobody knows yet is refused.
  world.clock.advance(25 * 3'600'000);
  world.fake.spoil("flickr", [](Json& json) { json["photos"]["photo"][0]["license"] = "17"; });
  CHECK(world.ruling(world.first("flickr")).starts_with("refused: "));
}

TEST_CASE("Unsplash: every use is reported exactly, and links say who refers", "[providers]") {
  World world;
  const Candidate found = world.first("unsplash");
  CHECK(contains(found.creator_url,
                 "unsplash.com/@brianaguirre?utm_source=affiche-test&utm_medium=referral"));
  CHECK(contains(found.landing_url, "?utm_source=affiche-test&utm_medium=referral"));
  CHECK(contains(found.file_url, "?ixid=M&ixlib=rb-4.0.3&fm=jpg"));
  CHECK(world.fake.server.count("/unsplash/photos/Dwu85P9SOIk/download") == 0);
  world.provider("unsplash")->used(found, {});
  CHECK(world.asked("/unsplash/photos/") == "/unsplash/photos/Dwu85P9SOIk/download?ixid=M");
  world.provider("unsplash")->used(found, {});  // each use is one, nothing is kept
  CHECK(world.fake.server.count("/unsplash/photos/Dwu85P9SOIk/download") == 2);
}

TEST_CASE("Pixabay: pictures of models are no photographs", "[providers]") {
  World world;
  CHECK(world.first("pixabay").ai == MadeByAi::No);
  const auto with = [&](const FakeProviders::Spoil& change) {
    world.clock.advance(25 * 3'600'000);
    world.fake.spoil("pixabay", [&](Json& json) { change(json["hits"][0]); });
    return world.first("pixabay");
  };
  const Candidate flagged = with([](Json& hit) { hit["isAiGenerated"] = true; });
  CHECK(flagged.ai == MadeByAi::Yes);
  CHECK(world.ruling(flagged) == "refused: made by AI");
  CHECK(with([](Json& hit) {
          hit.erase("isAiGenerated");
          hit["tags"] = "flower, AI generated, bloom";
          hit["tags"] = "flower, ai generated, bloom";
        }).ai == MadeByAi::Yes);
  CHECK(with([](Json& hit) { hit.erase("isAiGenerated"); }).ai == MadeByAi::Unknown);
  world.first("pixabay", std::string(70, 'a') + " " + std::string(70, 'b'));
  CHECK(contains(world.asked("/pixabay/api/"), "q=" + std::string(70, 'a') + "&"));
}

TEST_CASE("keys are wanted before anybody is asked, and are told to their provider only",
          "[providers]") {
  World world;
  for (const char* name : {"flickr", "pexels", "pixabay", "unsplash"}) {
    CHECK(contains(thrown([&] { make_provider(name, *world.fetcher, {}); }),
                   std::string("usage: photos.order: \"") + name));
  }
  CHECK(contains(thrown([&] { make_provider("comons", *world.fetcher, {}); }),
                 "did you mean 'commons'"));
  world.fetch(world.first("pexels"));
  for (const auto& one : world.fake.server.asked()) {
    CHECK(one.token == (one.path.starts_with("/pexels/v1/") ? "pexels-key" : ""));
  }
}

TEST_CASE("what a provider sends in place of a picture is refused", "[providers]") {
  World world;
  std::string body;
  int status = 200;
  world.fake.server.get("/commons/odd", [&](const Question&, Reply& answer) {
    answer.status = status;
    answer.set_content(body, "image/jpeg");
  });
  Candidate candidate = world.first("commons");
  candidate.file_url = world.fake.base("commons") + "/odd";
  const auto with = [&](const std::string& content, int code = 200) {
    body = content;
    status = code;
    world.clock.advance(Millis{40} * 86'400'000);
    return thrown([&] { world.fetch(candidate); });
  };
  CHECK(contains(with("<html>sold out</html>"), "bad_input: commons File:Tree 1.jpg: "));
  CHECK(contains(with(""), "bad_input: "));
  CHECK(contains(with(fake_jpeg(400, 300).substr(0, 3'000)), "cut short"));
  CHECK(contains(with("GIF89a-------------"), "bad_input: "));
  CHECK(contains(with("", 404), "not_found: commons File:Tree 1.jpg"));
  CHECK(contains(with("", 410), "not_found: "));
  CHECK(contains(with("", 403), "refused: "));
  CHECK(contains(with(std::string(5 << 20, 'x')), "refused: "));
  CHECK(with(fake_jpeg(400, 300)) == "nothing was thrown");
}

TEST_CASE("a picture on a host that is not the provider's is not fetched", "[providers]") {
  World world;
  Candidate candidate = world.first("commons");
  for (const char* url : {"https://evil.example.org/a.jpg", "http://localhost/a.jpg",
                          "https://upload.wikimedia.org.evil.org/a.jpg"}) {
    candidate.file_url = url;
    CHECK(contains(thrown([&] { world.fetch(candidate); }), "expected a host such as"));
  }
  candidate.file_url = "";
  CHECK(contains(thrown([&] { world.fetch(candidate); }), "names no picture file"));
  // An index may send us anywhere public, and nowhere else.
  Candidate indexed = world.first("openverse", "bark");
  for (const char* url : {"https://127.0.0.1/a.jpg", "http://169.254.169.254/latest/meta-data",
                          "https://[::1]/", "file:///etc/passwd"}) {
    indexed.file_url = url;
    INFO(url);
    CHECK(thrown([&] { world.fetch(indexed); }).starts_with("refused: "));
  }
}

TEST_CASE("answers that are no JSON, or of other shapes, are errors and no crashes",
          "[providers]") {
  World world;
  for (const char* name :
       {"commons", "flickr", "loc", "nasa", "openverse", "pexels", "pixabay", "unsplash"}) {
    const std::vector<Json> shapes = {
        Json::array(),
        nullptr,
        "text",
        17,
        Json::object(),
        {{"query", "x"},
         {"results", 3},
         {"collection", Json::array()},
         {"photos", "x"},
         {"hits", Json::object()},
         {"stat", "ok"}},
        {{"query", {{"pages", {1, "x", nullptr, Json::array(), Json::object()}}}},
         {"results", {1, "x", nullptr, {{"id", Json::array()}}}},
         {"collection", {{"items", {1, nullptr, {{"data", {nullptr}}}}}}},
         {"photos", {1, nullptr, {{"id", true}}}},
         {"hits", {nullptr, {{"id", {}}}}},
         {"stat", "ok"}}};
    for (const Json& shape : shapes) {
      world.clock.advance(25 * 3'600'000);
      world.fake.spoil(name, [&](Json& json) { json = shape; });
      const std::string said = thrown([&] { world.first(name); });
      INFO(name << " with " << shape.dump() << ": " << said);
      CHECK((contains(said, "nothing found") || said.starts_with("bad_input: ")));
    }
  }
}

TEST_CASE("article: the page's own picture, only where its rights are declared", "[providers]") {
  World world;
  const std::string page = world.fake.server.url("/news/dune.html");
  world.fake.server.get("/news/dune.html", [&](const Question&, Reply& answer) {
    answer.set_content(
        "<!doctype html><html><head><title>x</title><META property='og:title' content='The "
        "Dune &amp; the sea'><meta property=og:image content='/commons/files/1300x900/5.jpg'>"
        "<meta property='og:image:width' content='1300'></head><body><p><b>unclosed",
        "text/html");
  });
  world.fake.server.get("/news/bare.html", [](const Question&, Reply& answer) {
    answer.set_content("<p>nothing", "text/html");
  });
  ProviderSettings own;
  own.sites = {"127.0.0.1"};
  own.license = "CC-BY-4.0";
  own.author = "The House";
  const auto article = make_provider("article", *world.fetcher, own);
  const Candidate found = article->lookup(page, {});
  CHECK(found.title == "The Dune & the sea");
  CHECK(found.creator == "The House");
  CHECK(found.width == 1'300);
  CHECK(world.ruling(found) == "CC-BY-4.0");
  CHECK(article->fetch(found, {}).width == 1'300);
  // A feed's enclosure.
  const Candidate enclosure = article->lookup(world.fake.file("commons", 1300, 900, 6), {});
  CHECK(article->fetch(enclosure, {}).height == 900);
  CHECK(contains(thrown([&] { article->lookup(world.fake.server.url("/news/bare.html"), {}); }),
                 "names no og:image"));
  CHECK(contains(thrown([&] { article->lookup("https://other.example.org/x.html", {}); }),
                 "refused: article: https://other.example.org/x.html"));
  CHECK(contains(thrown([&] { make_provider("article", *world.fetcher, {}); }),
                 "expected sites, license and author"));
  own.sites.clear();
  CHECK(contains(thrown([&] { make_provider("article", *world.fetcher, own); }), "usage: "));
}

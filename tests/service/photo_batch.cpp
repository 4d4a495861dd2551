// SPDX-License-Identifier: Apache-2.0
// A hundred queued jobs over every place that photographs come from, with all of them up as fakes
// that also lie, and a log of every question. Time is virtual: nobody waits for a turn.
#include <atomic>
#include <cstdlib>
#include <deque>
#include <set>

#include "catch.h"
#include "photos/fake_providers.h"
#include "photos/ruling.h"
#include "service/press.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::contains;
using affiche::test::FakeProviders;
using affiche::test::Question;
using affiche::test::Reply;

namespace {

constexpr int kJobs = 100;
const std::vector<std::string> kWeb = {"commons", "openverse", "loc",     "nasa",
                                       "flickr",  "pexels",    "pixabay", "unsplash"};

// For the worker, the fakes and the politeness at once.
class SharedClock final : public Clock {
 public:
  Millis now() const override { return now_; }
  void advance(Millis by) { now_ += by; }

 private:
  std::atomic<Millis> now_{1'795'000'000'000};
};

// What a provider's first answer to a query is spoiled by, if by anything. The second one is good.
enum class Trap { None, Licence, DeadLink, Small, Changed };

// One query and what its provider has for it.
struct Topic {
  std::string provider, word;
  int number = 0;
  Trap trap = Trap::None;
  int good = 1;  // pictures that may be used; with two, a third looks like the first
};

std::string word_of(int number) {
  return std::string("motif") + static_cast<char>('a' + number / 26) +
         static_cast<char>('a' + number % 26) + "o";
}

struct Batch {
  FakeProviders fake;
  test::TemporaryFolder folder;
  SharedClock clock;
  Config config;
  Log log{stderr, Level::Error};
  std::vector<Topic> topics;             // a job each, or two for those with two pictures
  std::map<std::string, int> forbidden;  // paths that nobody may ask for, and why not

  Batch();
  std::string picture(const std::string& provider, int seed) const {
    return fake.server.url("/" + provider + "/press/" + std::to_string(seed) + ".jpg");
  }
  Json candidate(const Topic& topic, int place, bool spoiled) const;
  void answer(const std::string& provider, const Question& question, Json& json) const;
  void add_settings();
  void add_pages();
  void import_library(store::Store& store, store::Artifacts& artifacts) const;
  std::string photo_of(int job) const;
};

// Seeds tell the pictures apart; the lookalike has that of the first.
int seed_of(const Topic& topic, int place, bool spoiled) {
  return topic.number * 10 + (spoiled ? 9 : place == 2 ? 0 : place);
}

std::string query_of(const std::string& provider, const Question& question) {
  for (const char* name : {"gsrsearch", "q", "text", "query"}) {
    if (question.has_param(name)) {
      const std::string text = question.get_param_value(name);
      return provider == "commons" ? text.substr(0, text.find(' ')) : text;
    }
  }
  return "";
}

Json Batch::candidate(const Topic& topic, int place, bool spoiled) const {
  const std::string& name = topic.provider;
  const std::string id = topic.word + "-" + std::to_string(place) + (spoiled ? "x" : "");
  const std::string title = "The " + topic.word + " of " + (spoiled ? "nobody" : "Ana");
  const Trap trap = spoiled ? topic.trap : Trap::None;
  const std::string url = trap == Trap::DeadLink ? fake.base(name) + "/gone/" + id + ".jpg"
                          : trap == Trap::Small  ? fake.file(name, 320, 200, 17)
                                                 : picture(name, seed_of(topic, place, spoiled));
  const bool refused = trap == Trap::Licence;
  const int number = topic.number * 10 + place + (spoiled ? 5 : 0);
  Json made;
  if (name == "commons") {
    made = fake.commons_page(id, place + 1);
    Json& info = made["imageinfo"][0];
    info["extmetadata"]["ObjectName"] = test::html(title);
    info["extmetadata"]["Artist"] = test::html("<a href=\"//x.example/\">Ana of commons</a>");
    if (refused) info["extmetadata"]["License"] = test::html("cc-by-nc-4.0");
    info.update({{"thumburl", url}, {"thumbwidth", 400}, {"thumbheight", 280}});
  } else if (name == "openverse") {
    made = fake.openverse_record();
    made.update({{"id", "4bc43a04-" + std::to_string(number)},
                 {"title", title},
                 {"creator", "Ana of openverse"},
                 {"url", url},
                 {"foreign_landing_url", "https://stocksnap.io/photo/" + id}});
    if (refused)
      made.update({{"license", "by-nd"}, {"license_version", "4.0"}, {"license_url", ""}});
    if (trap == Trap::Changed) {
      made["source"] = "wikimedia";
      made["foreign_landing_url"] =
          "https://commons.wikimedia.org/wiki/File:Changed_" + id + ".jpg";
    }
  } else if (name == "loc") {
    made = fake.loc_record();
    made.update({{"id", "http://www.loc.gov/item/" + std::to_string(number) + "/"},
                 {"url", "https://www.loc.gov/item/" + std::to_string(number) + "/"},
                 {"title", title},
                 {"contributor", {"Ana of loc"}},
                 {"image_url", {url + "#h=280&w=400"}}});
    if (refused) made["rights_advisory"] = "Publication may be restricted.";
  } else if (name == "nasa") {
    made = fake.nasa_item();
    made["data"][0].update({{"nasa_id", id + (trap == Trap::DeadLink ? "-gone" : "")},
                            {"title", title},
                            {"photographer", "Ana of nasa"}});
    if (refused) made["data"][0]["secondary_creator"] = "Agency";
  } else if (name == "flickr") {
    made = fake.flickr_photo();
    made.update({{"id", std::to_string(number)},
                 {"title", title},
                 {"ownername", "Ana of flickr"},
                 {"url_k", url},
                 {"width_k", 400},
                 {"height_k", 280},
                 {"url_l", ""}});
    if (refused) made["license"] = "2";
  } else if (name == "pexels") {
    made = fake.pexels_photo();
    made.update({{"id", number},
                 {"alt", title},
                 {"photographer", "Ana of pexels"},
                 {"url", "https://www.pexels.com/photo/" + id + "/"},
                 {"width", 400},
                 {"height", 280},
                 {"src", {{"original", url}}}});
  } else if (name == "pixabay") {
    made = fake.pixabay_hit();
    made.update({{"id", number},
                 {"tags", title},
                 {"user", "Ana of pixabay"},
                 {"pageURL", "https://pixabay.com/en/" + id + "/"},
                 {"largeImageURL", url},
                 {"imageWidth", 400},
                 {"imageHeight", 280}});
    if (refused) made["isAiGenerated"] = true;
  } else if (name == "unsplash") {
    made = fake.unsplash_photo();
    made.update({{"id", id},
                 {"alt_description", title},
                 {"width", 400},
                 {"height", 280},
                 {"urls", {{"raw", url + "?ixid=M"}}}});
    made["links"] = {
        {"html", "https://unsplash.com/photos/" + id},
        {"download_location", fake.base("unsplash") + "/photos/" + id + "/download?ixid=" + id}};
    made["user"]["name"] = "Ana of unsplash";
  }
  return made;
}

void Batch::answer(const std::string& provider, const Question& question, Json& json) const {
  Json found = Json::array();
  const std::string query = query_of(provider, question);
  for (const Topic& topic : topics) {
    if (topic.provider != provider || topic.word != query) continue;
    if (topic.trap != Trap::None) found.push_back(candidate(topic, 0, true));
    for (int place = 0; place < (topic.good == 2 ? 3 : 1); ++place) {
      found.push_back(candidate(topic, place, false));
    }
    break;
  }
  if (provider == "commons" && question.has_param("titles")) {
    // Free when the index read it, and not any more.
    Json page = fake.commons_page("Changed", 1);
    page["title"] = question.get_param_value("titles");
    page["imageinfo"][0]["extmetadata"]["License"] = test::html("cc-by-nc-4.0");
    json["query"]["pages"] = {page};
  } else if (provider == "commons") {
    json["query"]["pages"] = found;
  } else if (provider == "openverse" || provider == "loc" || provider == "unsplash") {
    json["results"] = found;
  } else if (provider == "nasa") {
    json["collection"]["items"] = found;
  } else if (provider == "flickr") {
    json["photos"]["photo"] = found;
  } else if (provider == "pexels") {
    json["photos"] = found;
  } else {
    json["hits"] = found;
  }
}

Batch::Batch() {
  fake.server.tell_time(clock);
  add_settings();
  // Ten places, ten jobs each: the library and the site's own pages besides the providers.
  for (int job = 0; job < kJobs; ++job) {
    const int turn = job / 10, place = job % 10;
    Topic topic;
    topic.number = job;
    topic.word = word_of(job);
    topic.provider = place == 8 ? "library" : place == 9 ? "article" : kWeb[place];
    const bool terms = place >= 5 && topic.provider != "pixabay";  // no licences to choose from
    if (turn == 2 && !terms) topic.trap = Trap::Licence;
    if (turn == 3) topic.trap = Trap::DeadLink;
    if (turn == 4 && topic.provider != "nasa") topic.trap = Trap::Small;
    if (turn == 5 && topic.provider == "openverse") topic.trap = Trap::Changed;
    if (turn >= 7 && turn <= 8 && topic.provider != "nasa") {
      topic.good = 2;  // two jobs of the same words
      topic.number = 70 + place;
      topic.word = word_of(topic.number);
    }
    topics.push_back(topic);
  }
  fake.answer_by([this](const std::string& name, const Question& question, Json& json) {
    answer(name, question, json);
  });
  fake.server.get("/\\w+/press/(\\d+).jpg", [](const Question& question, Reply& reply) {
    const Bytes bytes =
        test::press_jpeg(400, 280, static_cast<std::uint32_t>(std::stoi(question.matches[1])));
    test::give_file(question, reply, {bytes.begin(), bytes.end()});
  });
  fake.server.get("/nasa/asset/(motif\\w+-\\d\\w*)(-gone)?", [this](const Question& question,
                                                                    Reply& reply) {
    const std::string word = std::string(question.matches[1]).substr(0, 8);
    const auto topic = std::find_if(topics.begin(), topics.end(),
                                    [&](const Topic& one) { return one.word == word; });
    const bool gone = question.matches[2].matched;
    const std::string file = gone ? fake.base("nasa") + "/gone/" + word + ".jpg"
                                  : picture("nasa", seed_of(*topic, 0, false));
    reply.set_content(Json{{"collection", {{"items", {{{"href", file + "~large.jpg"}}}}}}}.dump(),
                      "application/json");
  });
  fake.server.get(
      "/unsplash/photos/motif\\w+-\\w+/download", [](const Question& question, Reply& reply) {
        reply.status =
            question.get_header_value("Authorization") == "Client-ID unsplash-key" ? 200 : 401;
        reply.set_content("{\"url\":\"https://images.unsplash.com/x\"}", "application/json");
      });
  fake.server.get("/nasa/press/(\\d+).jpg~large.jpg", [](const Question& question, Reply& reply) {
    const Bytes bytes =
        test::press_jpeg(400, 280, static_cast<std::uint32_t>(std::stoi(question.matches[1])));
    test::give_file(question, reply, {bytes.begin(), bytes.end()});
  });
  add_pages();
}

void Batch::add_settings() {
  for (const std::string& name : kWeb) {
    ProviderConfig& own = config.photos.providers[name];
    own.base_url = fake.base(name);
    own.accept_terms = true;
    if (name == "openverse") continue;  // anonymous
    std::string variable = "AFFICHE_" + name + "_KEY";
    for (char& c : variable) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    ::setenv(variable.c_str(), (name + "-key").c_str(), 1);
  }
  ProviderConfig& article = config.photos.providers["article"];
  article.sites = {"127.0.0.1"};
  article.license = "CC-BY-4.0";
  article.author = "Ana of article";
  config.photos.order = {"library", "article"};
  config.photos.order.insert(config.photos.order.end(), kWeb.begin(), kWeb.end());
  config.photos.cache = folder / "cache";
  config.photos.sandbox = false;  // two hundred processes prove nothing more
  config.photos.min_width = 360;
  config.photos.policy.also_allow = {"LicenseRef-Unsplash", "LicenseRef-Pexels",
                                     "LicenseRef-Pixabay"};
  config.site.contact = "ops@site.example";
  config.site.url = "https://site.example";
  config.paths.templates = folder / "templates";
  config.paths.brands = folder / "brands";
  config.work.threads = 1;
  std::filesystem::create_directories(folder / "templates");
  std::filesystem::create_directories(folder / "brands");
  write_atomically(
      folder / "templates/plain.toml",
      std::string_view(std::string("photo_missing = \"fail\"\n") + test::kPressTemplate));
  write_atomically(folder / "brands/house.toml",
                   std::string_view("publisher = \"The House\"\n[colours]\nink = \"#0F1B2D\"\n"
                                    "shade = \"#0F1B2D\"\nlight = \"#F4E9D8\"\n[fonts]\n"
                                    "body = { family = \"Noto Sans\" }\n"));
}

// The site's own pages, and their pictures as a feed has them.
void Batch::add_pages() {
  for (const Topic& topic : topics) {
    if (topic.provider != "article") continue;
    const std::string path = "/article/" + topic.word + ".html";
    const std::string image = picture("article", seed_of(topic, 0, false));
    fake.server.get(path, [=](const Question&, Reply& reply) {
      reply.set_content("<meta property=og:title content='The " + topic.word +
                            " of Ana'><meta property=og:image content='" + image + "'>",
                        "text/html");
    });
  }
}

void Batch::import_library(store::Store& store, store::Artifacts& artifacts) const {
  for (const Topic& topic : topics) {
    if (topic.provider != "library") continue;
    for (int place = 0; place < topic.good; ++place) {
      const std::string name = topic.word + std::to_string(place);
      const int seed = seed_of(topic, place, false);
      write_atomically(folder / "in" / (name + ".jpg"),
                       test::press_jpeg(400, 280, static_cast<std::uint32_t>(seed)));
      write_atomically(folder / "in" / (name + ".jpg.toml"),
                       std::string_view("title = \"The " + topic.word +
                                        " of Ana\"\nauthor = "
                                        "\"Ana of library\"\nsource = \"Archive\"\nlicense = "
                                        "\"CC-BY-4.0\"\n"));
    }
  }
  for (const auto& file : PhotoLibrary(config, store, artifacts).import_folder(folder / "in")) {
    CHECK(file.outcome == ImportedFile::Outcome::Imported);
  }
}

std::string Batch::photo_of(int job) const {
  const Topic& topic = topics[static_cast<std::size_t>(job)];
  if (topic.provider != "article") return Json(topic.word).dump();
  return Json{{"url", job / 10 % 2 == 0 ? fake.server.url("/article/" + topic.word + ".html")
                                        : picture("article", seed_of(topic, 0, false))}}
      .dump();
}

// A database of its own over the same cache; the photograph's id of each job.
struct Run {
  Batch& batch;
  std::string name;
  store::Store store{batch.folder / (name + ".db"), batch.clock};
  store::Artifacts artifacts{batch.folder / (name + "-artifacts")};
  std::vector<std::int64_t> jobs;
  Summary summary;

  Run(Batch& owner, std::string own) : batch(owner), name(std::move(own)) {
    batch.config.paths.output = batch.folder / (name + "-out");
    batch.import_library(store, artifacts);
    std::vector<store::NewJob> added;
    for (int job = 0; job < kJobs; ++job) {
      store::NewJob one;
      one.template_name = "plain";
      one.brand = "house";
      one.variables = Json{{"headline", "Headline " + std::to_string(job)}}.dump();
      one.photo = batch.photo_of(job);
      added.push_back(one);
    }
    for (const auto& enqueued : store.enqueue(added)) jobs.push_back(enqueued.id);
    batch.clock.advance(1'000);
    const auto maker =
        make_card_maker(batch.config, store, artifacts,
                        [this](std::chrono::milliseconds time, const std::stop_token&) {
                          batch.clock.advance(time.count());
                        });
    WorkerSettings settings;
    settings.poll = 10;
    settings.lease = Millis{10} * 86'400'000;  // time runs fast here
    summary = Worker(store, artifacts, *maker, settings, batch.log).drain();
  }
  Json photo(int job) const {
    const auto stages = store.stages(jobs[static_cast<std::size_t>(job)]);
    const auto found = stages.find("photo");
    return found == stages.end() ? Json() : Json::parse(found->second.detail).at("photo");
  }
  std::string photo_id(int job) const {
    const Json found = photo(job);
    return found.is_null() ? "" : found.at("id").get<std::string>();
  }
};

const std::map<std::string, std::pair<std::string, std::string>> kCredits = {
    {"library", {"Archive", "CC-BY-4.0"}},
    {"article", {"127.0.0.1", "CC-BY-4.0"}},
    {"commons", {"Wikimedia Commons", "CC-BY-4.0"}},
    {"openverse", {"StockSnap", "CC0-1.0"}},
    {"loc", {"Library of Congress", "LicenseRef-No-Known-Restrictions"}},
    {"nasa", {"NASA", "US-GOV"}},
    {"flickr", {"Flickr", "CC-BY-4.0"}},
    {"unsplash", {"Unsplash", "LicenseRef-Unsplash"}},
    {"pexels", {"Pexels", "LicenseRef-Pexels"}},
    {"pixabay", {"Pixabay", "LicenseRef-Pixabay"}}};

// The right photograph, credit, decision and ledger row of a job.
void check_job(const Run& run, int job) {
  const Topic& topic = run.batch.topics[static_cast<std::size_t>(job)];
  const auto done = run.store.job(run.jobs[static_cast<std::size_t>(job)]);
  CAPTURE(job, topic.provider, topic.word, done->error);
  REQUIRE(done->state == store::State::Done);
  const std::string id = run.photo_id(job);
  const Credit credit = credit_from_json(run.photo(job).at("credit").dump(), "credit");
  const auto& [source, license] = kCredits.at(topic.provider);
  CHECK(contains(credit.title, topic.provider == "article" && credit.title == "Untitled"
                                   ? "Untitled"
                                   : "The " + topic.word + " of Ana"));
  CHECK(credit.author == "Ana of " + topic.provider);
  CHECK(contains(credit.source, source));
  CHECK(credit.license == license);
  const std::vector<store::Evidence> evidence = run.store.evidence(id);
  REQUIRE(evidence.size() >= 1);  // two where a page and a feed name one picture
  const photos::Ruling ruling = photos::ruling_from_json(evidence[0].ruling, "ruling");
  CHECK(ruling.decision.allowed);
  CHECK_FALSE(ruling.decision.rule.empty());
  CHECK(ruling.license.id == license);
  CHECK(ruling.evidence_sha256 == evidence[0].sha256);
  CHECK(ruling.evidence_at > 0);
  CHECK(evidence[0].provider == (topic.provider == "library" ? "folder" : topic.provider));
  CHECK(std::filesystem::exists(done->outputs.at(0)));
}

void check_ledger(const Run& run) {
  const auto ledger = run.store.credits();
  REQUIRE(ledger.size() == kJobs);
  for (const store::CreditEntry& entry : ledger) {
    CHECK(entry.site == "https://site.example");
    const std::vector<store::Evidence> evidence = run.store.evidence(entry.photo_id);
    CHECK(std::any_of(evidence.begin(), evidence.end(), [&](const store::Evidence& one) {
      return one.sha256 == entry.evidence_sha256;
    }));
    CHECK(contains(entry.line, entry.credit.author));
    CHECK_FALSE(contains(entry.credit.license, "-NC"));
    CHECK_FALSE(contains(entry.credit.license, "-ND"));
  }
}

// In any period no more than so many, as the log has it.
void check_rate(const std::deque<Millis>& times, std::size_t most, Millis period) {
  for (std::size_t i = most; i < times.size(); ++i) CHECK(times[i] - times[i - most] >= period);
}

void check_log(const Batch& batch) {
  std::map<std::string, std::deque<Millis>> api, files;
  for (const auto& one : batch.fake.server.asked()) {
    INFO(one.path);
    CHECK(contains(one.agent, "ops@site.example"));
    CHECK(contains(one.agent, "+https://site.example"));
    const std::string name = one.path.substr(1, one.path.find('/', 1) - 1);
    const bool file = contains(one.path, "/press/") || contains(one.path, "/files/") ||
                      contains(one.path, "/gone/");
    const bool keyed = (name == "unsplash" || name == "pexels") && !file;
    CHECK(one.token == (!keyed ? "" : name == "pexels" ? "pexels-key" : "Client-ID unsplash-key"));
    CHECK(contains(one.path, "flickr-key") == (name == "flickr" && !file));
    CHECK(contains(one.path, "pixabay-key") == (name == "pixabay" && !file));
    (file ? files : api)[name].push_back(one.at);
    if (!contains(one.path, "/press/")) continue;
    // What its licence refuses is never fetched, nor what the origin took back.
    const int seed = std::stoi(one.path.substr(one.path.find("/press/") + 7));
    CHECK(seed % 10 != 9);
  }
  for (const std::string& name : kWeb) CHECK(api[name].size() > 10);
  check_rate(api["commons"], 100, 60'000);
  check_rate(api["commons"], 1, 100);
  check_rate(api["openverse"], 20, 60'000);
  check_rate(api["openverse"], 200, 86'400'000);
  check_rate(api["loc"], 10, 10'000);
  check_rate(api["loc"], 80, 60'000);
  check_rate(api["nasa"], 60, 60'000);
  check_rate(api["flickr"], 1, 200);
  check_rate(api["pexels"], 200, 3'600'000);
  check_rate(api["pixabay"], 100, 60'000);
  check_rate(api["unsplash"], 50, 3'600'000);
  check_rate(files["commons"], 1, 100);
  check_rate(files["openverse"], 60, 60'000);
}

}  // namespace

TEST_CASE(
    "a hundred queued jobs over all places end with the right photograph, credit and decision",
    "[batch]") {
  Batch batch;
  const Run first(batch, "first");
  CHECK(first.summary.done == kJobs);
  std::map<std::string, int> uses;
  std::set<std::string> unsplash;
  for (int job = 0; job < kJobs; ++job) {
    check_job(first, job);
    ++uses[first.photo_id(job)];
    if (batch.topics[static_cast<std::size_t>(job)].provider == "unsplash") {
      unsplash.insert(first.photo_id(job));
    }
  }
  // Pages name their own picture; of all else the site shows nothing twice, and no lookalike.
  CHECK(uses.size() == kJobs - 1);
  CHECK(unsplash.size() == 10);
  check_ledger(first);
  check_log(batch);
  CHECK(batch.fake.server.count("/unsplash/photos/") == 10);

  batch.fake.server.forget();
  const Run second(batch, "second");
  CHECK(second.summary.done == kJobs);
  for (int job = 0; job < kJobs; ++job) CHECK(second.photo_id(job) == first.photo_id(job));
  // Nothing but the uses that Unsplash wants to know of.
  for (const auto& one : batch.fake.server.asked()) {
    INFO(one.path);
    CHECK(contains(one.path, "/download?ixid="));
  }
  CHECK(batch.fake.server.asked().size() == 10);
}

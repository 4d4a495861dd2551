// SPDX-License-Identifier: Apache-2.0
// One server on loopback that answers as the providers do, under a prefix each: /commons/w/api.php
// … Shapes are those of their real answers; a test spoils what it wants to spoil.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "base/json.h"
#include "cards/encode.h"
#include "net/server.h"
#include "photos/providers/providers.h"
#include "store/temporary_folder.h"

namespace affiche::test {

// With structure and of its own, so that pictures can be told apart.
inline std::string fake_jpeg(int width, int height, int shade = 90) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = &image.pixels[(static_cast<std::size_t>(y) * width + x) * 3];
      pixel[0] = static_cast<std::uint8_t>(x * 255 / width);
      pixel[1] = static_cast<std::uint8_t>(y * 255 / height);
      pixel[2] = static_cast<std::uint8_t>((x / 40 + y / 40) % 2 * shade);
    }
  }
  const Bytes bytes = cards::encode(image, cards::Format::Jpeg).bytes;
  return {bytes.begin(), bytes.end()};
}

inline Json html(const std::string& value) {
  return {{"value", value}, {"source", "x"}};
}

class FakeProviders {
 public:
  using Spoil = std::function<void(Json&)>;
  // Answers by what was asked: name of the provider, question, the usual answer to change.
  using Catalogue = std::function<void(const std::string&, const Question&, Json&)>;

  FakeProviders() {
    add_commons();
    add_openverse();
    add_loc();
    add_nasa();
    add_flickr();
    add_unsplash();
    add_pexels();
    add_pixabay();
    // Every picture: /NAME/files/WIDTHxHEIGHT/SHADE.jpg
    server.get("/\\w+/files/(\\d+)x(\\d+)/(\\d+)(~\\w+)?.jpg",
               [](const Question& question, Reply& answer) {
                 give_file(question, answer,
                           fake_jpeg(std::stoi(question.matches[1]), std::stoi(question.matches[2]),
                                     std::stoi(question.matches[3])));
               });
  }

  // What a test does to the answers of a provider, by its name.
  void spoil(const std::string& name, Spoil how) {
    const std::lock_guard lock(mutex_);
    spoils_[name] = std::move(how);
  }
  void answer_by(Catalogue catalogue) {
    const std::lock_guard lock(mutex_);
    catalogue_ = std::move(catalogue);
  }
  std::string file(const std::string& name, int width, int height, int shade = 90) const {
    return server.url("/" + name + "/files/" + std::to_string(width) + "x" +
                      std::to_string(height) + "/" + std::to_string(shade) + ".jpg");
  }
  std::string base(const std::string& name) const { return server.url("/" + name); }

  Json commons_page(const std::string& title, int index) const {
    return {{"pageid", 81754323 + index},
            {"ns", 6},
            {"index", index},
            {"title", "File:" + title + ".jpg"},
            {"imageinfo",
             {{{"size", 11863148},
               {"width", 5514},
               {"height", 3102},
               {"mime", "image/jpeg"},
               {"user", "PtrQs"},
               {"sha1", "0123"},
               {"thumburl", file("commons", 1920, 1080, index)},
               {"thumbwidth", 1920},
               {"thumbheight", 1080},
               {"url", file("commons", 2757, 1551, index)},
               {"descriptionurl", "https://commons.wikimedia.org/wiki/File:" + title + ".jpg"},
               {"extmetadata",
                {{"ObjectName", html("Lone <b>tree</b> " + std::to_string(index))},
                 {"Artist", html("<a href=\"//commons.wikimedia.org/wiki/User:PtrQs\" "
                                 "title=\"User:PtrQs\">PtrQs</a>")},
                 {"Credit", html("<span class=\"int-own-work\">Own work</span>")},
                 {"AttributionRequired", html("true")},
                 {"License", html("cc-by-4.0")},
                 {"LicenseShortName", html("CC BY 4.0")},
                 {"LicenseUrl", html("https://creativecommons.org/licenses/by/4.0")},
                 {"UsageTerms", html("Creative Commons Attribution 4.0")},
                 {"Copyrighted", html("True")},
                 {"Restrictions", html("")}}}}}}};
  }
  Json openverse_record() const {
    return {{"id", "4bc43a04-ef46-4544-a0c1-63c63f56e276"},
            {"title", "Tree Bark Photo"},
            {"foreign_landing_url", "https://stocksnap.io/photo/XNVBVXO3B7"},
            {"url", file("openverse", 960, 640)},
            {"creator", "Tim Sullivan"},
            {"creator_url", "https://www.secretagencygroup.com"},
            {"license", "cc0"},
            {"license_version", "1.0"},
            {"license_url", "https://creativecommons.org/publicdomain/zero/1.0/"},
            {"provider", "stocksnap"},
            {"source", "stocksnap"},
            {"category", "photograph"},
            {"filesize", 896128},
            {"filetype", "jpg"},
            {"attribution", "\"Tree Bark Photo\" by Tim Sullivan is marked with CC0 1.0."},
            {"mature", false},
            {"tags", {{{"name", "bark"}}}},
            {"height", 4016},
            {"width", 6016},
            {"thumbnail", base("openverse") + "/thumb/"},
            {"unstable__sensitivity", Json::array()}};
  }
  Json loc_record() const {
    const std::string small = file("loc", 640, 465), large = file("loc", 1536, 1116);
    return {{"id", "http://www.loc.gov/item/2002699540/"},
            {"title", "The Grand Canyon of the Yellowstone"},
            {"date", "1876"},
            {"contributor", {"moran, thomas"}},
            {"rights_advisory", "No known restrictions on publication."},
            {"reproduction_number", {"LC-USZC4-3254"}},
            {"access_restricted", false},
            {"image_url", {small + "#h=465&w=640", large + "#h=1116&w=1536"}},
            {"url", "https://www.loc.gov/item/2002699540/"}};
  }
  Json nasa_item() const {
    return {
        {"href", base("nasa") + "/image/as11-40-5874/collection.json"},
        {"data",
         {{{"nasa_id", "as11-40-5874"},
           {"title", "Apollo 11 Mission image"},
           {"center", "JSC"},
           {"photographer", "NASA JSC"},
           {"secondary_creator", nullptr},
           {"date_created", "1969-07-20T00:00:00Z"},
           {"media_type", "image"},
           {"description", "Astronaut at the flag"},
           {"keywords", {"Apollo 11"}}}}},
        {"links", {{{"href", file("nasa", 320, 213)}, {"rel", "preview"}, {"render", "image"}}}}};
  }
  Json flickr_photo() const {
    return {
        {"id", "4459771899"},      {"owner", "18090920@N07"}, {"secret", "07595dc42e"},
        {"title", "exam tactics"}, {"license", "11"},         {"ownername", "Sean MacEntee"},
        {"pathalias", "smemon"},   {"tags", "exam school"},   {"url_l", file("flickr", 1024, 683)},
        {"height_l", 683},         {"width_l", "1024"},       {"url_k", file("flickr", 2048, 1366)},
        {"height_k", 1366},        {"width_k", 2048}};
  }
  Json unsplash_photo() const {
    return {{"id", "Dwu85P9SOIk"},
            {"width", 5616},
            {"height", 3744},
            {"alt_description", "man in red jacket"},
            {"urls", {{"raw", file("unsplash", 2400, 1600) + "?ixid=M&ixlib=rb-4.0.3"}}},
            {"links",
             {{"html", "https://unsplash.com/photos/Dwu85P9SOIk"},
              {"download_location", base("unsplash") + "/photos/Dwu85P9SOIk/download?ixid=M"}}},
            {"user",
             {{"username", "brianaguirre"},
              {"name", "Brian Aguirre"},
              {"links", {{"html", "https://unsplash.com/@brianaguirre"}}}}}};
  }
  Json pexels_photo() const {
    return {{"id", 2014422},
            {"width", 3024},
            {"height", 2016},
            {"url", "https://www.pexels.com/photo/brown-rocks-during-golden-hour-2014422/"},
            {"photographer", "Joey Farina"},
            {"photographer_url", "https://www.pexels.com/@joey"},
            {"src", {{"original", file("pexels", 3024, 2016)}}},
            {"alt", "Brown rocks"}};
  }
  Json pixabay_hit() const {
    return {{"id", 195893},
            {"pageURL", "https://pixabay.com/en/blossom-bloom-flower-195893/"},
            {"type", "photo"},
            {"tags", "blossom, bloom, flower"},
            {"largeImageURL", file("pixabay", 1280, 720)},
            {"imageWidth", 4000},
            {"imageHeight", 2250},
            {"imageSize", 4731420},
            {"user_id", 48777},
            {"user", "Josch13"},
            {"isAiGenerated", false}};
  }

  Server server;

 private:
  void reply(const std::string& name, const Question& question, Json json, Reply& answer) {
    {
      const std::lock_guard lock(mutex_);
      if (catalogue_) catalogue_(name, question, json);
      if (const auto how = spoils_.find(name); how != spoils_.end()) how->second(json);
    }
    answer.set_content(json.dump(), "application/json");
  }
  static bool refused(const Question& question, Reply& answer, const char* header,
                      const std::string& value) {
    const bool good = question.get_header_value(header) == value;
    if (!good) answer.status = 401;
    return !good;
  }

  void add_commons() {
    server.get("/commons/w/api.php", [this](const Question& question, Reply& answer) {
      Json pages = Json::array();
      if (question.has_param("titles")) {
        const std::string title = question.get_param_value("titles");
        if (title.find("Gone") != std::string::npos) {
          pages.push_back({{"ns", 6}, {"title", title}, {"missing", true}});
        } else {
          pages.push_back(commons_page("Tree 1", 1));
        }
      } else {
        pages = {commons_page("Tree 2", 2), commons_page("Tree 1", 1), commons_page("Tree 3", 3)};
      }
      reply("commons", question, {{"batchcomplete", true}, {"query", {{"pages", pages}}}}, answer);
    });
  }
  void add_openverse() {
    server.get("/openverse/v1/images/", [this](const Question& question, Reply& answer) {
      reply("openverse", question,
            {{"result_count", 1}, {"page_count", 1}, {"results", {openverse_record()}}}, answer);
    });
    server.get("/openverse/v1/images/[-0-9a-f]+/", [this](const Question& question, Reply& answer) {
      reply("openverse", question, openverse_record(), answer);
    });
  }
  void add_loc() {
    server.get("/loc/photos/", [this](const Question& question, Reply& answer) {
      reply("loc", question, {{"results", {loc_record()}}, {"pagination", {{"current", 1}}}},
            answer);
    });
    server.get("/loc/item/(\\d+)/", [this](const Question& question, Reply& answer) {
      reply("loc", question, {{"item", loc_record()}, {"resources", Json::array()}}, answer);
    });
  }
  void add_nasa() {
    server.get("/nasa/search", [this](const Question& question, Reply& answer) {
      reply("nasa", question,
            {{"collection",
              {{"version", "1.0"}, {"items", {nasa_item()}}, {"metadata", {{"total_hits", 1}}}}}},
            answer);
    });
    server.get("/nasa/asset/as11-40-5874", [this](const Question&, Reply& answer) {
      const auto href = [&](const char* ending) {
        return Json{{"href", base("nasa") + "/files/1920x1280/7" + ending}};
      };
      answer.set_content(Json{{"collection",
                               {{"items",
                                 {href("~thumb.jpg"), href("~orig.tif"), href("~medium.jpg"),
                                  href("~large.jpg"), href("/metadata.json")}}}}}
                             .dump(),
                         "application/json");
    });
  }
  void add_flickr() {
    server.get("/flickr/services/rest/", [this](const Question& question, Reply& answer) {
      const std::string method = question.get_param_value("method");
      Json json;
      if (question.get_param_value("api_key") != "flickr-key") {
        json = {{"stat", "fail"}, {"code", 100}, {"message", "Invalid API Key"}};
      } else if (question.get_param_value("photo_id") == "404") {
        json = {{"stat", "fail"}, {"code", 1}, {"message", "Photo not found"}};
      } else if (method == "flickr.photos.search") {
        json = {{"photos", {{"page", 1}, {"total", 1}, {"photo", {flickr_photo()}}}},
                {"stat", "ok"}};
      } else if (method == "flickr.photos.getInfo") {
        json = {{"photo",
                 {{"id", "4459771899"},
                  {"license", "11"},
                  {"owner",
                   {{"nsid", "18090920@N07"},
                    {"username", "smemon"},
                    {"realname", "Sean MacEntee"},
                    {"path_alias", "smemon"}}},
                  {"title", {{"_content", "exam tactics"}}},
                  {"description", {{"_content", "at school"}}}}},
                {"stat", "ok"}};
      } else if (method == "flickr.photos.getSizes") {
        const Json size = {{"label", "Large 2048"},
                           {"width", "2048"},
                           {"height", "1366"},
                           {"source", file("flickr", 2048, 1366)},
                           {"media", "photo"}};
        json = {{"sizes", {{"size", {size}}}}, {"stat", "ok"}};
      }
      reply("flickr", question, json, answer);
    });
  }
  void add_unsplash() {
    server.get("/unsplash/search/photos", [this](const Question& question, Reply& answer) {
      if (refused(question, answer, "Authorization", "Client-ID unsplash-key")) return;
      reply("unsplash", question, {{"total", 1}, {"results", {unsplash_photo()}}}, answer);
    });
    server.get("/unsplash/photos/Dwu85P9SOIk", [this](const Question& question, Reply& answer) {
      if (refused(question, answer, "Authorization", "Client-ID unsplash-key")) return;
      reply("unsplash", question, unsplash_photo(), answer);
    });
    server.get(
        "/unsplash/photos/Dwu85P9SOIk/download", [this](const Question& question, Reply& answer) {
          if (refused(question, answer, "Authorization", "Client-ID unsplash-key")) return;
          answer.set_content("{\"url\":\"https://images.unsplash.com/x\"}", "application/json");
        });
  }
  void add_pexels() {
    server.get("/pexels/v1/search", [this](const Question& question, Reply& answer) {
      if (refused(question, answer, "Authorization", "pexels-key")) return;
      reply("pexels", question, {{"total_results", 1}, {"photos", {pexels_photo()}}}, answer);
    });
    server.get("/pexels/v1/photos/2014422", [this](const Question& question, Reply& answer) {
      if (refused(question, answer, "Authorization", "pexels-key")) return;
      reply("pexels", question, pexels_photo(), answer);
    });
  }
  void add_pixabay() {
    server.get("/pixabay/api/", [this](const Question& question, Reply& answer) {
      if (question.get_param_value("key") != "pixabay-key") {
        answer.status = 400;
        answer.set_content("[ERROR 400] Invalid or missing API key", "text/plain");
        return;
      }
      reply("pixabay", question, {{"total", 1}, {"totalHits", 1}, {"hits", {pixabay_hit()}}},
            answer);
    });
  }

  std::mutex mutex_;
  std::map<std::string, Spoil> spoils_;
  Catalogue catalogue_;
};

}  // namespace affiche::test

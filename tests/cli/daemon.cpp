// SPDX-License-Identifier: Apache-2.0
// The daemon as a process of its own, fed with pictures that were made to end it.
#include <algorithm>
#include <map>
#include <set>

#include "catch.h"
#include "cli/site.h"
#include "photos/bombs.h"
#include "photos/fake_providers.h"

using namespace affiche;
using namespace affiche::test;

namespace {

// `affiche serve` in a folder, until it is told to end.
class Daemon {
 public:
  explicit Daemon(const std::filesystem::path& folder) : streams_("") {
    std::vector<std::string> words = {AFFICHE_PROGRAM, "serve"};
    std::vector<char*> pointers = {words[0].data(), words[1].data(), nullptr};
    child_ = ::fork();
    if (child_ < 0) fail(Cause::Internal, "fork");
    if (child_ == 0) {
      streams_.become_standard();
      if (::chdir(folder.c_str()) == 0) ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
  }
  ~Daemon() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  bool alive() const { return ::waitpid(child_, nullptr, WNOHANG) == 0; }
  // The exit code; memory_mib() is known from then on.
  int end() {
    ::kill(child_, SIGTERM);
    int status = 0;
    rusage usage{};
    ::wait4(child_, &status, 0, &usage);
    child_ = -1;
    memory_mib_ = usage.ru_maxrss / 1024;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  long memory_mib() const { return memory_mib_; }
  std::string log() const { return streams_.err(); }

 private:
  Streams streams_;
  pid_t child_ = -1;
  long memory_mib_ = 0;
};

struct Minefield : Site {
  FakeProviders fake;
  std::map<std::string, std::string> served;  // word of a query -> bytes
  const std::string sound = fake_jpeg(1300, 900);

  Minefield() {
    write("config.toml",
          "[site]\ncontact = \"ops@site.example\"\n[work]\nthreads = 1\npoll_ms = 10\n"
          "[photos]\norder = [\"commons\"]\n[photos.providers.commons]\nbase_url = \"" +
              fake.base("commons") + "\"\n");
    fake.answer_by([this](const std::string&, const Question& question, Json& json) {
      const std::string text = question.get_param_value("gsrsearch");
      const std::string word = text.substr(0, text.find(' '));
      Json page = fake.commons_page(word, 1);
      page["imageinfo"][0]["thumburl"] = fake.server.url("/commons/trap/" + word + ".jpg");
      json["query"]["pages"] = {page};
    });
    fake.server.get("/commons/trap/([-\\w]+).jpg", [this](const Question& question, Reply& reply) {
      give_file(question, reply, served.at(question.matches[1]));
    });
  }
  // Its number.
  std::int64_t add(const std::string& name, const std::string& form, const Json& photo) const {
    const Json job = {
        {"template", form}, {"brand", "house"}, {"set", {{"headline", name}}}, {"photo", photo}};
    const Json answer = ask({"enqueue", "--data", "-"}, job.dump() + "\n");
    return (answer.is_array() ? answer : answer.at("ids")).at(0).get<std::int64_t>();
  }
  Json own_file(const std::string& name) const {
    return {{"path", (folder / "own" / (name + ".jpg")).string()}, {"credit", sand_credit()}};
  }
  // All jobs by number, when none is under way any more.
  std::map<std::int64_t, Json> settled(const Daemon& daemon) const {
    for (int look = 0; look < 2'000 && daemon.alive(); ++look) {
      std::map<std::int64_t, Json> jobs;
      bool over = true;
      for (const Json& job : ask({"jobs", "list", "--limit", "1000"})) {
        const std::string state = job.at("state");
        over = over && (state == "done" || state == "dead");
        jobs[job.at("id").get<std::int64_t>()] = job;
      }
      if (over) return jobs;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    fail(Cause::Internal, "the daemon ended or never settles: ", daemon.log());
  }
};

}  // namespace

TEST_CASE("pictures made to end the daemon end their jobs, and it goes on") {
  Minefield site;
  const std::vector<Bomb> all = bombs(site.sound);
  for (const Bomb& bomb : all) {
    site.served["web-" + bomb.name] = bomb.bytes;
    site.write("own/" + bomb.name + ".jpg", bomb.bytes);
  }
  site.served["web-good"] = site.sound;
  site.write("own/good.jpg", site.sound);

  Daemon daemon(site.folder.path());
  std::map<std::int64_t, const Bomb*> fatal, missing;
  for (const Bomb& bomb : all) {
    fatal[site.add(bomb.name, "strict", site.own_file(bomb.name))] = &bomb;
    fatal[site.add("web " + bomb.name, "strict", "web-" + bomb.name)] = &bomb;
    missing[site.add("without " + bomb.name, "plain", site.own_file(bomb.name))] = &bomb;
  }
  const auto first = site.settled(daemon);
  for (const auto& [id, bomb] : fatal) {
    const Json& job = first.at(id);
    INFO(job.dump());
    CHECK(job.at("state") == "dead");
    CHECK(job.at("attempts") == 1);
    const std::string error = job.at("error");
    CHECK(error.find(bomb->error) != std::string::npos);
    CHECK(error.find(bomb->name) != std::string::npos);
    CHECK(job.at("outputs").empty());
  }
  for (const auto& [id, bomb] : missing) {
    INFO(first.at(id).dump());
    CHECK(first.at(id).at("state") == "done");  // the template's variant without a photograph
  }
  const std::set<std::int64_t> good = {site.add("good", "strict", site.own_file("good")),
                                       site.add("web good", "strict", "web-good")};
  const auto second = site.settled(daemon);
  for (const std::int64_t id : good) {
    INFO(second.at(id).dump());
    CHECK(second.at(id).at("state") == "done");
  }
  CHECK(site.ask({"credits"}).size() == good.size());
  CHECK(daemon.alive());
  CHECK(daemon.end() == 0);
  // A flood of 50000×50000 pixels is 7 GB; nothing of it was ever decoded.
  CHECK(daemon.memory_mib() < 1'500);
}

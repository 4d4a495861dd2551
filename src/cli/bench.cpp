// SPDX-License-Identifier: Apache-2.0
// affiche bench: what the work costs on this machine.
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "cli/bench_cards.h"
#include "cli/command.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string drawings = "bench/cards";
  std::string folder;
  std::string python = "python3";
  std::string node = "node";
  std::string modules;
  int cards = 24;
  int rounds = 3;
  int flat = 0;
};

// Removes the folder of the parts again, unless the operator named it.
class PartsFolder {
 public:
  explicit PartsFolder(const std::string& named)
      : path_(named.empty() ? std::filesystem::temp_directory_path() /
                                  ("affiche-bench-" + std::to_string(getpid()))
                            : std::filesystem::path(named)),
        keep_(!named.empty()) {}
  PartsFolder(const PartsFolder&) = delete;
  PartsFolder& operator=(const PartsFolder&) = delete;
  ~PartsFolder() {
    std::error_code ignored;
    if (!keep_) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool keep_;
};

// This thread and the programs that it starts run on one core as long as this lives.
class OneCore {
 public:
  OneCore() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    int core = 0;
    while (core < CPU_SETSIZE - 1 && !CPU_ISSET(core, &before_)) ++core;
    CPU_SET(core, &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;
  ~OneCore() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_{};
};

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  utsname system{};
  uname(&system);
  return system.machine;
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

struct Peer {
  std::string name;
  std::string command;  // without the folder and the number of cards
  std::string version = {};
  std::vector<double> ms = {};
  std::string why = {};  // it gave no figures
};

std::vector<Peer> peers(const Options& options) {
  const std::string folder = std::filesystem::absolute(options.drawings).string() + "/";
  const std::string python = quoted(options.python) + " " + quoted(folder + "pillow.py");
  const std::string node =
      (options.modules.empty() ? "" : "cd " + quoted(options.modules) + " && ") +
      quoted(options.node) + " ";
  return {{"Pillow", python},
          {"sharp", node + quoted(folder + "sharp.mjs")},
          {"satori + resvg + sharp", node + quoted(folder + "satori.mjs")}};
}

void add(Measured& to, const Measured& more) {
  to.ms.insert(to.ms.end(), more.ms.begin(), more.ms.end());
  for (const auto& [step, ms] : more.steps) {
    to.steps[step].insert(to.steps[step].end(), ms.begin(), ms.end());
  }
  to.last = more.last;
}

// Cards a second with so many threads, each with its own cards.
double throughput(const cards::Template& card, const cards::Brand& brand, const BenchParts& parts,
                  const std::shared_ptr<cards::PreparedParts>& kept, int count, int workers) {
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < workers; ++i) {
      threads.emplace_back([&] { measure_cards(card, brand, parts, true, count, kept); });
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return workers * count / elapsed.count();
}

Json steps_of(const Measured& measured) {
  Json steps = Json::object();
  for (const auto& [step, ms] : measured.steps) steps[step] = median(ms);
  return steps;
}

// Resident memory while so many cards are made, each with words of its own: after those that fill
// the caches, at the end, and the most of what was looked at in between.
Json memory_over(const cards::Template& card, const cards::Brand& brand, const BenchParts& parts,
                 int count) {
  // Small enough that it overflows at once.
  const auto kept = std::make_shared<cards::PreparedParts>(std::size_t{64} << 20);
  constexpr int kWarmUp = 500;
  constexpr int kStep = 500;
  make_stream(card, brand, parts, 0, kWarmUp, kept);
  const double before = resident_mib();
  double most = before;
  double after = before;
  for (int done = 0; done < count; done += kStep) {
    make_stream(card, brand, parts, kWarmUp + done, std::min(kStep, count - done), kept);
    after = resident_mib();
    most = std::max(most, after);
  }
  return {{"cards", count}, {"mib_before", before}, {"mib_after", after}, {"mib_most", most}};
}

Json measure(const Options& options) {
  const std::filesystem::path drawings = options.drawings;
  if (!std::filesystem::exists(drawings / "card.toml")) {
    fail(Cause::Usage, options.drawings, ": expected the drawings of the measured card; run in a ",
         "checkout, or name its bench/cards with --drawings");
  }
  const cards::Template card = cards::load_template(drawings / "card.toml");
  const cards::Brand brand = cards::load_brand(drawings / "brand.toml");
  const PartsFolder folder(options.folder);
  const BenchParts parts = write_bench_parts(drawings, std::filesystem::absolute(folder.path()));
  const auto kept = std::make_shared<cards::PreparedParts>();
  Measured fresh;
  Measured prepared;
  std::vector<Peer> others = peers(options);
  {
    const OneCore core;
    for (int round = 0; round < options.rounds; ++round) {
      add(fresh, measure_cards(card, brand, parts, true, options.cards, kept));
      add(prepared, measure_cards(card, brand, parts, false, options.cards, kept));
      for (Peer& peer : others) {
        const Json answer = run_peer(peer.command + " " + quoted(parts.folder.string()) + " " +
                                         std::to_string(options.cards),
                                     parts.folder / "complaints.txt");
        if (answer.contains("why")) {
          peer.why = answer.at("why").get<std::string>();
          continue;
        }
        peer.version = answer.at("version").get<std::string>();
        for (const Json& ms : answer.at("ms")) peer.ms.push_back(ms.get<double>());
      }
    }
  }
  write_atomically(parts.folder / "affiche.jpg", fresh.last);
  Json result = {{"machine", processor()},
                 {"cores", std::thread::hardware_concurrency()},
                 {"cards", fresh.ms.size()},
                 {"new_parts_ms", median(fresh.ms)},
                 {"prepared_parts_ms", median(prepared.ms)},
                 {"new_parts_steps", steps_of(fresh)},
                 {"prepared_parts_steps", steps_of(prepared)},
                 {"peers", Json::array()}};
  for (const Peer& peer : others) {
    Json entry = {{"name", peer.name}, {"at_hand", !peer.ms.empty()}};
    if (peer.ms.empty()) {
      entry["why"] = peer.why;
    } else {
      entry["version"] = peer.version;
      entry["ms"] = median(peer.ms);
      entry["new_parts_ratio"] = median(fresh.ms) / median(peer.ms);
      entry["prepared_parts_ratio"] = median(prepared.ms) / median(peer.ms);
    }
    result["peers"].push_back(entry);
  }
  std::vector<double> gains;
  for (int round = 0; round < options.rounds; ++round) {
    const double one = throughput(card, brand, parts, kept, options.cards, 1);
    gains.push_back(throughput(card, brand, parts, kept, options.cards, 2) / one);
  }
  result["two_workers_gain"] = median(gains);
  if (options.flat > 0) result["memory"] = memory_over(card, brand, parts, options.flat);
  return result;
}

void print_steps(const char* title, const Json& steps) {
  std::printf("\n%s\n", title);
  for (const auto& [step, ms] : steps.items()) {
    std::printf("  %-26s %7.2f ms\n", step.c_str(), ms.get<double>());
  }
}

void print_text(const Json& result) {
  std::printf("%s, %d cores; %d cards of 1200x630 as JPEG q85, one core, medians\n\n",
              result.at("machine").get<std::string>().c_str(), result.at("cores").get<int>(),
              result.at("cards").get<int>());
  std::printf("  %-26s %7s    new  prepared\n", "", "ms");
  std::printf("  %-26s %7.2f\n", "affiche, new parts", result.at("new_parts_ms").get<double>());
  std::printf("  %-26s %7.2f\n", "affiche, prepared parts",
              result.at("prepared_parts_ms").get<double>());
  for (const Json& peer : result.at("peers")) {
    const std::string title = peer.at("name").get<std::string>();
    if (!peer.at("at_hand").get<bool>()) {
      std::printf("  %-26s not at hand: %s\n", title.c_str(),
                  peer.at("why").get<std::string>().c_str());
      continue;
    }
    std::printf("  %-26s %7.2f  %5.2f  %8.3f   (affiche / peer; %s)\n", title.c_str(),
                peer.at("ms").get<double>(), peer.at("new_parts_ratio").get<double>(),
                peer.at("prepared_parts_ratio").get<double>(),
                peer.at("version").get<std::string>().c_str());
  }
  std::printf("\n  two workers make %.2f times the cards of one\n",
              result.at("two_workers_gain").get<double>());
  print_steps("steps, new parts", result.at("new_parts_steps"));
  print_steps("steps, prepared parts", result.at("prepared_parts_steps"));
  if (result.contains("memory")) {
    const Json& memory = result.at("memory");
    std::printf("\nresident memory: %.1f MiB, after %d more cards %.1f MiB, at most %.1f MiB\n",
                memory.at("mib_before").get<double>(), memory.at("cards").get<int>(),
                memory.at("mib_after").get<double>(), memory.at("mib_most").get<double>());
  }
}

void add_cards(CLI::App& bench, Shared& shared) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      bench.add_subcommand("cards", "one and the same card, by affiche and by its peers");
  command->add_option("--cards", options->cards, "of each in a round")
      ->check(CLI::Range(1, 100000));
  command->add_option("--rounds", options->rounds, "in turn")->check(CLI::Range(1, 100));
  command->add_option("--memory", options->flat, "also make so many cards and look at the memory")
      ->check(CLI::Range(0, 10000000));
  command->add_option("--python", options->python, "a Python that has Pillow");
  command->add_option("--node", options->node, "a Node.js");
  command->add_option("--modules", options->modules,
                      "folder whose node_modules has sharp, satori and @resvg/resvg-js");
  command->add_option("--drawings", options->drawings, "the card and the peers' programs");
  command->add_option("--folder", options->folder, "keep the parts and the last cards here");
  command->footer(
      "Of peers that are not at hand it says why.\n"
      "Example: affiche bench cards --python venv/bin/python --modules peers");
  command->callback([options, &shared] {
    shared.run = [options, &shared]() -> int {
      const Json result = measure(*options);
      if (shared.json) {
        std::puts(result.dump(2).c_str());
      } else {
        print_text(result);
      }
      return 0;
    };
  });
}

}  // namespace

void add_bench(CLI::App& app, Shared& shared) {
  CLI::App* bench = app.add_subcommand("bench", "measure this machine");
  bench->require_subcommand(1);
  bench->footer("Example: affiche bench cards");
  add_cards(*bench, shared);
  add_bench_model(*bench, shared);
}

}  // namespace affiche::cli

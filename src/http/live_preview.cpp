// SPDX-License-Identifier: Apache-2.0
#include "http/live_preview.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "cards/encode.h"
#include "http/live_page.h"
#include "http/watched_files.h"

namespace affiche::http {
namespace {

constexpr std::chrono::milliseconds kLook{250};  // between looks at the files
constexpr std::chrono::seconds kBeat{10};        // between signs of life to a page
constexpr int kMostListeners = 12;               // each holds a thread
constexpr int kThreads = 16;

// What the files hold now. When they are wrong: why, and what was good before.
struct Loaded {
  int version = 0;
  std::string error;
  std::optional<cards::Template> card;
  std::optional<cards::Brand> brand;
  std::vector<service::PreviewCase> cases;
};

struct Drawn {
  std::string jpeg;
  std::string layout;
  std::string error;  // in place of both
};

Json box_json(const cards::Box& box) {
  return {{"x", box.x}, {"y", box.y}, {"width", box.width}, {"height", box.height}};
}

std::string layout_json(const cards::Composed& made, const cards::Template& card) {
  Json layers = Json::array();
  for (const cards::LayerReport& layer : made.layers) {
    layers.push_back({{"name", layer.name},
                      {"box", box_json(layer.box)},
                      {"size", layer.size},
                      {"lines", layer.lines},
                      {"baselines", layer.baselines},
                      {"contrast", layer.contrast}});
  }
  return Json{{"width", card.width},
              {"height", card.height},
              {"safe", box_json(card.safe)},
              {"layers", layers}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A page of another site may send requests to loopback under a name of its own.
bool names_loopback(const std::string& host) {
  const std::string name = host.substr(0, host.rfind(':'));
  return name == "127.0.0.1" || name == "localhost";
}

std::optional<int> number(const httplib::Request& request, const char* key) {
  const std::string text = request.get_param_value(key);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

class LivePreview::Site {
 public:
  Site(LivePreviewFiles files, service::PreviewOptions preview)
      : files_(std::move(files)), preview_(std::move(preview)) {
    // Names without a folder are in the working folder.
    places_ = {std::filesystem::absolute(files_.card_template).parent_path(),
               std::filesystem::absolute(files_.brand).parent_path()};
    if (!files_.data.empty()) places_.push_back(files_.data);
    seen_ = state_of_files(places_);
    load();
    add_routes();
  }
  ~Site() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    server_.stop();
    if (listener_.joinable()) listener_.join();
    if (watcher_.joinable()) watcher_.join();
  }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  int start(int port) {
    const bool bound = port == 0 ? (port = server_.bind_to_any_port("127.0.0.1")) > 0
                                 : server_.bind_to_port("127.0.0.1", port);
    if (!bound) {
      fail(Cause::Unavailable, "preview: port ", port, " of 127.0.0.1 is taken; choose another ",
           "with --port");
    }
    listener_ = std::thread([this] { server_.listen_after_bind(); });
    watcher_ = std::thread([this] { watch(); });
    while (!server_.is_running()) std::this_thread::yield();
    return port;
  }

 private:
  void load() {
    Loaded next;
    next.version = loaded_ == nullptr ? 1 : loaded_->version + 1;
    try {
      next.card = cards::load_template(files_.card_template);
      next.brand = cards::load_brand(files_.brand);
      if (!files_.data.empty()) next.cases = service::data_cases(files_.data, *next.card);
      for (auto& each : service::preview_cases(*next.card, *next.brand, preview_.all)) {
        next.cases.push_back(std::move(each));
      }
    } catch (const std::exception& error) {
      next.error = error.what();
      // The page goes on to show what was good last.
      if (loaded_ != nullptr) {
        next.card = loaded_->card;
        next.brand = loaded_->brand;
        next.cases = loaded_->cases;
      }
    }
    const std::lock_guard lock(mutex_);
    loaded_ = std::make_shared<const Loaded>(std::move(next));
    drawn_.clear();
    changed_.notify_all();
  }

  void watch() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      changed_.wait_for(lock, kLook, [&] { return over_; });
      if (over_) return;
      lock.unlock();
      const std::uint64_t now = state_of_files(places_);
      if (now != seen_) {
        seen_ = now;
        load();
      }
      lock.lock();
    }
  }

  std::shared_ptr<const Loaded> loaded() const {
    const std::lock_guard lock(mutex_);
    return loaded_;
  }

  void add_routes() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_keep_alive_timeout(2);
    // The library would let two servers share a port.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& answer) {
      if (names_loopback(request.get_header_value("Host"))) {
        answer.set_header("X-Content-Type-Options", "nosniff");
        answer.set_header("Cache-Control", "no-store");
        return httplib::Server::HandlerResponse::Unhandled;
      }
      answer.status = 403;
      answer.set_content("expected the host 127.0.0.1 or localhost\n", "text/plain");
      return httplib::Server::HandlerResponse::Handled;
    });
    server_.Get("/", [](const httplib::Request&, httplib::Response& answer) {
      answer.set_header("Content-Security-Policy", kLivePolicy);
      answer.set_content(kLivePage, "text/html; charset=utf-8");
    });
    server_.Get("/state.json", [this](const httplib::Request&, httplib::Response& answer) {
      answer.set_content(state_json(), "application/json");
    });
    server_.Get("/card.jpg", [this](const httplib::Request& request, httplib::Response& answer) {
      answer_card(request, answer, &Drawn::jpeg, "image/jpeg");
    });
    server_.Get("/layout.json", [this](const httplib::Request& request, httplib::Response& answer) {
      answer_card(request, answer, &Drawn::layout, "application/json");
    });
    server_.Get("/events", [this](const httplib::Request& request, httplib::Response& answer) {
      answer_events(request, answer);
    });
  }

  std::string state_json() const {
    const auto now = loaded();
    Json sizes = Json::array();
    for (const std::string& name : now->card ? now->card->sizes() : std::vector<std::string>{}) {
      const cards::Template& one = now->card->at_size(name);
      sizes.push_back({{"name", name}, {"width", one.width}, {"height", one.height}});
    }
    Json cases = Json::array();
    for (const service::PreviewCase& each : now->cases) cases.push_back(each.name);
    return Json{{"version", now->version},
                {"error", now->error.empty() ? Json() : Json(now->error)},
                {"template", files_.card_template.stem().string()},
                {"brand", files_.brand.stem().string()},
                {"sizes", now->error.empty() || now->card ? sizes : Json::array()},
                {"cases", cases}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  void answer_card(const httplib::Request& request, httplib::Response& answer,
                   std::string Drawn::*part, const char* type) {
    const auto now = loaded();
    const std::optional<int> which = number(request, "case");
    const std::string size = request.get_param_value("size");
    const std::vector<std::string> sizes =
        now->card ? now->card->sizes() : std::vector<std::string>{};
    if (!which || *which < 0 || *which >= static_cast<int>(now->cases.size()) ||
        std::find(sizes.begin(), sizes.end(), size) == sizes.end()) {
      answer.status = 404;
      answer.set_content("no such card\n", "text/plain; charset=utf-8");
      return;
    }
    const std::shared_ptr<const Drawn> made = drawn(now, *which, size);
    if (!made->error.empty()) {
      answer.status = 422;
      answer.set_content(made->error, "text/plain; charset=utf-8");
      return;
    }
    answer.set_content((*made).*part, type);
  }

  // One card at a time: they share the processor with the editor.
  std::shared_ptr<const Drawn> drawn(const std::shared_ptr<const Loaded>& now, int which,
                                     const std::string& size) {
    const std::lock_guard one(drawing_);
    const std::string key = concat(now->version, " ", which, " ", size);
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = drawn_.find(key); found != drawn_.end()) return found->second;
    }
    Drawn made;
    try {
      const cards::Template& card = now->card->at_size(size);
      const cards::Composed composed =
          service::preview_card(card, *now->brand, now->cases[which], preview_);
      cards::EncodeOptions encoding;
      encoding.budget = 0;
      encoding.quality = 92;
      const Bytes jpeg = cards::encode(composed.image, cards::Format::Jpeg, encoding).bytes;
      made.jpeg.assign(jpeg.begin(), jpeg.end());
      made.layout = layout_json(composed, card);
    } catch (const std::exception& error) {
      made.error = error.what();
    }
    auto result = std::make_shared<const Drawn>(std::move(made));
    const std::lock_guard lock(mutex_);
    if (loaded_ == now) drawn_[key] = result;
    return result;
  }

  void answer_events(const httplib::Request& request, httplib::Response& answer) {
    if (++listeners_ > kMostListeners) {
      --listeners_;
      answer.status = 503;
      answer.set_content("too many pages are open\n", "text/plain");
      return;
    }
    auto told = std::make_shared<int>(number(request, "after").value_or(0));
    // What a browser asks for again after a break.
    const std::string last = request.get_header_value("Last-Event-ID");
    std::from_chars(last.data(), last.data() + last.size(), *told);
    answer.set_chunked_content_provider(
        "text/event-stream",
        [this, told](std::size_t, httplib::DataSink& sink) {
          std::string event = ": alive\n\n";
          {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, kBeat, [&] { return over_ || loaded_->version != *told; });
            if (over_) {
              sink.done();
              return true;
            }
            if (loaded_->version != *told) {
              *told = loaded_->version;
              event = concat("id: ", *told, "\ndata: ", *told, "\n\n");
            }
          }
          return sink.write(event.data(), event.size());
        },
        [this](bool) { --listeners_; });
  }

  const LivePreviewFiles files_;
  const service::PreviewOptions preview_;
  std::vector<std::filesystem::path> places_;
  std::uint64_t seen_ = 0;  // the watcher's
  std::mutex drawing_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::shared_ptr<const Loaded> loaded_;
  std::map<std::string, std::shared_ptr<const Drawn>> drawn_;  // of loaded_
  bool over_ = false;
  std::atomic<int> listeners_ = 0;
  httplib::Server server_;
  std::thread listener_;
  std::thread watcher_;
};

LivePreview::LivePreview(LivePreviewFiles files, service::PreviewOptions preview)
    : site_(std::make_unique<Site>(std::move(files), std::move(preview))) {}

LivePreview::~LivePreview() = default;

int LivePreview::start(int port) {
  return site_->start(port);
}

}  // namespace affiche::http

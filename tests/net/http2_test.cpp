// SPDX-License-Identifier: Apache-2.0
// HTTP/2, from nghttp2's own server, and many transfers over one connection.
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <thread>

#include "base/files.h"
#include "catch.h"
#include "net/http.h"
#include "net/multiplex.h"
#include "net/retry.h"
#include "net/server.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::net;
using namespace affiche::test;

namespace {

constexpr const char* kProgram = "/usr/sbin/nghttpd";
constexpr int kFiles = 12;
constexpr std::size_t kSize = 300'000;

// Signs itself, for "localhost".
void write_certificate(const std::filesystem::path& folder) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"),
                                                                &EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&X509_free)> x509{X509_new(), &X509_free};
  X509_set_version(x509.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
  X509_set_pubkey(x509.get(), key.get());
  X509_NAME* name = X509_get_subject_name(x509.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509.get(), name);
  for (const auto& [id, value] : {std::pair(NID_subject_alt_name, "DNS:localhost"),
                                  std::pair(NID_basic_constraints, "CA:TRUE")}) {
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension{
        X509V3_EXT_conf_nid(nullptr, nullptr, id, value), &X509_EXTENSION_free};
    X509_add_ext(x509.get(), extension.get(), -1);
  }
  X509_sign(x509.get(), key.get(), EVP_sha256());
  const auto file = [&](const char* leaf) {
    return std::unique_ptr<std::FILE, decltype(&std::fclose)>(
        std::fopen((folder / leaf).c_str(), "w"), &std::fclose);
  };
  PEM_write_PrivateKey(file("key.pem").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_X509(file("certificate.pem").get(), x509.get());
}

int free_port() {
  const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(one, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(one, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(one);
  return ntohs(address.sin_port);
}

// Files 0 … kFiles-1, each of its own noise.
class Http2Server {
 public:
  Http2Server() : port_(std::to_string(free_port())) {
    write_certificate(folder_.path());
    for (int i = 0; i < kFiles; ++i) {
      write_atomically(folder_ / "root" / std::to_string(i),
                       std::string_view(noise(kSize, static_cast<unsigned>(i + 1))));
    }
    std::array<std::string, 7> words = {kProgram,
                                        "--address=127.0.0.1",
                                        "-d",
                                        folder_ / "root",
                                        port_,
                                        folder_ / "key.pem",
                                        folder_ / "certificate.pem"};
    std::array<char*, 8> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    if (::posix_spawn(&child_, kProgram, &files, nullptr, arguments.data(), environ) != 0) {
      fail(Cause::Internal, kProgram, ": does not start");
    }
    posix_spawn_file_actions_destroy(&files);
  }
  ~Http2Server() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  Request request(int file) const {
    Request made;
    made.url = "https://localhost:" + port_ + "/" + std::to_string(file);
    made.reach = Reach::Named;
    return made;
  }
  ClientOptions options(std::shared_ptr<Multiplex> together) const {
    ClientOptions made{"affiche/test", ""};
    made.together = std::move(together);
    made.authorities = folder_ / "certificate.pem";
    return made;
  }

 private:
  TemporaryFolder folder_;
  std::string port_;
  pid_t child_ = -1;
};

const Pace kPatient{40, milliseconds(50), milliseconds(200)};  // until the server is up

}  // namespace

TEST_CASE("many files at once come over one HTTP/2 connection", "[net][http2]") {
  if (!std::filesystem::exists(kProgram)) {
    WARN("skipped: nghttpd of the package nghttp2-server is not installed");
    return;
  }
  const Http2Server server;
  const auto together = std::make_shared<Multiplex>();
  {
    Client first(server.options(together));
    Response response;
    CHECK(get_text(first, server.request(0), kPatient, response) == noise(kSize, 1));
    CHECK(response.http2);
    CHECK(response.connections == 1);
  }
  std::array<Response, kFiles> responses;
  std::array<bool, kFiles> right{};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kFiles; ++i) {
      threads.emplace_back([&, i] {
        Client client(server.options(together));
        const auto place = static_cast<std::size_t>(i);
        right[place] = get_text(client, server.request(i), kPatient, responses[place]) ==
                       noise(kSize, static_cast<unsigned>(i + 1));
      });
    }
  }
  int opened = 0;
  for (std::size_t i = 0; i < kFiles; ++i) {
    CHECK(right[i]);
    CHECK(responses[i].http2);
    opened += responses[i].connections;
  }
  CHECK(opened == 0);  // the first one's is there
}

TEST_CASE("transfers that share a thread fail, stop and end each by itself", "[net][http2]") {
  Server server;
  server.get("/fine/\\d+", [](const Question&, Reply& answer) {
    answer.set_content(noise(50'000), "text/plain");
  });
  server.get("/drip", [](const Question&, Reply& answer) {
    answer.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return sink.write("x", 1);
    });
  });
  const auto together = std::make_shared<Multiplex>();
  const auto ask = [&](const std::string& path, std::uint64_t most, std::stop_token stop) {
    ClientOptions options{"affiche/test", ""};
    options.together = together;
    Client client(options);
    Request request;
    request.url = server.url(path);
    request.reach = Reach::Named;
    request.plain_loopback = true;
    request.limits.bytes = most;
    Response response;
    return get_text(client, request, {1, milliseconds(1)}, response, stop);
  };
  std::stop_source stop;
  std::string stopped, large;
  std::array<std::string, 8> fine;
  {
    std::vector<std::jthread> threads;
    threads.emplace_back(
        [&] { stopped = thrown([&] { ask("/drip", 1 << 20, stop.get_token()); }); });
    threads.emplace_back([&] { large = thrown([&] { ask("/fine/99", 1'000, {}); }); });
    for (std::size_t i = 0; i < fine.size(); ++i) {
      threads.emplace_back([&, i] { fine[i] = ask("/fine/" + std::to_string(i), 1 << 20, {}); });
    }
    while (server.count("/drip") == 0) std::this_thread::yield();
    stop.request_stop();
  }
  for (const std::string& text : fine) CHECK(text == noise(50'000));
  CHECK(contains(stopped, "cancelled: "));
  CHECK(contains(large, "refused: "));
}

TEST_CASE("a form is told once, and to nobody whom the server names", "[net]") {
  Server server;
  std::string body, type;
  server.post("/token", [&](const Question& question, Reply& answer) {
    body = question.body;
    type = question.get_header_value("Content-Type");
    answer.set_content("{}", "application/json");
  });
  server.post("/moved", [](const Question&, Reply& answer) { answer.set_redirect("/token"); });
  Client client({"affiche/test", ""});
  Request request;
  request.reach = Reach::Named;
  request.plain_loopback = true;
  request.form = "grant_type=client_credentials&client_secret=s";
  request.url = server.url("/moved");
  Response response;
  CHECK(contains(thrown([&] { get_text(client, request, {}, response); }),
                 "refused: " + server.url("/moved") + ": expected an answer to a form"));
  CHECK(body.empty());
  request.url = server.url("/token");
  CHECK(get_text(client, request, {}, response) == "{}");
  CHECK(body == request.form);
  CHECK(contains(type, "application/x-www-form-urlencoded"));
  // And the next question of the same client is a GET again.
  server.get("/plain",
             [](const Question&, Reply& answer) { answer.set_content("p", "text/plain"); });
  request.form.clear();
  request.url = server.url("/plain");
  CHECK(get_text(client, request, {}, response) == "p");
}

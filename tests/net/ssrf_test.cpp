// SPDX-License-Identifier: Apache-2.0
// Server-side request forgery: URLs and DNS answers from outside that lead to what only this
// machine or its network can reach. Everything else is allowed in these requests, so that it is the
// address that refuses them; and the servers say that nothing came.
#include <array>

#include "catch.h"
#include "net/http.h"
#include "net/multiplex.h"
#include "net/retry.h"
#include "net/server.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::net;
using affiche::test::contains;
using affiche::test::Question;
using affiche::test::Reply;
using affiche::test::Server;
using affiche::test::thrown;

namespace {

const Pace kOnce{1, milliseconds(1), milliseconds(1), milliseconds(1)};

Request foreign(const std::string& url) {
  Request request;
  request.url = url;
  request.plain_http = true;
  request.limits.connect = milliseconds(2'000);
  return request;
}

std::string error_of(Client& client, const Request& request) {
  Response response;
  return thrown([&] { get_text(client, request, kOnce, response); });
}

// Stands in for a server of the public Internet: tests have none.
const std::string kPublic = "127.0.0.2";

ClientOptions with_public(std::vector<std::string> resolve) {
  ClientOptions options{"affiche/test", "", std::move(resolve), {}};
  options.network_of = [](const std::string& address) {
    return address == kPublic ? Network::Public : network_of(address);
  };
  return options;
}

std::string port_of(const Server& server) {
  const std::string url = server.url("");
  return url.substr(url.rfind(':') + 1);
}

}  // namespace

TEST_CASE("no spelling of a private address is connected to", "[net][ssrf]") {
  Server server;
  server.get(".*", [](const Question&, Reply& answer) { answer.set_content("secret", "text"); });
  const std::string port = ":" + port_of(server);
  const std::vector<std::string> loopback = {"127.0.0.1",
                                             "127.1",
                                             "127.0.1",
                                             "127.255.255.254",
                                             "0x7f000001",
                                             "0x7f.0.0.1",
                                             "0x7f.0x0.0x0.0x1",
                                             "0177.0.0.1",
                                             "0177.0.0.01",
                                             "017700000001",
                                             "2130706433",
                                             "localhost",
                                             "LOCALHOST",
                                             "localhost.",
                                             "0",
                                             "0.0.0.0",
                                             "0x0",
                                             "00.0.0.0",
                                             "[::1]",
                                             "[0:0:0:0:0:0:0:1]",
                                             "[0000::0001]",
                                             "[::]",
                                             "[::127.0.0.1]",
                                             "[::7f00:1]",
                                             "[::ffff:127.0.0.1]",
                                             "[::ffff:7f00:1]",
                                             "[0:0:0:0:0:ffff:7f00:1]",
                                             "[::ffff:0:127.0.0.1]",
                                             "[64:ff9b::7f00:1]",
                                             "[64:ff9b::127.0.0.1]",
                                             "[64:ff9b:1::7f00:1]",
                                             "[2002:7f00:1::]",
                                             "[2002:7f00:1::1]",
                                             "[2001:0:7f00:1::]",
                                             "%31%32%37.0.0.1",
                                             "127。0。0。1",
                                             "①②⑦.0.0.1"};
  const std::vector<std::string> others = {"10.0.0.1",
                                           "10.255.255.255",
                                           "167772161",
                                           "172.16.0.1",
                                           "172.31.255.254",
                                           "192.168.0.1",
                                           "192.168.1",
                                           "0xc0a80001",
                                           "169.254.169.254",
                                           "0xa9fea9fe",
                                           "2852039166",
                                           "0251.0376.0251.0376",
                                           "169.254.43518",
                                           "100.64.0.1",
                                           "100.127.255.254",
                                           "192.0.0.1",
                                           "192.0.2.1",
                                           "192.88.99.1",
                                           "198.18.0.1",
                                           "198.19.255.255",
                                           "198.51.100.1",
                                           "203.0.113.1",
                                           "224.0.0.1",
                                           "239.255.255.255",
                                           "240.0.0.1",
                                           "255.255.255.255",
                                           "[fc00::1]",
                                           "[fd00:ec2::254]",
                                           "[fe80::1]",
                                           "[fec0::1]",
                                           "[ff02::1]",
                                           "[::ffff:10.0.0.1]",
                                           "[::ffff:a9fe:a9fe]",
                                           "[64:ff9b::a9fe:a9fe]",
                                           "[64:ff9b::10.0.0.1]",
                                           "[2002:a9fe:a9fe::1]",
                                           "[2002:c0a8:1::1]",
                                           "[2002:a00:1::]",
                                           "[2001::1]",
                                           "[2001:db8::1]",
                                           "[2001:20::1]",
                                           "[2001:2::1]",
                                           "[3fff::1]",
                                           "[100::1]",
                                           "[5f00::1]",
                                           "[2606:4700::5efe:10.0.0.1]",
                                           "[2606:4700::200:5efe:a9fe:a9fe]"};
  Client client({"affiche/test", "", {}, {}});
  std::size_t refused = 0;
  for (const auto* list : {&loopback, &others}) {
    for (const std::string& host : *list) {
      for (const char* scheme : {"http://", "https://"}) {
        const std::string url = scheme + host + port + "/latest/meta-data/";
        const std::string error = error_of(client, foreign(url));
        INFO(url << ": " << error);
        // A name that is no name at all may fail as such; it never connects.
        const bool by_address = contains(error, "refused: ") && contains(error, "public address");
        const bool by_name = contains(error, "bad_input: ") || contains(error, "resolve host");
        CHECK((by_address || by_name));
        if (by_address) ++refused;
      }
    }
  }
  CHECK(refused >= 2 * (loopback.size() + others.size() - 4));
  CHECK(server.asked().empty());
}

TEST_CASE("no name leads to a private address, whatever its DNS answer", "[net][ssrf]") {
  Server server;
  server.get(".*", [](const Question&, Reply& answer) { answer.set_content("secret", "text"); });
  const std::string port = port_of(server);
  const std::vector<std::string> answers = {"127.0.0.1",
                                            "127.0.0.53",
                                            "0.0.0.0",
                                            "10.1.2.3",
                                            "172.20.0.1",
                                            "192.168.178.1",
                                            "169.254.169.254",
                                            "100.100.100.200",
                                            "192.0.0.192",
                                            "198.18.5.5",
                                            "224.0.0.251",
                                            "255.255.255.255",
                                            "[::1]",
                                            "[::]",
                                            "[::ffff:127.0.0.1]",
                                            "[::ffff:192.168.0.1]",
                                            "[fd00:ec2::254]",
                                            "[fe80::1]",
                                            "[64:ff9b::7f00:1]",
                                            "[2002:7f00:1::]",
                                            "[2001:0:1::]",
                                            "10.0.0.1,127.0.0.1",
                                            "[::1],127.0.0.1",
                                            "[fd00::1],[::ffff:127.0.0.1],127.0.0.1"};
  for (const std::string& answer : answers) {
    for (const bool together : {false, true}) {
      ClientOptions options{"affiche/test", "", {"photos.example.org:" + port + ":" + answer}, {}};
      if (together) options.together = std::make_shared<Multiplex>();
      Client client(options);
      const std::string error =
          error_of(client, foreign("http://photos.example.org:" + port + "/a.jpg"));
      INFO(answer << ": " << error);
      CHECK(contains(error, "refused: http://photos.example.org"));
      CHECK(contains(error, "public address"));
    }
  }
  CHECK(server.asked().empty());
}

TEST_CASE("a name that changes its address between two requests is refused", "[net][ssrf]") {
  Server server;  // listens on 127.0.0.1 only
  server.get(".*", [](const Question&, Reply& answer) { answer.set_content("secret", "text"); });
  httplib::Server outside;
  int asked = 0;
  outside.Get("/.*", [&](const Question&, Reply& answer) {
    ++asked;
    answer.set_content("picture", "text");
    answer.set_header("Connection", "close");
  });
  const int port = std::stoi(port_of(server));
  REQUIRE(outside.bind_to_port(kPublic, port));
  std::thread thread([&] { outside.listen_after_bind(); });
  while (!outside.is_running()) std::this_thread::yield();

  const std::string name = "rebind.example.org:" + std::to_string(port);
  const Request request = foreign("http://" + name + "/a.jpg");
  Response response;
  Client before(with_public({name + ":" + kPublic}));
  CHECK(get_text(before, request, kOnce, response) == "picture");
  Client after(with_public({name + ":127.0.0.1"}));
  CHECK(contains(error_of(after, request), "public address"));
  // Both in one answer: the private one is not even tried when the public one is there.
  Client both(with_public({name + ":127.0.0.1," + kPublic}));
  error_of(both, request);  // may find the public one or give up
  outside.stop();
  thread.join();
  CHECK(asked >= 1);
  CHECK(server.asked().empty());
}

TEST_CASE("a redirect from the Internet into this machine is refused", "[net][ssrf]") {
  Server server;
  server.get(".*", [](const Question&, Reply& answer) { answer.set_content("secret", "text"); });
  const std::string port = port_of(server);
  const std::vector<std::string> targets = {server.url("/admin"),
                                            "http://localhost:" + port + "/",
                                            "http://[::ffff:127.0.0.1]:" + port,
                                            "http://2130706433:" + port + "/",
                                            "http://0:" + port + "/",
                                            "http://169.254.169.254/",
                                            "http://inside.example.org:" + port + "/",
                                            "//127.0.0.1:" + port + "/",
                                            "file:///etc/passwd",
                                            "gopher://127.0.0.1:" + port + "/_x",
                                            "ftp://127.0.0.1/",
                                            "dict://127.0.0.1:" + port + "/",
                                            "http://user:pass@127.0.0.1:" + port + "/"};
  httplib::Server outside;
  std::atomic<std::size_t> index = 0;
  outside.Get("/.*", [&](const Question&, Reply& answer) {
    answer.status = 302;
    answer.set_header("Location", targets[index]);
  });
  const int own = outside.bind_to_any_port(kPublic);
  std::thread thread([&] { outside.listen_after_bind(); });
  while (!outside.is_running()) std::this_thread::yield();

  const std::string name = "evil.example.org:" + std::to_string(own);
  std::vector<std::string> errors;
  for (index = 0; index < targets.size(); ++index) {
    Client client(with_public({name + ":" + kPublic, "inside.example.org:" + port + ":127.0.0.1"}));
    Request request = foreign("http://" + name + "/a.jpg");
    // Not even a server that the operator named may be reached by somebody else's redirect.
    request.named = {"127.0.0.1:" + port, "localhost:" + port};
    errors.push_back(error_of(client, request));
  }
  outside.stop();
  thread.join();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    INFO(targets[i] << ": " << errors[i]);
    CHECK((contains(errors[i], "refused: ") || contains(errors[i], "bad_input: ")));
  }
  CHECK(server.asked().empty());
}

TEST_CASE("a provider's files come from its hosts and ports only", "[net][ssrf]") {
  Server server;
  server.get("/hop", [&](const Question&, Reply& answer) {
    answer.status = 302;
    answer.set_header("Location", "http://localhost:" + port_of(server) + "/file");
  });
  server.get("/file", [](const Question&, Reply& answer) { answer.set_content("file", "text"); });
  const std::string here = "127.0.0.1:" + port_of(server);
  Client client({"affiche/test", "", {}, {}});
  Response response;

  Request request = foreign(server.url("/file"));
  request.standard_ports = true;
  request.named = {here};
  CHECK(get_text(client, request, kOnce, response) == "file");
  request.hosts = {"upload.example.org", ".static.example.org"};
  CHECK(contains(error_of(client, request), "expected a host such as upload.example.org"));
  request.hosts = {"127.0.0.1"};
  CHECK(get_text(client, request, kOnce, response) == "file");
  request.url = server.url("/hop");
  CHECK(contains(error_of(client, request), "redirect:"));
  CHECK(server.count("/file") == 2);

  for (const char* url :
       {"https://upload.example.org:22/", "https://upload.example.org:8443/",
        "https://upload.example.org.evil.org/", "https://evil-static.example.org/",
        "https://upload.example.org@127.0.0.1/", "https://127.0.0.1\\@upload.example.org/",
        "https://upload.example.org%2f@127.0.0.1/", "ftp://upload.example.org/",
        "https://127.0.0.1#upload.example.org", "https://127.0.0.1?.static.example.org"}) {
    Request strict;
    strict.url = url;
    strict.standard_ports = true;
    strict.hosts = {"upload.example.org", ".static.example.org"};
    const std::string error = error_of(client, strict);
    INFO(url << ": " << error);
    CHECK((contains(error, "refused: ") || contains(error, "bad_input: ")));
  }
}

TEST_CASE("all hops together have one limit of time", "[net]") {
  Server server;
  server.get("/loop/(\\d+)", [&](const Question& question, Reply& answer) {
    std::this_thread::sleep_for(milliseconds(30));
    answer.status = 302;
    answer.set_header("Location", "/loop/" + question.matches[1].str() + "1");
  });
  Request request = foreign(server.url("/loop/1"));
  request.named = {"127.0.0.1:" + port_of(server)};
  request.limits.redirects = 1'000;
  request.limits.whole = milliseconds(200);
  Client client({"affiche/test", "", {}, {}});
  CHECK(contains(error_of(client, request), "within 200 ms in all"));
  CHECK(server.asked().size() < 20);
}

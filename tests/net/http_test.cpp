// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include "catch.h"
#include "net/address.h"
#include "net/retry.h"
#include "net/server.h"
#include "net/url.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::net;
using affiche::test::contains;
using affiche::test::Question;
using affiche::test::Reply;
using affiche::test::Server;
using affiche::test::thrown;

namespace {

const Pace kFast{3, milliseconds(1), milliseconds(5), milliseconds(2'000)};

Request local(const std::string& url) {
  Request request;
  request.url = url;
  request.reach = Reach::Named;
  request.plain_loopback = true;
  return request;
}

struct Fixture {
  Server server;
  Client client{{"affiche/test", ""}};
  Response response;
  std::string text(const Request& request, Pace pace = kFast) {
    return get_text(client, request, pace, response);
  }
  std::string error(const Request& request, Pace pace = kFast) {
    return thrown([&] { text(request, pace); });
  }
};

}  // namespace

TEST_CASE("addresses are judged by where they lead, not by how they are written", "[net]") {
  for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    INFO(text);
    CHECK(network_of(std::string(text)) == Network::Loopback);
  }
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.1.2.3",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "100.127.255.255",
                           "192.0.0.8",
                           "198.18.0.1",
                           "198.19.255.255",
                           "224.0.0.1",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "fc00::1",
                           "fd12::1",
                           "fe80::1",
                           "fe80::1%eth0",
                           "ff02::1",
                           "::ffff:10.0.0.1",
                           "::ffff:192.168.0.1",
                           "64:ff9b::a00:1",
                           "64:ff9b::7f00:1",
                           "2002:a00:1::",
                           "2002:7f00:1::",
                           "2001::1",
                           "2001:db8::1",
                           "::7f00:1",
                           "not an address",
                           ""}) {
    INFO(text);
    CHECK(network_of(std::string(text)) == Network::Private);
  }
  for (const char* text :
       {"1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "192.169.0.1",
        "198.17.0.1", "198.20.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255",
        "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"}) {
    INFO(text);
    CHECK(network_of(std::string(text)) == Network::Public);
  }
}

TEST_CASE("a URL in a message has neither query nor password nor control characters", "[net]") {
  CHECK(shown("https://a.org/b?X-Amz-Signature=secret#f") == "https://a.org/b");
  CHECK(shown("https://me:secret@a.org/b?c") == "https://a.org/b");
  CHECK(shown("https://a.org/\x1b[31m") == "https://a.org/ [31m");
  CHECK(shown("https://a.org?token=secret") == "https://a.org");
  CHECK(shown("no url at all") == "no url at all");
  CHECK(contains(thrown([] { parse_url("https://me:secret@a.org/", "endpoint"); }),
                 "bad_input: endpoint: https://a.org/: expected a URL without user name"));
  for (const char* text :
       {"", "a.org/b", "https://", "https://a b/", "https://a/\r\nX: y", "//a"}) {
    INFO(text);
    CHECK(thrown([&] { parse_url(text, "URL"); }).starts_with("bad_input: URL: expected a URL"));
  }
  CHECK(parse_url("https://a.org/b#c", "URL").text == "https://a.org/b");
  CHECK(parse_url("HTTPS://A.Org/b", "URL").origin() == "https://a.org:443");
  CHECK(parse_url("https://a.org", "URL").origin() == "https://a.org:443");
  CHECK(escaped("a b/ü?") == "a%20b%2F%C3%BC%3F");
}

TEST_CASE("a text comes with its headers, and the server sees who asks", "[net]") {
  Fixture f;
  f.server.get("/hello", [](const Question&, Reply& answer) {
    answer.set_header("X-Error-Code", " none ");
    answer.set_content("good day", "text/plain");
  });
  CHECK(f.text(local(f.server.url("/hello"))) == "good day");
  CHECK(f.response.status == 200);
  CHECK(f.response.header("x-error-code") == "none");
  CHECK(f.response.length() == 8U);
  CHECK(f.server.asked()[0].agent == "affiche/test");
}

TEST_CASE("plain http is refused unless it was allowed and stays on this machine", "[net]") {
  Fixture f;
  f.server.get("/", [](const Question&, Reply& answer) { answer.set_content("x", "text/plain"); });
  Request request = local(f.server.url("/"));
  request.plain_loopback = false;
  CHECK(contains(f.error(request), "refused: http://127.0.0.1"));
  CHECK(contains(f.error(request), "expected https://, found http://"));
  CHECK(contains(f.error(local("http://example.org/")), "expected https://"));
  // The name says loopback, the address does not.
  CHECK(contains(f.error(local("http://127.0.0.1.example.invalid/")), "unavailable"));
  CHECK(contains(f.error(local("ftp://127.0.0.1/")), "expected https://, found ftp://"));
  CHECK(f.server.asked().empty());
}

TEST_CASE("an address of this machine is refused to URLs from outside", "[net]") {
  Fixture f;
  f.server.get("/", [](const Question&, Reply& answer) { answer.set_content("x", "text/plain"); });
  Request request = local(f.server.url("/"));
  CHECK(f.text(request) == "x");
  request.reach = Reach::Public;  // also over the connection that is open from the line before
  CHECK(contains(f.error(request), "refused: "));
  CHECK(contains(f.error(request), "expected a public address, found one of this machine"));
  Fixture fresh;
  CHECK(contains(fresh.error(request), "expected a public address"));
  CHECK(f.server.asked().size() == 1);
}

TEST_CASE("redirects are followed to the end, and the token stays with its host", "[net]") {
  Fixture f;
  Server other;
  f.server.get("/a", [](const Question&, Reply& answer) { answer.set_redirect("/b?x=1", 302); });
  f.server.get("/b", [&](const Question&, Reply& answer) {
    answer.set_redirect(other.url("/c?signature=s"), 307);
  });
  other.get("/c", [&](const Question&, Reply& answer) { answer.set_redirect(f.server.url("/d")); });
  f.server.get("/d",
               [](const Question&, Reply& answer) { answer.set_content("end", "text/plain"); });
  Request request = local(f.server.url("/a"));
  request.token = "secret";
  CHECK(f.text(request) == "end");
  CHECK(f.response.url == f.server.url("/d"));
  REQUIRE(f.server.asked().size() == 3);
  for (const auto& asked : f.server.asked()) CHECK(asked.token == "Bearer secret");
  REQUIRE(other.asked().size() == 1);
  CHECK(other.asked()[0].token.empty());
}

TEST_CASE("the same server under another name is another host to the token", "[net]") {
  Fixture f;
  f.server.get("/a", [&](const Question&, Reply& answer) {
    answer.set_redirect(f.server.url("/b", "localhost"));
  });
  f.server.get("/b", [](const Question&, Reply& answer) { answer.set_content("x", "text/plain"); });
  Request request = local(f.server.url("/a"));
  request.token = "secret";
  CHECK(f.text(request) == "x");
  CHECK(f.server.asked()[1].token.empty());
}

TEST_CASE("redirects that loop or leave https end in an error without their query", "[net]") {
  Fixture f;
  std::string to;
  f.server.get("/loop", [](const Question&, Reply& answer) {
    answer.set_redirect("/loop?signature=secret");
  });
  f.server.get("/to", [&](const Question&, Reply& answer) { answer.set_redirect(to); });
  const std::string loop = f.error(local(f.server.url("/loop")));
  CHECK(contains(loop, "refused: " + f.server.url("/loop") + ": expected at most 5 redirects"));
  CHECK(!contains(loop, "secret"));
  CHECK(f.server.count("/loop") == 6);
  for (const char* target :
       {"file:///etc/passwd", "ftp://127.0.0.1/x", "http://example.org/?secret",
        "gopher://127.0.0.1:25/x", "HTTP://10.0.0.1/"}) {
    to = target;
    const std::string error = f.error(local(f.server.url("/to")));
    INFO(error);
    CHECK(contains(error, "refused: "));
    CHECK(contains(error, "redirect: expected https://"));
    CHECK(!contains(error, "secret"));
  }
}

TEST_CASE("what is larger than the limit is not read on", "[net]") {
  Fixture f;
  f.server.get("/told", [](const Question&, Reply& answer) {
    answer.set_content(std::string(5000, 'x'), "text/plain");
  });
  f.server.get("/chunks", [](const Question&, Reply& answer) {
    answer.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
      return sink.write(std::string(1000, 'x').data(), 1000);  // for ever
    });
  });
  f.server.get("/wrong", [](const Question&, Reply& answer) {
    answer.status = 404;
    answer.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
      return sink.write(std::string(1000, 'x').data(), 1000);
    });
  });
  for (const char* path : {"/told", "/chunks"}) {
    Request request = local(f.server.url(path));
    request.limits.bytes = 4999;
    const std::string error = f.error(request);
    INFO(error);
    CHECK(contains(error, "refused: " + f.server.url(path) + ": expected at most 4999 bytes"));
  }
  CHECK(contains(f.error(local(f.server.url("/wrong"))), "answered 404 with more than"));
}

TEST_CASE("a busy server is asked again after the time that it named", "[net]") {
  Fixture f;
  int asked = 0;
  f.server.get("/", [&](const Question&, Reply& answer) {
    if (++asked == 1) {
      answer.status = 429;
      answer.set_header("Retry-After", "0");
    } else if (asked == 2) {
      answer.status = 503;
    } else {
      answer.set_content("now", "text/plain");
    }
  });
  CHECK(f.text(local(f.server.url("/"))) == "now");
  CHECK(asked == 3);
}

TEST_CASE("retries end, and a server that wants a long pause is not waited for", "[net]") {
  Fixture f;
  f.server.get("/down", [](const Question&, Reply& answer) { answer.status = 502; });
  f.server.get("/long", [](const Question&, Reply& answer) {
    answer.status = 429;
    answer.set_header("Retry-After", "3600");
  });
  CHECK(f.error(local(f.server.url("/down?secret"))) ==
        "unavailable: " + f.server.url("/down") +
            ": answered 502; given up after 3 attempts, try again later");
  CHECK(f.server.count("/down") == 3);
  CHECK(contains(f.error(local(f.server.url("/long"))), "asks to come back in 3600 s"));
  CHECK(f.server.count("/long") == 1);
}

TEST_CASE("other answers are returned with the start of what they say", "[net]") {
  Fixture f;
  f.server.get("/gone", [](const Question&, Reply& answer) {
    answer.status = 404;
    answer.set_content("no such thing", "text/plain");
  });
  CHECK(f.text(local(f.server.url("/gone"))).empty());
  CHECK(f.response.status == 404);
  CHECK(f.response.problem == "no such thing");
}

TEST_CASE("a body that came encoded although nobody asked is refused", "[net]") {
  Fixture f;
  f.server.get("/", [](const Question&, Reply& answer) {
    answer.set_header("Content-Encoding", "gzip");
    answer.set_content("not really", "application/json");
  });
  CHECK(contains(f.error(local(f.server.url("/"))), "bad_input: "));
}

TEST_CASE("a header with a line break is not sent", "[net]") {
  Fixture f;
  Request request = local(f.server.url("/"));
  request.headers["X-Name"] = "a\r\nX-Other: b";
  CHECK(contains(f.error(request), "usage: HTTP header X-Name: expected one line"));
  request.headers.clear();
  request.token = "a\r\nX-Other: b";
  CHECK(contains(f.error(request), "usage: HTTP header Authorization: expected one line"));
  CHECK(f.server.asked().empty());
}

TEST_CASE("a request to stop ends a transfer and a pause", "[net]") {
  Fixture f;
  std::stop_source source;
  f.server.get("/drip", [&](const Question&, Reply& answer) {
    answer.set_chunked_content_provider("text/plain", [&](std::size_t, httplib::DataSink& sink) {
      source.request_stop();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return sink.write("x", 1);
    });
  });
  f.server.get("/down", [&](const Question&, Reply& answer) {
    answer.status = 503;
    source.request_stop();
  });
  CHECK(contains(thrown([&] {
                   get_text(f.client, local(f.server.url("/drip")), kFast, f.response,
                            source.get_token());
                 }),
                 "cancelled: "));
  source = std::stop_source();
  const Pace slow{5, milliseconds(600'000), milliseconds(600'000), milliseconds(600'000)};
  CHECK(contains(thrown([&] {
                   get_text(f.client, local(f.server.url("/down")), slow, f.response,
                            source.get_token());
                 }),
                 "cancelled: "));
}

TEST_CASE("a drip that is too slow is given up", "[net]") {
  Fixture f;
  f.server.get("/", [](const Question&, Reply& answer) {
    answer.set_chunked_content_provider("text/plain", [](std::size_t, httplib::DataSink& sink) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      return sink.write("x", 1);
    });
  });
  Request request = local(f.server.url("/"));
  request.limits.low_speed_for = std::chrono::seconds(1);
  const std::string error = f.error(request, {1, milliseconds(1)});
  INFO(error);
  CHECK(contains(error, "unavailable: "));
  CHECK(contains(error, "expected at least 1024 bytes a second over 1 s"));
}

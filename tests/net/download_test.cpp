// SPDX-License-Identifier: Apache-2.0
#include "net/download.h"

#include "base/files.h"
#include "base/sha256.h"
#include "catch.h"
#include "net/server.h"
#include "net/url.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::net;
using namespace affiche::test;

namespace {

const Pace kFast{3, milliseconds(1), milliseconds(5), milliseconds(2'000)};
const std::string kContent = noise(300'000);

struct Fixture {
  TemporaryFolder folder;
  Server server;
  Client client{{"affiche/test", ""}};
  std::filesystem::path partial = folder / "file.part";
  Expected expected{kContent.size(), sha256_hex(kContent), ""};
  std::uint64_t last = 0;

  Downloaded run(std::uint64_t limit = 1 << 20) {
    Request request;
    request.url = server.url("/file?signature=secret");
    request.reach = Reach::Named;
    request.plain_loopback = true;
    request.limits.bytes = limit;
    return download(client, request, partial, expected, kFast,
                    [this](std::uint64_t there, const auto&) { last = there; });
  }
  std::string error(std::uint64_t limit = 1 << 20) {
    return thrown([&] { run(limit); });
  }
  // What a run that was cut off left behind.
  void leave(const std::string& bytes, const std::string& tag) {
    write_atomically(partial, bytes);
    if (!tag.empty()) write_atomically(folder / "file.part.etag", tag);
  }
  void require_whole() {
    REQUIRE(read_text(partial) == kContent);
    REQUIRE(!std::filesystem::exists(folder / "file.part.etag"));
  }
};

}  // namespace

TEST_CASE("a file comes whole, with its hash", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, kContent); });
  const Downloaded got = f.run();
  f.require_whole();
  CHECK(got.status == 200);
  CHECK(got.sha256 == f.expected.sha256);
  CHECK(got.received == kContent.size());
  CHECK(f.last == kContent.size());
  CHECK(!got.resumed);
  CHECK(f.server.asked()[0].range.empty());
}

TEST_CASE("what came before is not fetched again", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, kContent); });
  f.leave(kContent.substr(0, 200'000), "\"v1\"");
  const Downloaded got = f.run();
  f.require_whole();
  CHECK(got.status == 206);
  CHECK(got.received == 100'000);
  CHECK(got.resumed);
  CHECK(f.server.asked()[0].range == "bytes=200000-");
  CHECK(f.server.asked()[0].if_range == "\"v1\"");
}

TEST_CASE("a file that was whole already costs no request", "[net]") {
  Fixture f;
  f.leave(kContent, "\"v1\"");
  CHECK(f.run().status == 0);
  f.require_whole();
  CHECK(f.server.asked().empty());
}

TEST_CASE("a broken connection is continued where it broke", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { break_after(q, a, kContent, 100'000); });
  const Downloaded got = f.run();
  f.require_whole();
  CHECK(got.received == kContent.size());
  CHECK(f.server.asked().size() >= 3);  // each broken attempt got somewhere: none is the last
}

TEST_CASE("a server that ignores Range sends everything, and it is taken", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) {
    const_cast<Question&>(q).ranges.clear();
    give_file(q, a, kContent);
  });
  f.leave(kContent.substr(0, 200'000), "\"v1\"");
  CHECK(f.run().received == kContent.size());
  f.require_whole();
}

TEST_CASE("a file that changed meanwhile is fetched anew", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, kContent, "\"v2\""); });
  f.leave(noise(200'000, 9), "\"v1\"");
  CHECK(f.run().received == kContent.size());
  f.require_whole();
}

TEST_CASE("a changed file is noticed even when the server ignores If-Range", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) {
    a.set_header("ETag", "\"v2\"");
    a.set_content(kContent, "application/octet-stream");
    static_cast<void>(q);
  });
  f.expected.sha256.clear();  // the tags alone must tell
  f.leave(noise(200'000, 9), "\"v1\"");
  f.run();
  f.require_whole();
}

TEST_CASE("pieces that do not fit together are fetched once more in one go", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) {
    static_cast<void>(q);
    a.set_content(kContent, "application/octet-stream");  // without any tag
  });
  f.leave(noise(200'000, 9), "");
  const Downloaded got = f.run();
  f.require_whole();
  CHECK(got.received == 100'000 + kContent.size());
}

TEST_CASE("without tag and hash nothing tells the pieces apart, so there are none", "[net]") {
  Fixture f;
  f.expected = {};
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, kContent, "W/\"v1\""); });
  f.leave(noise(200'000, 9), "");
  f.run();
  f.require_whole();
  CHECK(f.server.asked()[0].range.empty());
}

TEST_CASE("416 means whole or changed", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, kContent); });
  SECTION("whole") {
    f.expected.size.reset();
    f.leave(kContent, "\"v1\"");
    CHECK(f.run().received == 0);
    f.require_whole();
  }
  SECTION("changed and shorter") {
    f.expected.size.reset();
    f.leave(noise(400'000, 9), "\"v1\"");
    CHECK(f.run().received == kContent.size());
    f.require_whole();
  }
}

TEST_CASE("wrong bytes are deleted and named", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, noise(300'000, 2)); });
  const std::string error = f.error();
  CHECK(contains(error, "bad_input: " + f.server.url("/file") + ": expected SHA-256 " +
                            f.expected.sha256 + ", found "));
  CHECK(!contains(error, "secret"));
  CHECK(!std::filesystem::exists(f.partial));
  f.expected.sha256.clear();
  f.expected.git_sha1 = std::string(40, '0');
  CHECK(contains(f.error(), "expected git blob 0000"));
}

TEST_CASE("a git blob is verified by its id", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, "hello\n"); });
  f.expected = {6, "", "ce013625030ba8dba906f756967f9e9ca394464a"};  // git hash-object
  CHECK(f.run().size == 6);
}

TEST_CASE("a length other than expected is refused before the bytes come", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { give_file(q, a, kContent + "x"); });
  CHECK(contains(f.error(), "expected 300000 bytes, found 300001"));
  CHECK(std::filesystem::file_size(f.partial) == 0);
}

TEST_CASE("an answer that ends early without saying so is asked for its rest", "[net]") {
  Fixture f;
  int asked = 0;
  f.server.get("/file", [&](const Question& q, Reply& a) {
    if (++asked > 1) return give_file(q, a, kContent);
    a.set_header("ETag", "\"v1\"");
    auto sent = std::make_shared<bool>(false);
    a.set_chunked_content_provider("x/y", [sent](std::size_t, httplib::DataSink& sink) {
      if (!*sent) sink.write(kContent.data(), 1000);
      if (*sent) sink.done();
      return *sent = true;
    });
  });
  CHECK(f.run().received == kContent.size());
  f.require_whole();
  CHECK(f.server.asked()[1].range == "bytes=1000-");
}

TEST_CASE("more than expected is cut off, whether the size was known or not", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question&, Reply& a) {
    a.set_chunked_content_provider("x/y", [](std::size_t, httplib::DataSink& sink) {
      return sink.write(kContent.data(), kContent.size());  // for ever
    });
  });
  CHECK(contains(f.error(), "expected 300000 bytes, found more"));
  f.expected = {};
  CHECK(contains(f.error(1'000'000), "expected at most 1000000 bytes"));
  f.expected.size = 2'000'000;
  CHECK(contains(f.error(1'000'000), "expected at most 1000000 bytes, found 2000000"));
}

TEST_CASE("a server that never gets anywhere uses the attempts up, and the part stays", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) { break_after(q, a, kContent, 50); });
  CHECK(contains(f.error(), "given up after 3 attempts"));
  CHECK(f.server.asked().size() == 3);
  CHECK(std::filesystem::file_size(f.partial) == 150);
}

TEST_CASE("an answer that is no file is returned and leaves the part as it is", "[net]") {
  Fixture f;
  f.server.get("/file", [](const Question& q, Reply& a) {
    const_cast<Question&>(q).ranges.clear();
    a.status = 403;
    a.set_content("not yours", "text/plain");
  });
  f.leave(kContent.substr(0, 1000), "\"v1\"");
  const Downloaded got = f.run();
  CHECK(got.status == 403);
  CHECK(got.response.problem == "not yours");
  CHECK(std::filesystem::file_size(f.partial) == 1000);
}

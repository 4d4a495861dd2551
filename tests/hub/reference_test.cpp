// SPDX-License-Identifier: Apache-2.0
#include "hub/reference.h"

#include "catch.h"
#include "hub/listing.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::hub;
using affiche::test::contains;
using affiche::test::thrown;

TEST_CASE("a reference names repository, file and revision", "[hub]") {
  const Reference plain = parse_reference("hub:studio/brush-1.5");
  CHECK(plain.repository() == "studio/brush-1.5");
  CHECK(plain.revision == "main");
  CHECK(plain.text() == "hub:studio/brush-1.5");
  const Reference whole = parse_reference("hub:studio/brush/unet/a b.safetensors@refs/pr/1");
  CHECK(whole.repository() == "studio/brush");
  CHECK(whole.file == "unet/a b.safetensors");
  CHECK(whole.revision == "refs/pr/1");
  CHECK(whole.text() == "hub:studio/brush/unet/a b.safetensors@refs/pr/1");
  const Reference url = parse_reference("https://a.org/b.safetensors?token=secret");
  CHECK(!url.of_hub());
  CHECK(url.text() == "https://a.org/b.safetensors");
  CHECK(!is_reference("models/hub"));
  CHECK(!is_reference("/hub:a/b"));
}

TEST_CASE("what is no reference is refused with the forms there are", "[hub]") {
  for (const char* text :
       {"hub:", "hub:brush", "hub:/brush", "hub:studio/", "hub:../brush", "hub:studio/..",
        "hub:stu dio/brush", "hub:studio/br--ush", "hub:a--b/c", "hub:.studio/brush",
        "hub:studio/brush@", "hub:studio/brush@../x", "hub:studio/brush@a b", "hub:studio/brush@/a",
        "hub:studio/brush@-x", "hub:studio/\x01", "brush", "ftp://a/b", "hub:st\xC3\xBC/x"}) {
    INFO(text);
    CHECK(contains(thrown([&] { parse_reference(text); }), "expected hub:OWNER/NAME"));
  }
}

TEST_CASE("paths that leave the folder are refused", "[hub]") {
  for (const std::string& path :
       {std::string(""), std::string("/etc/passwd"), std::string("../x"), std::string("a/../../x"),
        std::string("a/.."), std::string("./a"), std::string("a//b"), std::string("a/"),
        std::string("a\\b"), std::string("C:\\x"), std::string("a\0b", 3), std::string("a\nb"),
        std::string(256, 'a'), std::string("a/") + std::string(256, 'b'), [] {
          std::string deep;
          for (int i = 0; i < 600; ++i) deep += "a/";
          return deep + "b";
        }()}) {
    INFO(path);
    CHECK(contains(thrown([&] { check_repo_path(path, "repo"); }),
                   "bad_input: repo: expected a path inside the repository"));
  }
  for (const char* path : {"a", "a/b.c", "..a/b..", "ünet/~x", ".gitattributes", "a b/c:d"}) {
    INFO(path);
    CHECK(thrown([&] { check_repo_path(path, "repo"); }) == "nothing was thrown");
  }
}

TEST_CASE("a listing is read strictly", "[hub]") {
  const std::string sha(40, 'b');
  const auto listing = [&](const std::string& siblings) {
    return parse_listing("{\"sha\":\"" + sha + "\",\"siblings\":" + siblings + "}", "URL");
  };
  const Listing good = listing(R"([{"rfilename":"b","size":3,"blobId":")" + sha +
                               R"("},{"rfilename":"a","lfs":{"sha256":")" + std::string(64, '0') +
                               R"(","size":7},"size":131}])");
  CHECK(good.commit == sha);
  REQUIRE(good.files.size() == 2);
  CHECK(good.files[0].path == "a");
  CHECK(good.files[0].size == 7U);
  CHECK(good.files[0].git_sha1.empty());
  CHECK(good.files[1].git_sha1 == sha);
  for (const char* siblings :
       {"null", "{}", "[1]", "[{}]", R"([{"rfilename":7}])", R"([{"rfilename":"../a"}])",
        R"([{"rfilename":"a\u0000b"}])", R"([{"rfilename":"a","size":-1}])",
        R"([{"rfilename":"a","size":1.5}])", R"([{"rfilename":"a","blobId":"xyz"}])",
        R"([{"rfilename":"a","lfs":{"sha256":"../../x"}}])",
        R"([{"rfilename":"a"},{"rfilename":"a"}])"}) {
    INFO(siblings);
    CHECK(contains(thrown([&] { listing(siblings); }), "bad_input: URL"));
  }
  CHECK(contains(thrown([] { parse_listing("<!DOCTYPE html><html>", "URL"); }),
                 "expected JSON from a hub, found a web page"));
  CHECK(contains(thrown([] { parse_listing("", "URL"); }), "found nothing"));
  CHECK(contains(thrown([] { parse_listing("{\"sha\":\"../x\",\"siblings\":[]}", "URL"); }),
                 "expected 40 hexadecimal digits"));
  CHECK(contains(thrown([] { parse_listing("{}", "URL"); }), "expected an object with"));
}

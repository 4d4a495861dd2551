// SPDX-License-Identifier: Apache-2.0
// Metadata inside pictures, written by exiftool, another hand than the one that reads it.
#include "photos/embedded.h"

#include <cstdlib>

#include "cards/encode.h"
#include "catch.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using affiche::test::contains;
using affiche::test::TemporaryFolder;
using affiche::test::thrown;

namespace {

struct Pictures {
  TemporaryFolder folder;
  // A picture with these fields, as arguments of exiftool.
  std::filesystem::path with(const std::string& fields, const char* name = "dune.jpg") {
    const std::filesystem::path file = folder / name;
    const Image image = make_image(32, 24, 3);
    write_atomically(file, cards::encode(image, cards::format_for(file)).bytes);
    const std::string command =
        "exiftool -q -q -overwrite_original " + fields + " '" + file.string() + "'";
    if (!fields.empty() && std::system(command.c_str()) != 0) {
      fail(Cause::Internal, "exiftool: ", command);
    }
    return file;
  }
};

const std::string kWhole =
    "-XMP-dc:Title=Dune -XMP-dc:Creator='Ana Example' -XMP-dc:Creator='B. Other' "
    "-XMP-dc:Subject=desert -XMP-dc:Subject=sand -XMP-photoshop:Source='Own archive' "
    "-XMP-dc:Source=https://example.org/dune "
    "-XMP-xmpRights:WebStatement=https://creativecommons.org/licenses/by/4.0/ ";

}  // namespace

TEST_CASE("a picture's own XMP says whose it is", "[embedded]") {
  Pictures pictures;
  for (const char* name : {"dune.jpg", "dune.png"}) {
    INFO(name);
    const auto found = read_embedded(pictures.with(kWhole, name));
    REQUIRE(found);
    const Credit& credit = found->sidecar.credit;
    CHECK(credit.title == "Dune");
    CHECK(credit.author == "Ana Example, B. Other");
    CHECK(credit.license == "CC-BY-4.0");
    CHECK(credit.license_url == "https://creativecommons.org/licenses/by/4.0/");
    CHECK(credit.source == "Own archive");
    CHECK(credit.source_url == "https://example.org/dune");
    CHECK(found->sidecar.keywords == std::vector<std::string>{"desert", "sand"});
    CHECK(contains(found->xmp, "Ana Example"));
  }
}

TEST_CASE("the older IPTC fields count as well", "[embedded]") {
  Pictures pictures;
  const auto found = read_embedded(
      pictures.with("-IPTC:By-line='Ana Example' -IPTC:ObjectName=Dune -IPTC:Keywords=desert "
                    "-IPTC:CopyrightNotice='CC BY 4.0' -IPTC:Source='Own archive'"));
  REQUIRE(found);
  CHECK(found->sidecar.credit.author == "Ana Example");
  CHECK(found->sidecar.credit.title == "Dune");
  CHECK(found->sidecar.credit.license == "CC-BY-4.0");
}

TEST_CASE("a notice is no licence, and no metadata is none", "[embedded]") {
  Pictures pictures;
  CHECK_FALSE(read_embedded(pictures.with("")));
  CHECK_FALSE(read_embedded(
      pictures.with("-XMP-dc:Creator='Ana Example' -XMP-dc:Rights='(c) Ana Example'")));
  write_atomically(pictures.folder / "odd.jpg", std::string_view("\xff\xd8\xff\xe1 nothing"));
  CHECK_FALSE(read_embedded(pictures.folder / "odd.jpg"));
}

TEST_CASE("half a credit is refused, and so is what a model made", "[embedded]") {
  Pictures pictures;
  const auto licensed = [&](const std::string& more) {
    const auto file = pictures.with(
        "-XMP-dc:Title=Dune -XMP-cc:License=https://creativecommons.org/licenses/by/4.0/ " + more);
    return thrown([&] { read_embedded(file); });
  };
  CHECK(contains(licensed(""), "refused: "));
  CHECK(licensed("-XMP-dc:Creator=Ana") == "nothing was thrown");
  CHECK(contains(licensed("-XMP-dc:Creator=Ana -XMP-iptcExt:DigitalSourceType=http://cv.iptc.org/"
                          "newscodes/digitalsourcetype/trainedAlgorithmicMedia"),
                 "made by a model or a program"));
}

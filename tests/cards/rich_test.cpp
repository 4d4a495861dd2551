// SPDX-License-Identifier: Apache-2.0
#include "cards/rich.h"

#include "catch.h"

namespace affiche::cards::test {

TEST_CASE("paired tags of the list are marks, all others are text", "[rich]") {
  const RichText rich = read_rich("a <b>b <i>c</i></b> <script>d</script> <b class=x>e</b> 1<2");
  CHECK(rich.text == "a b c <script>d</script> <b class=x>e</b> 1<2");
  REQUIRE(rich.spans.size() == 2);
  CHECK(rich.spans[0].mark == Mark::Italic);
  CHECK(rich.spans[0].from == 4);
  CHECK(rich.spans[0].to == 5);
  CHECK(rich.spans[1].mark == Mark::Bold);
  CHECK(rich.spans[1].from == 2);
}

TEST_CASE("a tag without its partner is text", "[rich]") {
  CHECK(read_rich("<b>open").text == "<b>open");
  CHECK(read_rich("shut</b>").text == "shut</b>");
  const RichText crossed = read_rich("<b><i>crossed</b></i>");
  CHECK(crossed.text == "<b>crossed</b>");
  REQUIRE(crossed.spans.size() == 1);
  CHECK(crossed.spans[0].mark == Mark::Italic);
}

TEST_CASE("entities are characters, and their characters are never tags", "[rich]") {
  const RichText rich = read_rich("&lt;b&gt;x&lt;/b&gt; &amp;amp; &unknown; &");
  CHECK(rich.text == "<b>x</b> &amp; &unknown; &");
  CHECK(rich.spans.empty());
}

TEST_CASE("spans move with what is edited before and inside of them", "[rich]") {
  RichText rich{"one two three", {{4, 7, Mark::Bold}}};
  rich = edited(rich, {{0, 3, "eins"}, {5, 0, "--"}, {7, 1, ""}});
  CHECK(rich.text == "eins t--wothree");
  REQUIRE(rich.spans.size() == 1);
  CHECK(rich.text.substr(rich.spans[0].from, rich.spans[0].to - rich.spans[0].from) == "t--wo");
}

TEST_CASE("a cut shortens the spans that it meets and drops those behind it", "[rich]") {
  const RichText rich =
      shortened({"one two three", {{0, 7, Mark::Bold}, {8, 13, Mark::Italic}}}, 5, "…");
  CHECK(rich.text == "one t…");
  REQUIRE(rich.spans.size() == 1);
  CHECK(rich.spans[0].to == 5);
}

}  // namespace affiche::cards::test

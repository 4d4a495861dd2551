// SPDX-License-Identifier: Apache-2.0
#include "photos/plain_text.h"

#include "catch.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;

namespace {

struct Row {
  std::string html;
  std::string text;
  std::string link;
};

const Row kRows[] = {
    {"PtrQs", "PtrQs", ""},
    {"<a href=\"//commons.wikimedia.org/wiki/User:PtrQs\" title=\"User:PtrQs\">PtrQs</a>", "PtrQs",
     "https://commons.wikimedia.org/wiki/User:PtrQs"},
    {"Photo by <a href='http://a.example/x'>A</a> &amp; <a href='https://b.example/'>B</a>",
     "Photo by A & B", "http://a.example/x"},
    // The table of a creator template, with the hidden name for machines.
    {"<table class=\"vcard\"><tr><th><span class=\"fn\" id=\"creator\"><bdi>Jean "
     "<b>Dupont</b></bdi></span><span style=\"display: none;\">creator "
     "QS:P170,Q42</span></th><td>Paris</td></tr></table>",
     "Jean Dupont Paris", ""},
    {"A<br/>B<p>C</p>D<li>E", "A B C D E", ""},
    {"Fran&ccedil;ois &#38; &lt;sons&gt;", "François & <sons>", ""},
    {"<script>alert(1)</script>Ann<style>p{}</style>", "Ann", ""},
    {"<a href=\"javascript:alert(1)\">Ann</a>", "Ann", ""},
    {"<a href=\"https://a.example/&quot;onload=&quot;\">Ann</a>", "Ann", ""},
    {"<b>unclosed <i>Ann", "unclosed Ann", ""},
    {"a < b and > c", "a < b and > c", ""},
    {"\xe2\x80\xaetxet desrever\xe2\x80\xac Ann", "txet desrever Ann", ""},
    {"  many \n\t spaces\xc2\xa0here ", "many spaces here", ""},
    {"דוד כהן", "דוד כהן", ""},
    {"山田 太郎 👩‍👩‍👧", "山田 太郎 👩‍👩‍👧", ""},
    {"e\xcc\x81", "é", ""},
    {"", "", ""},
};

}  // namespace

TEST_CASE("the HTML of an author becomes what a reader would see", "[plain]") {
  for (const Row& row : kRows) {
    INFO(row.html);
    const HtmlText found = read_html(row.html, "artist");
    CHECK(found.text == row.text);
    CHECK(found.link == row.link);
  }
}

TEST_CASE("text that is no HTML keeps its angle brackets", "[plain]") {
  CHECK(plain_line("<b>Ann</b> & co") == "<b>Ann</b> & co");
  CHECK(plain_line("broken \xff byte") == "broken \xef\xbf\xbd byte");
  CHECK(plain_line(std::string("nul\0here", 8)).find('\0') == std::string::npos);
  CHECK(plain_line("a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81z").size() < 12);
}

TEST_CASE("a long name is never cut, and what the parser gives up on is an error", "[plain]") {
  std::string name = "Ann";
  for (int i = 0; i < 3000; ++i) name += " de la Cruz";
  CHECK(read_html("<i>" + name + "</i>", "artist").text == name);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "<div>";
  CHECK(test::thrown([&] { read_html(deep + "Ann", "artist"); }).starts_with("bad_input: artist"));
  CHECK(test::thrown([&] {
          read_html(std::string(70'000, 'x'), "artist");
        }).starts_with("bad_input: artist: expected at most 65536 bytes"));
}

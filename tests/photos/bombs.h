// SPDX-License-Identifier: Apache-2.0
// Pictures made to hurt whoever decodes them, by name.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"

namespace affiche::test {

inline std::string big32(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string little32(std::uint32_t value) {
  const std::string big = big32(value);
  return {big.rbegin(), big.rend()};
}

// With a true checksum, so that a decoder gets as far as it can.
inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big32(static_cast<std::uint32_t>(data.size())) + body +
         big32(static_cast<std::uint32_t>(crc));
}

inline std::string png_of(std::uint32_t width, std::uint32_t height, const std::string& chunks) {
  return "\x89PNG\r\n\x1a\n" +
         png_chunk("IHDR", big32(width) + big32(height) + std::string("\x08\x02\0\0\0", 5)) +
         chunks + png_chunk("IEND", "");
}

// `rows` of one colour, deflated: 100 megapixels of RGB are 290 KB.
inline std::string deflated_rows(std::uint32_t width, std::uint32_t rows) {
  z_stream stream{};
  deflateInit(&stream, 9);
  std::string row(std::size_t{width} * 3 + 1, '\0'), out(1 << 16, '\0'), data;
  for (std::uint32_t y = 0; y < rows; ++y) {
    stream.next_in = reinterpret_cast<Bytef*>(row.data());
    stream.avail_in = static_cast<uInt>(row.size());
    const int flush = y + 1 == rows ? Z_FINISH : Z_NO_FLUSH;
    int code = Z_OK;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      code = deflate(&stream, flush);
      data.append(out, 0, out.size() - stream.avail_out);
    } while (stream.avail_out == 0 || (flush == Z_FINISH && code != Z_STREAM_END));
  }
  deflateEnd(&stream);
  return data;
}

inline Bytes deflate_bomb(std::uint32_t width, std::uint32_t height) {
  const std::string text = png_of(width, height, png_chunk("IDAT", deflated_rows(width, height)));
  return {text.begin(), text.end()};
}

struct Bomb {
  std::string name;  // of its kind
  std::string bytes;
  std::string error;  // part of what is said of it
};

// Whatever harm is known, made from a sound JPEG of at least 10 KB.
inline std::vector<Bomb> bombs(const std::string& sound) {
  const auto webp_chunk = [](const std::string& type, const std::string& data) {
    return type + little32(static_cast<std::uint32_t>(data.size())) + data;
  };
  std::string frames = webp_chunk("VP8X", std::string("\2\0\0\0\xff\3\0\xff\2\0", 10));
  for (int i = 0; i < 100'000; ++i) frames += webp_chunk("ANMF", std::string(24, '\0'));
  const std::string webp =
      "RIFF" + little32(static_cast<std::uint32_t>(frames.size() + 4)) + "WEBP" + frames;
  std::string parts = png_chunk("acTL", big32(100'000) + big32(0));
  for (int i = 0; i < 100'000; ++i) parts += png_chunk("fdAT", "\0\0\0\1x");
  const std::string apng = png_of(1'000, 700, parts + png_chunk("IDAT", deflated_rows(1'000, 700)));
  std::string scans;
  for (int i = 0; i < 1'000; ++i) scans += std::string("\xff\xda\0\x08\x01\x01\0\0\x3f\0", 10);
  const std::string progressive =
      std::string("\xff\xd8\xff\xc2\0\x0b\x08\x2b\xc0\x3a\x98\x01\x01\x11\0", 15) + scans +
      "\xff\xd9";
  std::string torn = sound;
  for (std::size_t i = 700; i + 2 < torn.size(); i += 3) torn[i] = static_cast<char>(i * 7 % 251);
  return {
      {"pixel-flood", png_of(50'000, 50'000, png_chunk("IDAT", "x")), "50000×50000"},
      {"frames-webp", webp, "animated WebP"},
      {"frames-png", apng, "animated PNG"},
      {"deflate", png_of(20'000, 20'000, png_chunk("IDAT", deflated_rows(20'000, 2'000))),
       "20000×20000"},
      {"deflate-torn", png_of(1'200, 800, png_chunk("IDAT", deflated_rows(1'200, 90))), ""},
      {"scans", progressive, ""},
      {"cut", sound.substr(0, sound.size() / 2), "cut short"},
      {"polyglot", sound + "PK\3\4<script>alert(1)</script>", ""},
      {"html", "<!doctype html><title>not a picture</title>", "expected a JPEG"},
      {"svg", "<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
       "expected a JPEG"},
      {"gif", std::string("GIF89a\x40\0\x30\0\0\0\0;", 14), "expected a JPEG"},
      {"nothing", "", "expected a JPEG"},
  };
}

}  // namespace affiche::test

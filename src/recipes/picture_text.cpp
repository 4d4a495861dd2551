// SPDX-License-Identifier: Apache-2.0
#include "recipes/picture_text.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "recipes/byte_view.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

constexpr std::size_t kMostText = std::size_t{32} << 20;
constexpr std::string_view kPngSignature("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view kJpegXmp("http://ns.adobe.com/xap/1.0/\0", 29);

class Texts {
 public:
  explicit Texts(std::string what) : what_(std::move(what)) {}
  void add(std::string keyword, std::string text) {
    size_ += text.size();
    if (size_ > kMostText) {
      fail(Cause::BadInput, what_, ": expected at most ", kMostText >> 20, " MiB of text");
    }
    found_.push_back({std::move(keyword), std::move(text)});
  }
  void add(std::vector<PictureText> more) {
    for (PictureText& text : more) add(std::move(text.keyword), std::move(text.text));
  }
  std::size_t left() const { return kMostText - size_; }
  std::vector<PictureText> take() { return std::move(found_); }

 private:
  std::string what_;
  std::size_t size_ = 0;
  std::vector<PictureText> found_;
};

// A few bytes can stand for gigabytes: stops at `limit`.
std::string inflated(std::string_view packed, std::size_t limit, const std::string& what) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) fail(Cause::Unavailable, what, ": zlib: out of memory");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  int status = Z_OK;
  while (status == Z_OK && out.size() <= limit) {
    char piece[16384];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
    if (status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0) break;
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || out.size() > limit) {
    fail(Cause::BadInput, what, ": expected compressed text of at most ", limit, " bytes, found ",
         status == Z_OK ? "more, or a cut stream" : "a damaged stream");
  }
  return out;
}

// PNG specification 11.3.4: keyword, zero, then what the kind of chunk has.
void add_png_chunk(Texts& texts, std::string_view type, std::string_view data,
                   const std::string& what) {
  const std::size_t end = data.find('\0');
  if (end == std::string_view::npos || end == 0 || end > 79) {
    fail(Cause::BadInput, what, ": ", type, ": expected a keyword of 1 to 79 characters");
  }
  const std::string keyword = latin1_to_utf8(data.substr(0, end));
  std::string_view rest = data.substr(end + 1);
  const std::string place = concat(what, ": ", type, " \"", clean_text(keyword), "\"");
  if (type == "tEXt") {
    texts.add(keyword, guessed_to_utf8(rest));
    return;
  }
  const std::size_t fields = type == "zTXt" ? 1 : 2;
  if (rest.size() < fields) fail(Cause::BadInput, place, ": cut off");
  const bool packed = type == "zTXt" || rest[0] != 0;
  if (packed && rest[fields - 1] != 0) fail(Cause::BadInput, place, ": unknown compression");
  rest.remove_prefix(fields);
  for (int skipped = 0; type == "iTXt" && skipped < 2; ++skipped) {  // language, translated keyword
    const std::size_t zero = rest.find('\0');
    if (zero == std::string_view::npos) fail(Cause::BadInput, place, ": cut off");
    rest.remove_prefix(zero + 1);
  }
  texts.add(keyword,
            guessed_to_utf8(packed ? inflated(rest, texts.left(), place) : std::string(rest)));
}

void read_png(Texts& texts, const ByteView& view, std::span<const std::uint8_t> bytes) {
  std::size_t at = kPngSignature.size();
  while (true) {
    const std::size_t length = view.u32(at, Endian::Big);
    const std::string_view type = view.text(at + 4, 4);
    const std::string_view data = view.text(at + 8, length);
    const std::uint32_t crc = view.u32(at + 8 + length, Endian::Big);
    const bool text = type == "tEXt" || type == "zTXt" || type == "iTXt";
    if (text || type == "eXIf") {
      const auto found = crc32(0, bytes.data() + at + 4, static_cast<uInt>(length + 4));
      if (found != crc) {
        fail(Cause::BadInput, view.what(), ": ", type, ": expected checksum ", crc, ", found ",
             found, "; the file is damaged");
      }
      if (text) {
        add_png_chunk(texts, type, data, view.what());
      } else {
        texts.add(read_exif(bytes.subspan(at + 8, length), view.what()));
      }
    }
    if (type == "IEND") return;
    at += 12 + length;
  }
}

// ITU T.81 annex B: segments up to the start of the scan.
void read_jpeg(Texts& texts, const ByteView& view, std::span<const std::uint8_t> bytes) {
  std::size_t at = 2;
  while (true) {
    if (view.byte(at) != 0xff) {
      fail(Cause::BadInput, view.what(), ": expected a JPEG marker at offset ", at);
    }
    const std::uint8_t marker = view.byte(at + 1);
    if (marker == 0xff) {  // filling
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return;
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2;
      continue;
    }
    const std::size_t length = view.u16(at + 2, Endian::Big);
    if (length < 2) fail(Cause::BadInput, view.what(), ": JPEG segment of length ", length);
    const std::string_view data = view.text(at + 4, length - 2);
    if (marker == 0xe1 && data.starts_with(std::string_view("Exif\0", 5))) {
      texts.add(read_exif(bytes.subspan(at + 4, length - 2), view.what()));
    } else if (marker == 0xe1 && data.starts_with(kJpegXmp)) {
      texts.add("xmp", std::string(data.substr(kJpegXmp.size())));
    } else if (marker == 0xfe) {
      texts.add("comment", guessed_to_utf8(data));
    }
    at += 2 + length;
  }
}

// WebP container specification: RIFF chunks, padded to even sizes.
void read_webp(Texts& texts, const ByteView& view) {
  const std::size_t end = std::min<std::size_t>(view.size(), view.u32(4, Endian::Little) + 8ULL);
  std::size_t at = 12;
  while (at + 8 <= end) {
    const std::string_view type = view.text(at, 4);
    const std::size_t length = view.u32(at + 4, Endian::Little);
    const auto data = view.part(at + 8, length);
    if (type == "EXIF") {
      texts.add(read_exif(data, view.what()));
    } else if (type == "XMP ") {
      texts.add("xmp", std::string(view.text(at + 8, length)));
    }
    at += 8 + length + length % 2;
  }
}

}  // namespace

std::optional<PictureKind> picture_kind(std::span<const std::uint8_t> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()),
                               std::min<std::size_t>(bytes.size(), 12));
  if (start.starts_with(kPngSignature)) return PictureKind::Png;
  if (start.starts_with("\xff\xd8\xff")) return PictureKind::Jpeg;
  if (start.size() == 12 && start.starts_with("RIFF") && start.ends_with("WEBP")) {
    return PictureKind::Webp;
  }
  return std::nullopt;
}

std::vector<PictureText> read_picture_text(std::span<const std::uint8_t> bytes,
                                           const std::string& what) {
  const std::optional<PictureKind> kind = picture_kind(bytes);
  if (!kind) fail(Cause::BadInput, what, ": expected a PNG, JPEG or WebP picture");
  const ByteView view(bytes, what);
  Texts texts(what);
  if (kind == PictureKind::Png) read_png(texts, view, bytes);
  if (kind == PictureKind::Jpeg) read_jpeg(texts, view, bytes);
  if (kind == PictureKind::Webp) read_webp(texts, view);
  return texts.take();
}

}  // namespace affiche::recipes

// SPDX-License-Identifier: Apache-2.0
#include "recipes/exif.h"

#include <algorithm>

#include "recipes/byte_view.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

// Tags and types of TIFF 6.0 section 2 and EXIF 2.32 section 4.6.5.
constexpr std::uint32_t kSoftware = 0x0131, kExifDirectory = 0x8769, kUserComment = 0x9286;
constexpr std::uint32_t kByte = 1, kAscii = 2, kLong = 4, kUndefined = 7;
constexpr std::size_t kEntry = 12;
constexpr std::size_t kMostEntries = 1000;
constexpr std::string_view kUnicode("UNICODE\0", 8), kPlain("ASCII\0\0\0", 8),
    kUnsaid("\0\0\0\0\0\0\0\0", 8);

void append(Bytes& out, std::uint32_t value, int count) {
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void append_entry(Bytes& out, std::uint32_t tag, std::uint32_t type, std::size_t count,
                  std::size_t value) {
  append(out, tag, 2);
  append(out, type, 2);
  append(out, static_cast<std::uint32_t>(count), 4);
  append(out, static_cast<std::uint32_t>(value), 4);
}

// Programs disagree on the byte order of the comment: prompts are mostly Latin, so the half with
// the zeros is the high one.
Endian comment_order(std::span<const std::uint8_t> bytes) {
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    even += bytes[i] == 0 ? 1 : 0;
    odd += bytes[i + 1] == 0 ? 1 : 0;
  }
  return odd > even ? Endian::Little : Endian::Big;
}

std::string without_end(std::string text) {
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

std::string comment_text(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 8) return "";
  const std::string_view code(reinterpret_cast<const char*>(bytes.data()), 8);
  auto body = bytes.subspan(8);
  if (code == kUnicode) {
    Endian order = comment_order(body);
    if (body.size() >= 2 && (body[0] ^ body[1]) == (0xfe ^ 0xff) && body[0] + body[1] == 0x1fd) {
      order = body[0] == 0xfe ? Endian::Big : Endian::Little;  // byte order mark
      body = body.subspan(2);
    }
    return without_end(utf16_to_utf8(body, order));
  }
  if (code != kPlain && code != kUnsaid) return "";
  return without_end(guessed_to_utf8({reinterpret_cast<const char*>(body.data()), body.size()}));
}

// ComfyUI's "prompt:{…}" in any tag becomes the keyword "prompt"; other texts keep the tag.
void add_ascii(std::vector<PictureText>& found, std::uint32_t tag, std::string text) {
  for (const std::string_view keyword : {"prompt", "workflow"}) {
    if (text.starts_with(keyword) && text.substr(keyword.size()).starts_with(":{")) {
      found.push_back({std::string(keyword), text.substr(keyword.size() + 1)});
      return;
    }
  }
  const std::string name = tag == 0x010e      ? "ImageDescription"
                           : tag == kSoftware ? "Software"
                                              : concat("EXIF tag ", tag);
  found.push_back({name, std::move(text)});
}

struct Reader {
  ByteView view;
  Endian order;
  std::vector<PictureText> found;

  // Where an entry's value lies: in the entry itself when it has at most four bytes.
  std::span<const std::uint8_t> value(std::size_t entry, std::size_t bytes) const {
    return view.part(bytes <= 4 ? entry + 8 : view.u32(entry + 8, order), bytes);
  }

  // The offset of the EXIF directory, or 0.
  std::size_t read_directory(std::size_t at) {
    const std::size_t count = view.u16(at, order);
    if (count > kMostEntries) {
      fail(Cause::BadInput, view.what(), ": expected at most ", kMostEntries,
           " entries in a directory, found ", count);
    }
    std::size_t deeper = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t entry = at + 2 + i * kEntry;
      const std::uint32_t tag = view.u16(entry, order), type = view.u16(entry + 2, order);
      const std::size_t length = view.u32(entry + 4, order);
      if (tag == kExifDirectory && type == kLong && length == 1) {
        deeper = view.u32(entry + 8, order);
      } else if (tag == kUserComment && (type == kUndefined || type == kByte || type == kAscii)) {
        found.push_back({"UserComment", comment_text(value(entry, length))});
      } else if (type == kAscii) {
        const auto bytes = value(entry, length);
        add_ascii(found, tag,
                  without_end(guessed_to_utf8(
                      {reinterpret_cast<const char*>(bytes.data()), bytes.size()})));
      }
    }
    return deeper;
  }
};

}  // namespace

Bytes exif_block(const std::string& user_comment, const std::string& software) {
  Bytes comment(kUnicode.begin(), kUnicode.end());
  const Bytes text = utf8_to_utf16(user_comment, Endian::Big);
  comment.insert(comment.end(), text.begin(), text.end());
  // Longer than four bytes, so that it does not fit into the entry.
  const std::string name = software + std::string(software.size() < 4 ? 5 - software.size() : 1, 0);
  constexpr std::size_t kFirst = 8, kSecond = kFirst + 2 + 2 * kEntry + 4;
  constexpr std::size_t kValues = kSecond + 2 + kEntry + 4;
  Bytes out = {'M', 'M', 0, 42};
  append(out, kFirst, 4);
  append(out, 2, 2);
  append_entry(out, kSoftware, kAscii, name.size(), kValues);
  append_entry(out, kExifDirectory, kLong, 1, kSecond);
  append(out, 0, 4);
  append(out, 1, 2);
  append_entry(out, kUserComment, kUndefined, comment.size(), kValues + name.size());
  append(out, 0, 4);
  out.insert(out.end(), name.begin(), name.end());
  out.insert(out.end(), comment.begin(), comment.end());
  return out;
}

std::vector<PictureText> read_exif(std::span<const std::uint8_t> bytes, const std::string& what) {
  constexpr std::string_view kName("Exif\0\0", 6);
  const ByteView whole(bytes, what + ": EXIF");
  const bool named = whole.has(0, 6) && whole.text(0, 6) == kName;
  const ByteView view(named ? bytes.subspan(6) : bytes, whole.what());
  const std::string_view mark = view.text(0, 2);
  if (mark != "MM" && mark != "II") {
    fail(Cause::BadInput, view.what(), ": expected \"MM\" or \"II\" at its beginning");
  }
  Reader reader{view, mark == "MM" ? Endian::Big : Endian::Little, {}};
  if (view.u16(2, reader.order) != 42) {
    fail(Cause::BadInput, view.what(), ": expected the number 42 of TIFF, found ",
         view.u16(2, reader.order));
  }
  const std::size_t deeper = reader.read_directory(view.u32(4, reader.order));
  if (deeper != 0) reader.read_directory(deeper);
  return reader.found;
}

}  // namespace affiche::recipes

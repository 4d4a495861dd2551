// SPDX-License-Identifier: Apache-2.0
#include "cards/jpeg.h"

#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace affiche::cards {
namespace {

// libjpeg ends a failed call by a jump to `back`: nothing with a destructor may live between there
// and the call.
struct Errors {
  jpeg_error_mgr manager;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = {};
};

void on_error(j_common_ptr codec) {
  // The manager is the first member.
  auto* errors = reinterpret_cast<Errors*>(codec->err);
  codec->err->format_message(codec, errors->message);
  std::longjmp(errors->back, 1);
}

// A warning means damaged data, for which libjpeg would invent pixels.
void on_message(j_common_ptr codec, int level) {
  if (level < 0) on_error(codec);
}

void prepare(Errors& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) {
    prepare(errors_);
    codec_.err = &errors_.manager;
    if (setjmp(errors_.back) != 0) return;
    jpeg_create_decompress(&codec_);
    jpeg_mem_src(&codec_, bytes.data(), bytes.size());
    jpeg_save_markers(&codec_, JPEG_APP0 + 1, 0xffff);
    jpeg_save_markers(&codec_, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(&codec_, TRUE);
    good_ = true;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&codec_); }

  bool good() const { return good_; }
  const jpeg_decompress_struct& header() const { return codec_; }

  // Fixes the size of the reduced picture.
  bool start(int shrink) {
    if (setjmp(errors_.back) != 0) return false;
    codec_.scale_num = 1;
    codec_.scale_denom = static_cast<unsigned>(shrink);
    codec_.out_color_space = JCS_EXT_BGRX;
    return jpeg_start_decompress(&codec_) != FALSE;
  }
  // Moves `x` to where a block begins and widens the part accordingly.
  bool crop(int& x, int& width) {
    if (setjmp(errors_.back) != 0) return false;
    JDIMENSION first = static_cast<JDIMENSION>(x);
    JDIMENSION count = static_cast<JDIMENSION>(width);
    jpeg_crop_scanline(&codec_, &first, &count);
    x = static_cast<int>(first);
    width = static_cast<int>(count);
    return true;
  }
  // Decodes `count` rows from row `y` on into `rows`.
  bool read(int y, std::uint32_t* rows, int count) {
    if (setjmp(errors_.back) != 0) return false;
    if (y > 0) jpeg_skip_scanlines(&codec_, static_cast<JDIMENSION>(y));
    for (int i = 0; i < count; ++i) {
      JSAMPROW row =
          reinterpret_cast<JSAMPROW>(rows + static_cast<std::ptrdiff_t>(i) * codec_.output_width);
      if (jpeg_read_scanlines(&codec_, &row, 1) != 1) return false;
    }
    return true;
  }

 private:
  Errors errors_;
  jpeg_decompress_struct codec_{};
  bool good_ = false;
};

bool has_marker(const jpeg_decompress_struct& codec, int number, std::string_view start) {
  for (const jpeg_marker_struct* marker = codec.marker_list; marker != nullptr;
       marker = marker->next) {
    if (marker->marker == JPEG_APP0 + number && marker->data_length >= start.size() &&
        std::memcmp(marker->data, start.data(), start.size()) == 0) {
      return true;
    }
  }
  return false;
}

// EXIF's orientation is in its first directory; 1 is upright. Anything unclear counts as turned,
// and libvips looks at it.
bool may_be_turned(const jpeg_decompress_struct& codec) {
  for (const jpeg_marker_struct* marker = codec.marker_list; marker != nullptr;
       marker = marker->next) {
    if (marker->marker != JPEG_APP0 + 1 || marker->data_length < 14 ||
        std::memcmp(marker->data, "Exif\0\0", 6) != 0) {
      continue;
    }
    const std::span<const JOCTET> tiff(marker->data + 6, marker->data_length - 6);
    const bool big = tiff[0] == 'M';
    const auto number = [&](std::size_t at, int size) {
      std::uint32_t value = 0;
      for (int i = 0; i < size; ++i) {
        value |= std::uint32_t{tiff[at + i]} << (8 * (big ? size - 1 - i : i));
      }
      return value;
    };
    const std::size_t directory = number(4, 4);
    if (directory + 2 > tiff.size()) return true;
    const std::size_t entries = number(directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t entry = directory + 2 + i * 12;
      if (entry + 12 > tiff.size()) return true;
      if (number(entry, 2) == 0x0112) return number(entry + 8, 2) > 1;
    }
  }
  return false;
}

class Encoder {
 public:
  Encoder() {
    prepare(errors_);
    codec_.err = &errors_.manager;
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  ~Encoder() {
    jpeg_destroy_compress(&codec_);
    std::free(data_);
  }

  bool write(const Image& image, const JpegOptions& options) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_compress(&codec_);
    jpeg_mem_dest(&codec_, &data_, &size_);
    codec_.image_width = static_cast<JDIMENSION>(image.width);
    codec_.image_height = static_cast<JDIMENSION>(image.height);
    codec_.input_components = 3;
    codec_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec_);
    codec_.write_JFIF_header = FALSE;
    jpeg_set_quality(&codec_, options.quality, TRUE);
    codec_.comp_info[0].h_samp_factor = options.subsample ? 2 : 1;
    codec_.comp_info[0].v_samp_factor = options.subsample ? 2 : 1;
    codec_.optimize_coding = options.progressive ? TRUE : FALSE;
    if (options.progressive) jpeg_simple_progression(&codec_);
    jpeg_start_compress(&codec_, TRUE);
    while (codec_.next_scanline < codec_.image_height) {
      // libjpeg takes rows that it could write to, and does not.
      JSAMPROW row = const_cast<JSAMPROW>(
          image.pixels.data() + static_cast<std::size_t>(codec_.next_scanline) * image.stride());
      jpeg_write_scanlines(&codec_, &row, 1);
    }
    jpeg_finish_compress(&codec_);
    return true;
  }
  Bytes bytes() const { return Bytes(data_, data_ + size_); }
  std::string message() const { return errors_.message; }

 private:
  Errors errors_;
  jpeg_compress_struct codec_{};
  unsigned char* data_ = nullptr;
  unsigned long size_ = 0;  // libjpeg's type
};

}  // namespace

std::optional<JpegHeader> plain_jpeg(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 3 || bytes[0] != 0xff || bytes[1] != 0xd8) return std::nullopt;
  const Decoder decoder(bytes);
  if (!decoder.good()) return std::nullopt;
  const jpeg_decompress_struct& codec = decoder.header();
  const bool known = codec.jpeg_color_space == JCS_YCbCr || codec.jpeg_color_space == JCS_GRAYSCALE;
  if (codec.data_precision != 8 || !known || has_marker(codec, 2, "ICC_PROFILE") ||
      may_be_turned(codec)) {
    return std::nullopt;
  }
  return JpegHeader{static_cast<int>(codec.image_width), static_cast<int>(codec.image_height)};
}

std::optional<JpegPart> decode_jpeg(std::span<const std::uint8_t> bytes, int shrink, int x, int y,
                                    int width, int height) {
  Decoder decoder(bytes);
  if (!decoder.good() || !decoder.start(shrink)) return std::nullopt;
  JpegPart part;
  part.shrink = shrink;
  part.whole_width = static_cast<int>(decoder.header().output_width);
  part.whole_height = static_cast<int>(decoder.header().output_height);
  part.x = std::clamp(x, 0, part.whole_width - 1);
  part.y = std::clamp(y, 0, part.whole_height - 1);
  part.width = std::clamp(width, 1, part.whole_width - part.x);
  part.height = std::clamp(height, 1, part.whole_height - part.y);
  if (part.width < part.whole_width && !decoder.crop(part.x, part.width)) return std::nullopt;
  // Every row is written or the part is not returned: no need for zeros before.
  part.pixels = std::make_unique_for_overwrite<std::uint32_t[]>(
      static_cast<std::size_t>(part.width) * part.height);
  if (!decoder.read(part.y, part.pixels.get(), part.height)) return std::nullopt;
  return part;
}

Bytes encode_jpeg(const Image& image, const JpegOptions& options) {
  if (image.channels != 3 || image.pixels.size() != image.stride() * image.height) {
    fail(Cause::Internal, "JPEG: expected RGB, found ", image.channels, " channels and ",
         image.pixels.size(), " bytes");
  }
  Encoder encoder;
  if (!encoder.write(image, options)) fail(Cause::Internal, "JPEG: ", encoder.message());
  return encoder.bytes();
}

}  // namespace affiche::cards

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/gguf.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "diffusion/weights/byte_reader.h"
#include "diffusion/weights/gguf_types.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kMostDimensions = 8;
constexpr std::uint64_t kLongestName = 1 << 16;
constexpr int kDeepestArray = 4;
// A tensor of the list: length of the name, dimensions, type and offset.
constexpr std::uint64_t kSmallestInfo = 8 + 4 + 4 + 8;
constexpr std::uint64_t kSmallestKey = 8 + 4 + 1;
// What ComfyUI's converter flattens to fit the blocks keeps its shape under this key.
const std::string kOriginalShape = "comfy.gguf.orig_shape.";

enum ValueType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64
};

struct Info {
  std::string name;
  std::vector<std::int64_t> shape;  // row-major
  std::int64_t elements = 1;
  const GgufType* type = nullptr;
  std::uint64_t offset = 0;
};

class GgufReader {
 public:
  GgufReader(const std::shared_ptr<const MappedFile>& file, const std::string& what)
      : file_(file), what_(what), reader_(file->bytes(), what) {}

  GgufFile read() {
    if (reader_.text(kMagic.size()) != kMagic) {
      fail(Cause::BadInput, what_, ": expected a GGUF file, found another one");
    }
    const auto version = reader_.number<std::uint32_t>();
    if (version != 2 && version != 3) {
      fail(Cause::BadInput, what_, ": expected GGUF version 2 or 3, little-endian, found ",
           version);
    }
    const std::uint64_t tensors = count("tensors", kSmallestInfo);
    const std::uint64_t keys = count("keys", kSmallestKey);
    for (std::uint64_t i = 0; i < keys; ++i) read_key();
    std::vector<Info> infos;
    for (std::uint64_t i = 0; i < tensors; ++i) infos.push_back(read_info());
    const std::uint64_t begin = (reader_.position() + alignment_ - 1) / alignment_ * alignment_;
    reader_.seek(begin);
    data_ = file_->bytes().subspan(begin);
    for (const Info& info : infos) {
      if (!result_.tensors.emplace(info.name, tensor(info)).second) {
        fail(Cause::BadInput, what_, ": the tensor \"", info.name, "\" occurs twice");
      }
      result_.types[info.name] = info.type->name;
    }
    return std::move(result_);
  }

 private:
  // A count that the rest of the file can hold.
  std::uint64_t count(const char* things, std::uint64_t smallest) {
    const auto value = reader_.number<std::uint64_t>();
    if (value > reader_.remaining() / smallest) {
      fail(Cause::BadInput, what_, ": claims ", value, " ", things, ", more than its ",
           reader_.remaining(), " bytes can hold");
    }
    return value;
  }

  std::string name() {
    const auto length = reader_.number<std::uint64_t>();
    if (length > kLongestName) {
      fail(Cause::BadInput, what_, ": expected names of at most ", kLongestName,
           " bytes, found one of ", length);
    }
    return std::string(reader_.text(length));
  }

  void read_key() {
    const std::string key = name();
    const auto type = reader_.number<std::uint32_t>();
    if (type == String) {
      result_.metadata[key] = reader_.text(reader_.number<std::uint64_t>());
    } else if (key == "general.alignment" && type == U32) {
      alignment_ = reader_.number<std::uint32_t>();
      if (alignment_ == 0 || alignment_ % 8 != 0 || alignment_ > 1 << 20) {
        fail(Cause::BadInput, what_, ": general.alignment: expected a multiple of 8, found ",
             alignment_);
      }
    } else if (key.starts_with(kOriginalShape) && type == Array) {
      read_shape(key.substr(kOriginalShape.size()));
    } else {
      skip(type, 0);
    }
  }

  void read_shape(const std::string& tensor) {
    if (reader_.number<std::uint32_t>() != I32) {
      fail(Cause::BadInput, what_, ": ", kOriginalShape, tensor, ": expected whole numbers");
    }
    std::vector<std::int64_t>& shape = original_shapes_[tensor];
    const std::uint64_t dimensions = count("dimensions", 4);
    if (dimensions > kMostDimensions) {
      fail(Cause::BadInput, what_, ": ", kOriginalShape, tensor, ": too many dimensions");
    }
    for (std::uint64_t i = 0; i < dimensions; ++i) {
      shape.push_back(reader_.number<std::int32_t>());
    }
  }

  void skip(std::uint32_t type, int depth) {
    static constexpr std::uint64_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type >= std::size(kSizes) || depth > kDeepestArray) {
      fail(Cause::BadInput, what_, ": a key of the unknown type ", type);
    }
    if (type == String) {
      reader_.take(reader_.number<std::uint64_t>());
    } else if (type == Array) {
      const auto inner = reader_.number<std::uint32_t>();
      const std::uint64_t items = count("array items", 1);
      for (std::uint64_t i = 0; i < items; ++i) skip(inner, depth + 1);
    } else {
      reader_.take(kSizes[type]);
    }
  }

  Info read_info() {
    Info info;
    info.name = name();
    const auto refuse = [&](const std::string& message) {
      fail(Cause::BadInput, what_, ": tensor \"", info.name, "\": ", message);
    };
    const auto dimensions = reader_.number<std::uint32_t>();
    if (dimensions > kMostDimensions) refuse(concat("found ", dimensions, " dimensions"));
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      const auto extent = reader_.number<std::uint64_t>();
      if (extent == 0 || extent > static_cast<std::uint64_t>(
                                      std::numeric_limits<std::int64_t>::max() / info.elements)) {
        refuse(concat("the size ", extent, " of a dimension is not possible"));
      }
      info.elements *= static_cast<std::int64_t>(extent);
      info.shape.insert(info.shape.begin(), static_cast<std::int64_t>(extent));
    }
    const auto type = reader_.number<std::uint32_t>();
    info.type = gguf_type(type);
    if (info.type == nullptr) refuse(concat("the type ", type, " is unknown"));
    info.offset = reader_.number<std::uint64_t>();
    return info;
  }

  static std::optional<at::ScalarType> plain(const GgufType& type) {
    static const std::map<std::string_view, at::ScalarType> kPlain = {
        {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16}, {"F64", at::kDouble},
        {"I8", at::kChar},   {"I16", at::kShort}, {"I32", at::kInt},       {"I64", at::kLong}};
    const auto found = kPlain.find(type.name);
    if (found == kPlain.end()) return std::nullopt;
    return found->second;
  }

  at::Tensor tensor(const Info& info) {
    const auto refuse = [&](const std::string& message) {
      fail(Cause::BadInput, what_, ": tensor \"", info.name, "\": ", message);
    };
    const GgufType& type = *info.type;
    const std::int64_t row = info.shape.empty() ? 1 : info.shape.back();
    if (row % type.elements != 0) {
      refuse(concat("expected rows of a multiple of ", type.elements, " for ", type.name,
                    ", found ", row));
    }
    const std::int64_t blocks = info.elements / type.elements;
    if (info.offset % alignment_ != 0) refuse("its data is not aligned");
    if (info.offset > data_.size() ||
        static_cast<std::uint64_t>(blocks) >
            (data_.size() - info.offset) / static_cast<std::uint64_t>(type.bytes)) {
      refuse("its data reaches beyond the end; the file is cut short");
    }
    // Tensors that share their bytes could be asked for again and again.
    used_ += static_cast<std::uint64_t>(blocks * type.bytes);
    if (used_ > data_.size()) refuse("overlaps others: together they are larger than the file");
    const std::uint8_t* bytes = data_.data() + info.offset;
    if (const auto scalar = plain(type)) {
      return shaped(info, at::from_blob(
                              const_cast<std::uint8_t*>(bytes), {info.elements},
                              [file = file_](void*) {}, at::TensorOptions(*scalar)));
    }
    if (type.dequantize == nullptr) {
      refuse(concat("the type ", type.name,
                    " is not read; expected F32, F16, BF16, Q8_0, Q5_0, Q5_1, Q4_0, Q4_1, Q2_K to "
                    "Q6_K, IQ4_NL or IQ4_XS"));
    }
    at::Tensor out = at::empty({info.elements}, at::kFloat);
    float* const numbers = out.data_ptr<float>();
    constexpr std::int64_t kGrain = 4096;
    at::parallel_for(0, blocks, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        type.dequantize(bytes + i * type.bytes, numbers + i * type.elements);
      }
    });
    return shaped(info, out);
  }

  at::Tensor shaped(const Info& info, const at::Tensor& flat) const {
    const auto original = original_shapes_.find(info.name);
    if (original == original_shapes_.end()) return flat.view(info.shape);
    std::int64_t elements = 1;
    for (const std::int64_t extent : original->second) {
      if (extent <= 0 || extent > info.elements / elements) elements = 0;
      if (elements == 0) break;
      elements *= extent;
    }
    if (elements != info.elements) {
      fail(Cause::BadInput, what_, ": tensor \"", info.name, "\": ", kOriginalShape,
           "… has another number of elements");
    }
    return flat.view(original->second);
  }

  std::shared_ptr<const MappedFile> file_;
  std::string what_;
  ByteReader reader_;
  std::uint64_t alignment_ = 32;
  std::span<const std::uint8_t> data_;
  std::uint64_t used_ = 0;
  std::map<std::string, std::vector<std::int64_t>> original_shapes_;
  GgufFile result_;
};

}  // namespace

GgufFile load_gguf(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  return GgufReader(file, path.string()).read();
}

bool is_gguf(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  return bytes.size() >= kMagic.size() &&
         std::equal(kMagic.begin(), kMagic.end(), bytes.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

}  // namespace affiche::diffusion

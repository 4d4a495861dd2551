// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/safetensors.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace affiche::diffusion {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are mapped as they lie in files");

constexpr std::uint64_t kLengthField = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;
// Nothing in use has more; a bound keeps hostile shapes from becoming huge allocations.
constexpr std::size_t kMostDimensions = 16;

struct Dtype {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<Dtype, 12> kDtypes = {{{"F64", at::kDouble},
                                            {"F32", at::kFloat},
                                            {"F16", at::kHalf},
                                            {"BF16", at::kBFloat16},
                                            {"I64", at::kLong},
                                            {"I32", at::kInt},
                                            {"I16", at::kShort},
                                            {"I8", at::kChar},
                                            {"U8", at::kByte},
                                            {"BOOL", at::kBool},
                                            {"F8_E4M3", at::kFloat8_e4m3fn},
                                            {"F8_E5M2", at::kFloat8_e5m2}}};

struct Entry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct Header {
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_begin = 0;
};

class HeaderReader {
 public:
  HeaderReader(std::string file, std::span<const std::uint8_t> bytes)
      : file_(std::move(file)), bytes_(bytes) {}

  Header read() const {
    const std::uint64_t length = header_length();
    Header header;
    header.data_begin = kLengthField + length;
    const auto* text = reinterpret_cast<const char*>(bytes_.data()) + kLengthField;
    if (text[0] != '{') {
      fail(Cause::BadInput, file_, ": expected a safetensors header that starts with '{'");
    }
    const Json json = parse_json({text, length}, concat(file_, " (safetensors header)"));
    for (const auto& [name, value] : json.items()) {
      if (name == "__metadata__") {
        header.metadata = metadata(value);
      } else {
        header.entries.push_back(entry(name, value));
      }
    }
    check_coverage(header);
    return header;
  }

 private:
  std::uint64_t header_length() const {
    if (bytes_.size() < kLengthField + 2) {
      fail(Cause::BadInput, file_, ": expected a safetensors file, found only ", bytes_.size(),
           " bytes");
    }
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof length);
    const std::uint64_t most = std::min(kLargestHeader, bytes_.size() - kLengthField);
    if (length < 2 || length > most) {
      fail(Cause::BadInput, file_, ": expected a header of 2 to ", most,
           " bytes, found the length ", length,
           "; the file is damaged, cut short or not safetensors");
    }
    return length;
  }

  std::map<std::string, std::string> metadata(const Json& value) const {
    if (!value.is_object()) fail(Cause::BadInput, file_, ": __metadata__ is not an object");
    std::map<std::string, std::string> result;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        fail(Cause::BadInput, file_, ": __metadata__ \"", key, "\": expected a string");
      }
      result[key] = text.get<std::string>();
    }
    return result;
  }

  [[noreturn]] void refuse(const std::string& tensor, const std::string& message) const {
    fail(Cause::BadInput, file_, ": tensor \"", tensor, "\": ", message);
  }

  std::uint64_t natural(const std::string& tensor, const Json& value, const char* what) const {
    const bool natural =
        value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
    if (!natural)
      refuse(tensor, concat(what, ": expected whole numbers >= 0, found ", value.dump()));
    return value.get<std::uint64_t>();
  }

  Entry entry(const std::string& name, const Json& value) const {
    if (!value.is_object()) refuse(name, "expected an object with dtype, shape and data_offsets");
    for (const auto& [key, unused] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        refuse(name, concat("unknown key \"", key, "\""));
      }
    }
    const auto dtype = value.find("dtype"), shape = value.find("shape"),
               offsets = value.find("data_offsets");
    if (dtype == value.end() || !dtype->is_string() || shape == value.end() || !shape->is_array() ||
        offsets == value.end() || !offsets->is_array() || offsets->size() != 2) {
      refuse(name, "expected dtype (a string), shape (a list) and data_offsets (two numbers)");
    }
    Entry result;
    result.name = name;
    result.type = scalar_type(name, dtype->get<std::string>());
    result.begin = natural(name, (*offsets)[0], "data_offsets");
    result.end = natural(name, (*offsets)[1], "data_offsets");
    if (result.end < result.begin) refuse(name, "data_offsets end before they begin");
    const std::uint64_t size = read_shape(result, *shape);
    if (size != result.end - result.begin) {
      refuse(name, concat("shape ", shape->dump(), " of ", dtype->get<std::string>(), " is ", size,
                          " bytes, data_offsets span ", result.end - result.begin));
    }
    return result;
  }

  at::ScalarType scalar_type(const std::string& tensor, const std::string& name) const {
    for (const Dtype& dtype : kDtypes) {
      if (dtype.name == name) return dtype.type;
    }
    refuse(tensor, concat("unknown dtype \"", name, "\""));
  }

  std::uint64_t read_shape(Entry& entry, const Json& shape) const {
    if (shape.size() > kMostDimensions) refuse(entry.name, "too many dimensions");
    std::uint64_t size = c10::elementSize(entry.type);
    std::uint64_t product = size;  // without zeros, so that no stride overflows either
    for (const Json& dimension : shape) {
      const std::uint64_t extent = natural(entry.name, dimension, "shape");
      if (extent > 0 &&
          product > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / extent) {
        refuse(entry.name, concat("the size of shape ", shape.dump(), " overflows"));
      }
      product *= std::max<std::uint64_t>(extent, 1);
      size *= extent;
      entry.shape.push_back(static_cast<std::int64_t>(extent));
    }
    return size;
  }

  // No hole, no overlap, nothing after the last tensor: every byte has exactly one meaning.
  void check_coverage(const Header& header) const {
    const std::uint64_t data = bytes_.size() - header.data_begin;
    std::vector<const Entry*> sorted;
    for (const Entry& entry : header.entries) sorted.push_back(&entry);
    std::stable_sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
      return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
    });
    std::uint64_t expected = 0;
    for (const Entry* entry : sorted) {
      if (entry->begin != expected) {
        refuse(entry->name, concat("expected its data at offset ", expected, ", found ",
                                   entry->begin, "; tensors overlap or leave a hole"));
      }
      if (entry->end > data) {
        refuse(entry->name, concat("its data ends at ", entry->end, " of ", data,
                                   " bytes; the file is cut short"));
      }
      expected = entry->end;
    }
    if (expected != data) {
      fail(Cause::BadInput, file_, ": ", data - expected, " bytes belong to no tensor");
    }
  }

  std::string file_;
  std::span<const std::uint8_t> bytes_;
};

at::Tensor map_tensor(const Entry& entry, std::uint64_t data_begin,
                      const std::shared_ptr<const MappedFile>& file) {
  const auto options = at::TensorOptions().dtype(entry.type);
  if (entry.begin == entry.end) return at::empty(entry.shape, options);
  const std::uint8_t* bytes = file->bytes().data() + data_begin + entry.begin;
  if (reinterpret_cast<std::uintptr_t>(bytes) % c10::elementSize(entry.type) != 0) {
    at::Tensor copy = at::empty(entry.shape, options);
    std::memcpy(copy.data_ptr(), bytes, entry.end - entry.begin);
    return copy;
  }
  return at::from_blob(
      const_cast<std::uint8_t*>(bytes), entry.shape, [file](void*) {}, options);
}

at::ScalarType written_type(const std::string& name, const at::Tensor& tensor,
                            std::optional<at::ScalarType> floats) {
  const at::ScalarType type = floats && tensor.is_floating_point() ? *floats : tensor.scalar_type();
  if (safetensors_dtype(type).empty()) {
    fail(Cause::Usage, "tensor \"", name, "\": dtype ", c10::toString(type),
         " cannot be written to a safetensors file");
  }
  return type;
}

// A narrower format would turn large numbers into infinities, and a picture black.
at::Tensor converted(const std::string& name, const at::Tensor& tensor, at::ScalarType type) {
  const at::Tensor source = tensor.detach().cpu().contiguous();
  if (source.scalar_type() == type) return source;
  at::Tensor result = source.to(type);
  if (result.is_floating_point() && !at::isfinite(result).equal(at::isfinite(source))) {
    fail(Cause::BadInput, "tensor \"", name, "\": holds numbers that do not fit ",
         safetensors_dtype(type), "; choose BF16 or F32");
  }
  return result;
}

std::string header_text(const Json& header, const std::filesystem::path& path) {
  try {
    return header.dump();
  } catch (const Json::exception&) {
    fail(Cause::BadInput, path.string(), ": a tensor's name is not UTF-8, which a header must be");
  }
}

std::span<const std::uint8_t> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

}  // namespace

StateDict load_safetensors(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Header header = HeaderReader(path.string(), file->bytes()).read();
  StateDict tensors;
  for (const Entry& entry : header.entries) {
    tensors.emplace(entry.name, map_tensor(entry, header.data_begin, file));
  }
  return tensors;
}

std::map<std::string, std::string> safetensors_metadata(const std::filesystem::path& path) {
  const MappedFile file(path);
  return HeaderReader(path.string(), file.bytes()).read().metadata;
}

std::string_view safetensors_dtype(at::ScalarType type) {
  for (const Dtype& dtype : kDtypes) {
    if (dtype.type == type) return dtype.name;
  }
  return "";
}

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata,
                      std::optional<at::ScalarType> floats) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const at::ScalarType type = written_type(name, tensor, floats);
    const std::uint64_t end =
        offset + static_cast<std::uint64_t>(tensor.numel()) * c10::elementSize(type);
    header[name] = {{"dtype", safetensors_dtype(type)},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header_text(header, path);
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the tensors start aligned
  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(bytes_of(&length, sizeof length));
  file.write(bytes_of(text.data(), text.size()));
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor flat = converted(name, tensor, written_type(name, tensor, floats));
    if (flat.nbytes() > 0) file.write(bytes_of(flat.const_data_ptr(), flat.nbytes()));
  }
  file.commit();
}

}  // namespace affiche::diffusion

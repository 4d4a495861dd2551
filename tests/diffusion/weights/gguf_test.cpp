// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/gguf.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::diffusion;
using test::contains;
using test::thrown;

namespace {

// A GGUF file byte by byte.
class GgufBytes {
 public:
  GgufBytes() : text_("GGUF") {}
  template <typename Number>
  GgufBytes& number(Number value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  GgufBytes& header(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    return number(version).number(tensors).number(keys);
  }
  GgufBytes& name(const std::string& text) {
    number(static_cast<std::uint64_t>(text.size()));
    text_ += text;
    return *this;
  }
  GgufBytes& tensor(const std::string& text, std::vector<std::uint64_t> dimensions,
                    std::uint32_t type, std::uint64_t offset) {
    name(text).number(static_cast<std::uint32_t>(dimensions.size()));
    for (const std::uint64_t extent : dimensions) number(extent);
    return number(type).number(offset);
  }
  GgufBytes& data(std::size_t bytes) {
    text_.resize((text_.size() + 31) / 32 * 32 + bytes, '\1');
    return *this;
  }
  std::string error() const {
    test::TemporaryFolder folder;
    write_atomically(folder / "a.gguf", text_);
    return thrown([&] { load_gguf(folder / "a.gguf"); });
  }

 private:
  std::string text_;
};

}  // namespace

TEST_CASE("every number format of GGUF gives the reference's values to the last bit") {
  const GgufFile file = load_gguf(golden("formats/types.gguf"));
  const StateDict expected = load_safetensors(golden("formats/types_expected.safetensors"));
  CHECK(file.tensors.size() == 15);
  CHECK(expected.size() == 13);  // F32 and F16 are what they are
  for (const auto& [name, tensor] : file.tensors) {
    INFO(name);
    CHECK(file.types.at(name) == name);
    if (!expected.contains(name)) continue;
    CHECK(at::equal(tensor.to(at::kFloat), expected.at(name)));
  }
  CHECK(file.tensors.at("F16").scalar_type() == at::kHalf);
  CHECK(file.metadata.count("general.architecture") == 1);
}

TEST_CASE("broken GGUF files are refused with their name") {
  for (const auto& [name, part] : {std::pair{"bad_magic.gguf", "expected a GGUF file"},
                                   std::pair{"huge_count.gguf", "1152921504606846976 tensors"},
                                   std::pair{"truncated.gguf", "truncated.gguf"}}) {
    const std::string error = thrown([&] { load_gguf(golden("formats/broken") / name); });
    INFO(error);
    CHECK(error.starts_with("bad_input"));
    CHECK(contains(error, name));
    CHECK(contains(error, part));
  }
}

TEST_CASE("a GGUF file is refused at whatever byte it ends") {
  const Bytes bytes = read_bytes(golden("formats/types.gguf"));
  test::TemporaryFolder folder;
  int read = 0;
  for (std::size_t size = 4; size < bytes.size(); size = size * 9 / 8 + 1) {
    write_atomically(folder / "a.gguf", std::span(bytes.data(), size));
    read += thrown([&] { load_gguf(folder / "a.gguf"); }) == "nothing was thrown" ? 1 : 0;
  }
  CHECK(read == 0);
}

TEST_CASE("tensors of a GGUF file that cannot be are refused by name") {
  constexpr std::uint64_t kHuge = std::uint64_t{1} << 40;
  constexpr std::uint32_t kF32 = 0, kQ4 = 2, kIQ1 = 19;
  const auto one = [](std::vector<std::uint64_t> dimensions, std::uint32_t type,
                      std::uint64_t offset) {
    return GgufBytes()
        .header(1, 0)
        .tensor("a", std::move(dimensions), type, offset)
        .data(64)
        .error();
  };
  CHECK(one({4}, kF32, 0) == "nothing was thrown");
  CHECK(contains(one({kHuge, kHuge}, kF32, 0), "tensor \"a\""));
  CHECK(contains(one({17}, kF32, 0), "beyond the end"));
  CHECK(contains(one({4}, kF32, 64), "beyond the end"));
  CHECK(contains(one({4}, kF32, kHuge), "beyond the end"));
  CHECK(contains(one({4}, kF32, 4), "not aligned"));
  CHECK(contains(one({0}, kF32, 0), "not possible"));
  CHECK(contains(one({16}, kQ4, 0), "multiple of 32"));
  CHECK(contains(one({256}, kIQ1, 0), "IQ1_S is not read"));
  CHECK(contains(one({4}, 99, 0), "type 99 is unknown"));
  CHECK(contains(one(std::vector<std::uint64_t>(40, 1), kF32, 0), "40 dimensions"));
  GgufBytes twice;
  twice.header(2, 0).tensor("a", {4}, kF32, 0).tensor("a", {4}, kF32, 32).data(64);
  CHECK(contains(twice.error(), "occurs twice"));
  GgufBytes shared;
  shared.header(2, 0).tensor("a", {16}, kF32, 0).tensor("b", {16}, kF32, 0).data(64);
  CHECK(contains(shared.error(), "overlaps"));
  CHECK(contains(GgufBytes().header(0, 0, 1).error(), "version 2 or 3"));
}

TEST_CASE("keys of a GGUF file are read without trusting them") {
  constexpr std::uint32_t kU32 = 4, kI32 = 5, kString = 8, kArray = 9;
  GgufBytes nested;
  nested.header(0, 1).name("k").number(kArray);
  for (int i = 0; i < 50; ++i) nested.number(kArray).number(std::uint64_t{1});
  CHECK(contains(nested.data(64).error(), "unknown type"));
  GgufBytes alignment;
  alignment.header(0, 1).name("general.alignment").number(kU32).number(std::uint32_t{0});
  CHECK(contains(alignment.data(64).error(), "general.alignment"));
  GgufBytes text;
  text.header(0, 1).name("k").number(kString).number(std::uint64_t{1} << 62);
  CHECK(contains(text.data(64).error(), "cut short"));
  GgufBytes shape;
  shape.header(1, 1).name("comfy.gguf.orig_shape.a").number(kArray).number(kI32);
  shape.number(std::uint64_t{2}).number(std::int32_t{3}).number(std::int32_t{-1});
  shape.tensor("a", {4}, 0, 0).data(64);
  CHECK(contains(shape.error(), "another number of elements"));
}

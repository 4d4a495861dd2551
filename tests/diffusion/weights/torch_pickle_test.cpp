// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/torch_pickle.h"

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

std::filesystem::path broken(const std::string& name) {
  return golden("formats/broken") / name;
}

std::string error_of(const std::filesystem::path& path) {
  return thrown([&] { load_torch_state_dict(path); });
}

// Protocol 2, with the magic number and the two values that an old file starts with.
std::filesystem::path stream(const test::TemporaryFolder& folder, const std::string& pickle) {
  using namespace std::string_literals;
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s;
  write_atomically(folder / "a.pt", magic + "\x80\x02M\xe9\x03."s + "\x80\x02}."s + pickle);
  return folder / "a.pt";
}

}  // namespace

TEST_CASE("a file of torch.save gives views, parameters and half precision as torch does") {
  const StateDict tensors = load_torch_state_dict(broken("ok_strided_views.ckpt"));
  CHECK(tensors.size() == 6);
  const at::Tensor range = at::arange(24, at::kFloat);
  CHECK(at::equal(tensors.at("t"), range.view({4, 6}).t()));
  CHECK(at::equal(tensors.at("s"), range.slice(0, 3, 9)));
  CHECK(at::equal(tensors.at("shared"), range.slice(0, 0, 24, 2)));
  CHECK(at::equal(tensors.at("p"), at::ones({2})));
  CHECK(at::equal(tensors.at("h"), at::arange(3, at::kHalf)));
  CHECK(at::equal(tensors.at("b"), at::arange(5, 7, at::kBFloat16)));
}

TEST_CASE("a file from before torch 1.6 is read too") {
  const StateDict tensors = load_torch_state_dict(broken("legacy_format.ckpt"));
  const StateDict expected =
      load_safetensors(golden("models/lcm/vae/diffusion_pytorch_model.safetensors"));
  CHECK(tensors.size() == 6);
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    CHECK(at::equal(tensor, expected.at(name)));
  }
}

TEST_CASE("a pickle that names code is refused by that name and nothing runs") {
  const std::filesystem::path marker = "pickle-was-executed.marker";
  std::filesystem::remove(marker);
  for (const char* name : {"malicious.ckpt", "malicious_plain_pickle.pt"}) {
    const std::string error = error_of(broken(name));
    INFO(error);
    CHECK(contains(error, name));
    CHECK(contains(error, "eval"));
    CHECK(contains(error, "safetensors"));
  }
  CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("a ZIP archive without its directory is refused as cut short") {
  CHECK(contains(error_of(broken("truncated.ckpt")), "cut short"));
}

TEST_CASE("compressed entries of a ZIP archive are refused") {
  test::TemporaryFolder folder;
  Bytes bytes = read_bytes(broken("ok_strided_views.ckpt"));
  // The method of the first entry in the directory: deflated instead of stored.
  for (std::size_t i = 0; i + 11 < bytes.size(); ++i) {
    if (bytes[i] == 'P' && bytes[i + 1] == 'K' && bytes[i + 2] == 1 && bytes[i + 3] == 2) {
      bytes[i + 10] = 8;
      break;
    }
  }
  write_atomically(folder / "a.ckpt", bytes);
  CHECK(contains(error_of(folder / "a.ckpt"), "compressed"));
}

TEST_CASE("every prefix of a file of torch.save is refused without harm") {
  test::TemporaryFolder folder;
  for (const char* name : {"ok_strided_views.ckpt", "legacy_format.ckpt"}) {
    const Bytes bytes = read_bytes(broken(name));
    int read = 0;
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
      write_atomically(folder / "a.ckpt", std::span(bytes.data(), size));
      read += error_of(folder / "a.ckpt") == "nothing was thrown" ? 1 : 0;
    }
    CHECK(read == 0);
  }
}

TEST_CASE("pickles that use what they did not make are refused") {
  using namespace std::string_literals;
  test::TemporaryFolder folder;
  const std::string storage =
      "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"s + "0X\x03\0\0\0"s + "cpuK\x04tQ"s;
  const std::pair<const char*, std::string> cases[] = {
      {"an empty stack", "\x80\x02."s},
      {"a memo that was not filled", "\x80\x02h\x05."s},
      {"a mark that was not set", "\x80\x02t."s},
      {"an item for no dictionary", "\x80\x02K\x01K\x02K\x03s."s},
      {"a call of a number", "\x80\x02K\x01)R."s},
      {"a call without arguments", "\x80\x02"s + "ctorch._utils\n_rebuild_tensor_v2\n)R."s},
      {"a name of the operating system", "\x80\x02"s + "cposix\nsystem\nX\x02\0\0\0ls\x85R."s},
      {"an instance by its class", "\x80\x02(iposix\nsystem\n."s},
      {"a string longer than the file", "\x80\x02X\xff\xff\xff\x7f"s},
      {"text beyond the end", "\x80\x02"s + "ctorch"s},
      {"a storage that is not there", "\x80\x02}X\x01\0\0\0a"s +
                                          "ctorch._utils\n_rebuild_tensor_v2\n("s + storage +
                                          "K\0K\x04\x85K\x01\x85\x89}tRs.\x80\x02]."s},
  };
  for (const auto& [what, pickle] : cases) {
    const std::string error = error_of(stream(folder, pickle));
    INFO(what << ": " << error);
    CHECK(error.starts_with("bad_input"));
    CHECK(contains(error, "a.pt"));
  }
}

TEST_CASE("a small pickle cannot ask for endless copies of itself") {
  using namespace std::string_literals;
  test::TemporaryFolder folder;
  std::string pickle = "\x80\x02("s;
  for (int i = 0; i < 2000; ++i) pickle += "K\x01"s;
  pickle += "lq\0"s + "ctorch\nSize\nq\x01"s;
  for (int i = 0; i < 3000; ++i) pickle += "h\x01h\0\x85R"s;
  CHECK(contains(error_of(stream(folder, pickle + ".\x80\x02]."s)), "over and over"));
}

TEST_CASE("a dictionary that contains itself ends") {
  using namespace std::string_literals;
  test::TemporaryFolder folder;
  const auto path = stream(folder, "\x80\x02}q\0X\x0a\0\0\0state_dicth\0s.\x80\x02]."s);
  CHECK(contains(error_of(path), "expected a dictionary of tensors"));
}

TEST_CASE("an embedding file keeps its other entries beside the tensors") {
  const TorchPickle file = load_torch_pickle(golden("textual_inversion/moss-style.pt"));
  const PickleValue* name = file.root().find("name");
  REQUIRE(name != nullptr);
  CHECK(*name->get<std::string>() == "moss-style");
  CHECK(*file.root().find("step")->get<std::int64_t>() == 400);
  const PickleValue* vectors = file.root().find("string_to_param")->find("*");
  CHECK(vectors->get<at::Tensor>()->sizes() == at::IntArrayRef({3, 32}));
}

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/safetensors.h"

#include <unistd.h>

#include <cstring>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/nn/autoencoder_kl.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

std::filesystem::path temporary(const std::string& name) {
  return std::filesystem::temp_directory_path() / concat("affiche-", ::getpid(), "-", name);
}

// Reads a VAE file of models/lcm's architecture and hands its tensors to the network.
void load_as_vae(const std::filesystem::path& path) {
  AutoencoderKL vae(AutoencoderKLConfig::from_json(golden_json("models/lcm/vae/config.json")));
  vae.parameters().load(load_safetensors(path), at::kFloat, at::kCPU, "", path.string());
}

std::string error_of(const std::filesystem::path& path) {
  try {
    if (path.filename().string().starts_with("vae_")) {
      load_as_vae(path);
    } else {
      load_safetensors(path);
    }
  } catch (const Error& error) {
    CHECK(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every broken safetensors file is refused with its name and the tensor") {
  const Json expect = golden_json("formats/broken/expect.json");
  int seen = 0;
  for (const Json& item : expect["cases"]) {
    const std::string name = item["file"];
    if (!name.ends_with(".safetensors")) continue;
    ++seen;
    const std::string message = error_of(golden("formats/broken/" + name));
    INFO(name << ": " << message);
    if (item["expect"] == "accepted") {
      CHECK(message.empty());
      continue;
    }
    CHECK(message.find(name) != std::string::npos);
    if (item["tensor"].is_string()) {
      CHECK(message.find(concat("\"", item["tensor"].get<std::string>(), "\"")) !=
            std::string::npos);
    }
  }
  CHECK(seen == 27);
}

TEST_CASE("all dtypes of a safetensors file keep their values") {
  const StateDict tensors = load_safetensors(golden("formats/broken/ok_all_dtypes.safetensors"));
  CHECK(tensors.size() == 8);
  std::map<at::ScalarType, std::vector<double>> values;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.numel() == 0) continue;
    const at::Tensor wide = tensor.to(at::kDouble).flatten();
    for (std::int64_t i = 0; i < wide.numel(); ++i) {
      values[tensor.scalar_type()].push_back(wide[i].item<double>());
    }
  }
  CHECK(values[at::kDouble] == std::vector<double>{1.5});
  CHECK(values[at::kLong] == std::vector<double>{-7});
  CHECK(values[at::kBFloat16] == std::vector<double>{1.5, -2});
  CHECK(values[at::kHalf] == std::vector<double>{1.5, -2});
  CHECK(values[at::kInt] == std::vector<double>{9});
  CHECK(values[at::kByte] == std::vector<double>{1, 2, 3});
  CHECK(values[at::kBool] == std::vector<double>{1});
}

TEST_CASE("what save_safetensors writes load_safetensors reads back bit by bit") {
  const auto path = temporary("round.safetensors");
  StateDict tensors;
  std::int64_t seed = 0;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte}) {
    tensors[concat("t.", c10::toString(type))] =
        (at::arange(15).reshape({3, 5}) + seed++).to(type).t();
  }
  tensors["one byte, so that others start unaligned"] = at::ones({1}, at::kByte);
  tensors["a scalar"] = at::scalar_tensor(2.5);
  tensors["empty"] = at::empty({0, 4});
  save_safetensors(path, tensors, {{"format", "pt"}, {"quote", "\"\n\xc3\xa9"}});
  const StateDict read = load_safetensors(path);
  REQUIRE(read.size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    CHECK(at::equal(read.at(name), tensor));
    CHECK(read.at(name).scalar_type() == tensor.scalar_type());
  }
  CHECK(safetensors_metadata(path).at("quote") == "\"\n\xc3\xa9");
  std::filesystem::remove(path);
}

TEST_CASE("mapped tensors outlive the call that loaded them") {
  at::Tensor kept;
  {
    StateDict tensors =
        load_safetensors(golden("models/sd15/unet/diffusion_pytorch_model.safetensors"));
    kept = tensors.at("conv_in.weight");
  }
  CHECK(kept.sizes() == at::IntArrayRef({16, 4, 3, 3}));
  CHECK(std::isfinite(kept.to(at::kFloat).sum().item<float>()));
}

TEST_CASE("no cut and no flipped byte of a header crashes the reader") {
  const Bytes good = read_bytes(golden("formats/broken/ok_all_dtypes.safetensors"));
  const auto path = temporary("mutant.safetensors");
  const auto survive = [&](const Bytes& bytes) {
    write_atomically(path, bytes);
    try {
      for (const auto& [name, tensor] : load_safetensors(path)) tensor.to(at::kDouble).sum();
    } catch (const Error& error) {
      CHECK(error.cause() == Cause::BadInput);
    }
  };
  for (std::size_t length = 0; length < good.size(); length += 7) {
    survive(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)));
  }
  for (std::size_t at = 0; at < good.size(); at += 3) {
    for (const int flip : {1, 2, 16, 128}) {
      Bytes bytes = good;
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ flip);
      survive(bytes);
    }
  }
  std::filesystem::remove(path);
}

// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "catch.h"
#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/goldens.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::diffusion;
using test::contains;
using test::thrown;
namespace fs = std::filesystem;

namespace {

const std::string kStem = "diffusion_pytorch_model";

StateDict vae_weights() {
  return load_safetensors(golden("models/lcm/vae/diffusion_pytorch_model.safetensors"));
}

// models/lcm's VAE without weights, so that each test can lay them down as it likes.
class VaeFolder : public test::TemporaryFolder {
 public:
  VaeFolder() { fs::copy(golden("models/lcm/vae/config.json"), path() / "config.json"); }

  // Two shards and their index, as save_pretrained(max_shard_size=…) writes them.
  Json shard(const std::string& variant = "") {
    StateDict halves[2];
    Json map = Json::object();
    for (const auto& [name, tensor] : vae_weights()) {
      const std::size_t half = name.starts_with("encoder.") ? 0 : 1;
      halves[half].emplace(name, tensor);
      map[name] = shard_name(variant, half);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      save_safetensors(path() / shard_name(variant, i), halves[i]);
    }
    const Json index = {{"metadata", {{"total_size", 1}}}, {"weight_map", map}};
    write_index(index, variant);
    return index;
  }

  void write_index(const Json& index, const std::string& variant = "") {
    write_atomically(path() / (kStem + ".safetensors.index." + variant + "json"), index.dump());
  }

  static std::string shard_name(const std::string& variant, std::size_t i) {
    return concat(kStem, variant.empty() ? "" : ".",
                  variant.substr(0, variant.empty() ? 0 : variant.size() - 1), "-0000", i + 1,
                  "-of-00002.safetensors");
  }

  CheckpointPart open(bool allow_pickle = false) const {
    return open_part(path(), "AutoencoderKL", {.allow_pickle = allow_pickle});
  }
};

bool same_weights(const StateDict& a, const StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && at::equal(x.second, y.second);
  });
}

}  // namespace

TEST_CASE("shards that an index names are one set of weights") {
  VaeFolder folder;
  folder.shard();
  CHECK(same_weights(folder.open().weights, vae_weights()));
  CHECK(folder.open().files.size() == 2);
}

TEST_CASE("a variant is taken when there is no plain file, also in shards") {
  {
    VaeFolder folder;
    save_safetensors(folder / (kStem + ".fp16.safetensors"), vae_weights());
    CHECK(same_weights(folder.open().weights, vae_weights()));
  }
  {
    VaeFolder folder;
    folder.shard("fp16.");
    CHECK(same_weights(folder.open().weights, vae_weights()));
  }
}

TEST_CASE("the plain file counts more than variants, and fp32 more than fp16") {
  VaeFolder folder;
  const auto file_for = [&](const char* variant) {
    return folder / (kStem + variant + ".safetensors");
  };
  for (const char* variant : {".non_ema", ".fp16", ".fp32", ""}) {
    save_safetensors(file_for(variant), vae_weights());
    CHECK(folder.open().files == std::vector{file_for(variant)});
  }
}

TEST_CASE("shards that disagree with their index are refused by name") {
  VaeFolder folder;
  const Json good = folder.shard();
  const std::string first = VaeFolder::shard_name("", 0), second = VaeFolder::shard_name("", 1);
  const auto error = [&] { return thrown([&] { folder.open(); }); };

  Json index = good;
  index["weight_map"]["encoder.conv_in.bias"] = second;
  folder.write_index(index);
  CHECK(contains(error(), "encoder.conv_in.bias"));

  index = good;
  index["weight_map"]["encoder.more.weight"] = first;
  folder.write_index(index);
  CHECK(contains(error(), "the tensor \"encoder.more.weight\" is missing"));

  index = good;
  index["weight_map"].erase("encoder.conv_in.bias");
  folder.write_index(index);
  CHECK(contains(error(), "encoder.conv_in.bias"));

  folder.write_index(good);
  fs::remove(folder / second);
  CHECK(contains(error(), "the shard " + second + " is missing"));
}

TEST_CASE("an index cannot name files elsewhere") {
  VaeFolder folder;
  for (const char* name : {"../a.safetensors", "/etc/passwd", "..", "", "a/b.safetensors"}) {
    folder.write_index({{"weight_map", {{"encoder.conv_in.bias", name}}}});
    const std::string error = thrown([&] { folder.open(); });
    INFO(error);
    CHECK(contains(error, "expected names of files beside it"));
  }
  for (const Json& map : {Json(1), Json::object(), Json::array(), Json({{"a", 5}})}) {
    folder.write_index({{"weight_map", map}});
    CHECK(thrown([&] { folder.open(); }).starts_with("bad_input"));
  }
}

TEST_CASE("pickled weights of a folder are refused until they are allowed") {
  VaeFolder folder;
  fs::copy(golden("formats/broken/legacy_format.ckpt"), folder / (kStem + ".bin"));
  const std::string error = thrown([&] { folder.open(); });
  CHECK(error.starts_with("refused"));
  CHECK(contains(error, "--allow-pickle"));
  CHECK(folder.open(true).weights.size() == 6);
}

TEST_CASE("model_index.json cannot name parts elsewhere") {
  test::TemporaryFolder folder;
  for (const char* name : {"../vae", "/vae", "..", "a/b"}) {
    write_atomically(
        folder / "model_index.json",
        Json({{"_class_name", "X"}, {name, Json::array({"diffusers", "AutoencoderKL"})}}).dump());
    CHECK(contains(thrown([&] { open_checkpoint(folder.path()); }), "names of folders in it"));
  }
}

TEST_CASE("a safetensors file is no pickle whatever the length of its header") {
  VaeFolder folder;
  // A header of 640 bytes makes the file start with 0x80 0x02, as pickles do.
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  header.resize(640, ' ');
  std::string text("\x80\x02\0\0\0\0\0\0", 8);
  text += header + std::string(4, '\0');
  write_atomically(folder / (kStem + ".safetensors"), text);
  CHECK(folder.open().weights.size() == 1);
}

TEST_CASE("a folder without weights says what was expected") {
  VaeFolder folder;
  CHECK(contains(thrown([&] { folder.open(); }), "expected diffusion_pytorch_model.safetensors"));
}

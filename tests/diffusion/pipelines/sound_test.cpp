// SPDX-License-Identifier: Apache-2.0
// What a pipeline does when things go wrong or go on for long.
#include <ATen/ATen.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <new>
#include <thread>

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"
#include "diffusion/pipelines/out_of_memory.h"
#include "diffusion/pipelines/stable_diffusion.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

std::unique_ptr<StableDiffusionPipeline> tiny(at::ScalarType dtype = at::kFloat) {
  return StableDiffusionPipeline::from_folder(golden("models/sd15"), dtype, at::kCPU);
}

GenerateRequest small_request(std::int64_t seed = 1) {
  GenerateRequest request;
  request.prompts = {"a castle on a hill"};
  request.seeds = {seed};
  request.num_inference_steps = 2;
  request.scheduler = "EulerDiscreteScheduler";
  request.height = request.width = 64;
  return request;
}

at::Tensor& slot(Parameters& parameters, const std::string& name) {
  return *parameters.find(name)->tensor;
}

std::string error_of(const std::function<void()>& work, Cause cause) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(error.cause() == cause);
    return error.what();
  }
  FAIL("no error");
  return "";
}

double own_memory_mib() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t all = 0, resident = 0, shared = 0;
  statm >> all >> resident >> shared;
  return static_cast<double>((resident - shared) * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

TEST_CASE(
    "a decoder that overflows in half precision runs again in float32 and the result says so") {
  const auto pipeline = tiny(at::kHalf);
  at::Tensor& weight = slot(pipeline->components().vae->parameters(), "decoder.conv_in.weight");
  const Generation before = pipeline->generate(small_request());
  CHECK_FALSE(before.vae_in_float32);
  CHECK(before.warnings.empty());
  // Beyond 65504 after the first layer, and taken back by the norm that follows.
  weight = weight * 60000;
  const Generation made = pipeline->generate(small_request());
  CHECK(made.vae_in_float32);
  REQUIRE(made.warnings.size() == 1);
  CHECK(made.warnings[0].find("decoded again in float32") != std::string::npos);
  CHECK(at::isfinite(made.decoded).all().item<bool>());
}

TEST_CASE("a decoder that is not finite in float32 either is an error, never a black picture") {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
      CAPTURE(c10::toString(dtype), bad);
      const auto pipeline = tiny(dtype);
      at::Tensor& bias = slot(pipeline->components().vae->parameters(), "decoder.conv_out.bias");
      bias = at::full_like(bias, bad);
      const std::string error =
          error_of([&] { pipeline->generate(small_request()); }, Cause::Internal);
      CHECK(error.find("autoencoder") != std::string::npos);
    }
  }
}

TEST_CASE("a UNet whose output is not finite is an error that names the step and the remedy") {
  const auto pipeline = tiny(at::kBFloat16);
  at::Tensor& bias = slot(pipeline->components().unet->parameters(), "conv_out.bias");
  bias = at::full_like(bias, std::nan(""));
  const std::string error = error_of([&] { pipeline->generate(small_request()); }, Cause::Internal);
  CHECK(error.find("UNet's output in step 1 ") != std::string::npos);
  CHECK(error.find("--dtype fp32") != std::string::npos);
}

TEST_CASE("a generation can be cancelled before every step and stage") {
  const auto pipeline = tiny();
  // Asked before the text encoder, each of two steps, and the decoder.
  for (int stop = 0; stop < 4; ++stop) {
    CAPTURE(stop);
    int asked = 0;
    Watch watch;
    watch.cancelled = [&] { return asked++ == stop; };
    error_of([&] { pipeline->generate(small_request(), watch); }, Cause::Cancelled);
    CHECK(asked == stop + 1);
  }
}

TEST_CASE("threads that share a pipeline give the pictures that each gives alone") {
  const auto pipeline = tiny();
  constexpr int kThreads = 3, kEach = 4;
  std::vector<at::Tensor> alone, together(kThreads * kEach);
  for (int i = 0; i < kThreads * kEach; ++i) {
    alone.push_back(pipeline->generate(small_request(i)).decoded);
  }
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = t * kEach; i < (t + 1) * kEach; ++i) {
          together[static_cast<std::size_t>(i)] = pipeline->generate(small_request(i)).decoded;
        }
      });
    }
  }
  for (std::size_t i = 0; i < alone.size(); ++i) CHECK(at::equal(together[i], alone[i]));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("memory stays flat over many pictures") {
  const auto pipeline = tiny();
  const auto make = [&](int count) {
    for (int i = 0; i < count; ++i) pipeline->generate(small_request(i));
  };
  make(50);
  const double before = own_memory_mib();
  make(200);
  // The results of one generation are 0.1 MiB; those of all would be twenty.
  CHECK(own_memory_mib() - before < 8);
}
#endif

TEST_CASE("every way of running out of memory becomes one error with the need and the remedy") {
  const auto message = [](const auto& exception) {
    return error_of(
        [&] {
          try {
            throw exception;
          } catch (...) {
            rethrow_out_of_memory("decoding 2 pictures of 512x512", "take less");
          }
        },
        Cause::Unavailable);
  };
  CHECK(message(std::bad_alloc()) ==
        "decoding 2 pictures of 512x512: out of memory: more was needed than there is; take less");
  CHECK(message(c10::Error({__func__, __FILE__, 1},
                           "DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                           "1073741824 bytes. Error code 12 (Cannot allocate memory)")) ==
        "decoding 2 pictures of 512x512: out of memory: 1025 MiB more were needed; take less");
  CHECK(message(c10::OutOfMemoryError({__func__, __FILE__, 1},
                                      "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0")) ==
        "decoding 2 pictures of 512x512: out of memory: 2561 MiB more were needed; take less");
  // What libtorch itself says here and now.
  try {
    static_cast<void>(at::empty({std::int64_t{1} << 50}));
    FAIL("a petabyte");
  } catch (...) {
    const std::string error =
        error_of([] { rethrow_out_of_memory("a test", "take less"); }, Cause::Unavailable);
    CHECK(error.find("4294967297 MiB more were needed") != std::string::npos);
  }
  // Other errors stay what they are.
  CHECK_THROWS_AS(
      [] {
        try {
          throw std::logic_error("other");
        } catch (...) {
          rethrow_out_of_memory("", "");
        }
      }(),
      std::logic_error);
}

TEST_CASE("previews come after every few steps and are of the picture's size") {
  const auto pipeline = tiny();
  GenerateRequest request = small_request();
  request.num_inference_steps = 7;
  request.num_images_per_prompt = 2;
  request.seeds = {1, 2};
  std::vector<std::int64_t> seen;
  Watch watch;
  watch.preview_every = 3;
  watch.preview = [&](std::int64_t done, std::int64_t total, const at::Tensor& pictures) {
    seen.push_back(done);
    CHECK(total == 7);
    CHECK(pictures.sizes() == at::IntArrayRef({2, 64, 64, 3}));
    CHECK(pictures.scalar_type() == at::kByte);
  };
  const Generation watched = pipeline->generate(request, watch);
  CHECK(seen == std::vector<std::int64_t>{3, 6});
  CHECK(at::equal(watched.images, pipeline->generate(request).images));
}

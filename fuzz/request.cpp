// SPDX-License-Identifier: Apache-2.0
// Requests as JSON, from files and over HTTP.
#include "base/json.h"
#include "diffusion/pipelines/request_json.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace affiche;
  return fuzz::expect_error_or_nothing([&] {
    const Json json = parse_json(fuzz::text_of(data, size), "input");
    static_cast<void>(diffusion::read_request(json, "/nowhere", "input"));
  });
}

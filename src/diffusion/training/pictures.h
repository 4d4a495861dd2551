// SPDX-License-Identifier: Apache-2.0
// Pictures on their way into and out of training.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "imaging/image.h"

namespace affiche::diffusion {

// Reads a picture file as RGB. The diffusion library itself reads binary PPM only; the program
// passes a decoder that knows more.
using PictureReader = std::function<Image(const std::filesystem::path&)>;

using PictureWriter = std::function<void(const std::filesystem::path&, const Image&)>;

// How pictures become files: PPM, or what the program that links this library knows.
struct PictureFiles {
  PictureReader read;
  PictureWriter write;
  std::string extension;  // of what `write` writes: ".ppm", ".png"
  // The background prompt of a brand file; empty where the program knows no brands.
  std::function<std::string(const std::filesystem::path&)> brand_prompt;
};

Image read_ppm(const std::filesystem::path& path);
void write_ppm(const std::filesystem::path& path, const Image& image);

// 3×H×W float32 in [-1, 1], and back with clipping and rounding.
at::Tensor tensor_of(const Image& image);
Image image_of(const at::Tensor& picture);
// N×3×H×W to one picture, row by row with `columns` pictures in a row.
Image contact_sheet(const at::Tensor& pictures, int columns);

// Scales to cover width × height by box averaging or bilinear mixing, and cuts the middle out.
Image cover(const Image& image, int width, int height);

}  // namespace affiche::diffusion

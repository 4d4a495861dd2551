// SPDX-License-Identifier: Apache-2.0
// A picture on a larger canvas, ready to be painted to its edges.
#pragma once

#include "diffusion/pipelines/request.h"
#include "imaging/image.h"

namespace affiche::diffusion {

struct OutpaintCanvas {
  Image picture;  // the image where it belongs; around it its border pixels repeat
  Image mask;     // white: painted anew; the image's border, `overlap` wide on grown sides, too
  Image seam;     // as the mask, but fading over the overlap: how the old is laid over the new
};

// `width` x `height`: the canvas, at most as large as image and growth together. Usage when nothing
// grows, or for negative numbers.
OutpaintCanvas make_canvas(const Image& image, const Outpaint& grow, std::int64_t width,
                           std::int64_t height);

}  // namespace affiche::diffusion

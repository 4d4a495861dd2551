// SPDX-License-Identifier: Apache-2.0
// A first guess for an autoencoder that already works: a box filter and a smooth enlargement.
#pragma once

#include "diffusion/nn/autoencoder_kl.h"

namespace affiche::diffusion {

// Changes freshly initialised weights so that encode() averages blocks of pixels and decode()
// enlarges them smoothly, and training only has to add what that loses. From random weights the
// same network needs thousands of steps before flat colours come back.
//
// Eight channels carry the picture through all levels: R, G, B, -R, -G, -B and two constants +-K.
// In a group norm over such channels the mean is 0 and the deviation nearly constant, so absolute
// colour survives it; and silu(x) - silu(-x) = x undoes the activation. All residual branches start
// at zero. The first three latents are an orthogonal mix of the colours: lightness and two
// differences. Usage when a level has fewer than eight channels a group.
void start_as_box_filter(AutoencoderKL& vae);

}  // namespace affiche::diffusion

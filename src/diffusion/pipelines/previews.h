// SPDX-License-Identifier: Apache-2.0
// How a run serves its Watch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "diffusion/nn/latent_preview.h"
#include "diffusion/pipelines/generation.h"
#include "diffusion/pipelines/vae_latents.h"

namespace affiche::diffusion {

// Cancelled when the watch says so.
inline void check_cancelled(const Watch& watch, const std::string& what_is_next) {
  if (!watch.cancelled || !watch.cancelled()) return;
  fail(Cause::Cancelled, "generation stopped before ", what_is_next);
}

// Shows what Watch asks for. An autoencoder that cannot be previewed is a warning, no failure.
class Previews {
 public:
  // `shifted`: as unscaled_latents(). All must outlive this.
  Previews(const Watch& watch, const Autoencoder& vae, bool shifted,
           std::vector<std::string>& warnings)
      : watch_(watch),
        vae_(vae),
        shifted_(shifted),
        warnings_(warnings),
        wanted_(watch.preview != nullptr) {}

  // latents: N x C x h x w.
  void show(std::int64_t done, std::int64_t steps, const at::Tensor& latents) {
    if (!wanted_ || done % watch_.preview_every != 0 || !learned()) return;
    watch_.preview(done, steps, preview_pictures(*preview_, vae_, latents, shifted_));
  }

 private:
  bool learned() {
    if (preview_) return true;
    try {
      preview_.emplace(vae_);
    } catch (const Error& error) {
      warnings_.push_back(concat("no preview: ", error.what()));
      wanted_ = false;
    }
    return wanted_;
  }

  const Watch& watch_;
  const Autoencoder& vae_;
  bool shifted_;
  std::vector<std::string>& warnings_;
  bool wanted_;
  std::optional<LatentPreview> preview_;
};

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
// What text-to-image with a transformer has in common in Stable Diffusion 3 and Flux: the options
// taken, the loop over flow matching steps, the decoder with its shift.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/pipelines/pipeline.h"
#include "diffusion/pipelines/prompt_encoding.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {

class TransformerPipeline : public Pipeline {
 public:
  Generation generate(const GenerateRequest& request, const Watch& watch = {}) const override;
  Traits traits() const override { return {shared_.scheduler}; }

 protected:
  // Signature of the pipeline's __call__ in diffusers 0.42, and what its check_inputs() asks for.
  struct Family {
    const char* pipeline_class;
    double guidance_scale;
    std::int64_t max_sequence_length;
    std::int64_t sample_size;             // of latents, where no size is asked for
    std::int64_t patch_size;              // of latents that are one token
    std::vector<std::string> schedulers;  // that it runs with
    bool rounds_size;                     // rather than refusing what is no multiple
  };
  struct Shared {
    std::unique_ptr<Autoencoder> vae;
    CheckpointScheduler scheduler;  // the model's own
    std::vector<std::string> warnings;
    at::ScalarType dtype;
    at::Device device;
  };
  // A request with nothing left open.
  struct Plan {
    std::int64_t pictures = 1, height = 0, width = 0, num_inference_steps = 28;
    std::int64_t rows = 0, columns = 0;  // tokens
    double guidance_scale = 0;
    std::int64_t max_sequence_length = 0;
  };
  // What the transformer reads in every step; the unguided half first.
  struct Text {
    at::Tensor context, pooled;
    bool guided = false;
  };

  TransformerPipeline(Family family, Shared shared)
      : family_(std::move(family)), shared_(std::move(shared)) {}
  const Shared& shared() const { return shared_; }

  // Usage for options that this family does not take beside those that none of them takes.
  virtual void check(const GenerateRequest& request, std::vector<std::string>& warnings) const = 0;
  // The negative embeddings are undefined where the transformer is asked once a step.
  virtual PromptEmbeds encode(const GenerateRequest& request, const Plan& plan,
                              std::vector<std::string>& warnings) const = 0;
  virtual RunOptions schedule(const Plan& plan, double mu) const = 0;
  // Latents as the VAE has them to what the transformer works on, and back.
  virtual at::Tensor pack(const at::Tensor& latents, const Plan& plan) const = 0;
  virtual at::Tensor unpack(const at::Tensor& latents, const Plan& plan) const = 0;
  // The velocity, after guidance. timestep: one number, 0 to 1000.
  virtual at::Tensor predict(const at::Tensor& latents, const at::Tensor& timestep,
                             const Text& text, const Plan& plan) const = 0;

 private:
  Plan make_plan(const GenerateRequest& request, std::vector<std::string>& warnings) const;
  std::unique_ptr<Scheduler> start_schedule(const GenerateRequest& request, const Plan& plan) const;
  // `stage`: what is being done, for errors.
  Generation stages(const GenerateRequest& request, const Plan& plan, const Watch& watch,
                    std::vector<std::string> warnings, std::string& stage) const;
  void run(Scheduler& scheduler, const StepOptions& options, const Text& text, const Plan& plan,
           at::Tensor latents, const Watch& watch, Generation& result) const;

  Family family_;
  Shared shared_;
};

}  // namespace affiche::diffusion

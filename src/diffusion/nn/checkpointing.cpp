// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/checkpointing.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>

#include "diffusion/nn/low_rank_branch.h"

namespace affiche::diffusion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

thread_local bool checkpointing = false;

using Block = std::function<at::Tensor(const BlockInputs&)>;

// What the two runs need beside the tensors.
struct Again : torch::CustomClassHolder {
  Block block;
  at::Tensor result;  // of the first one
  std::shared_ptr<const LowRankBranches> branches;
};

struct Checkpointed : torch::autograd::Function<Checkpointed> {
  // `always` has a gradient, so that the result has one too when only weights inside the block do.
  static at::Tensor forward(AutogradContext* context, const at::Tensor& /*always*/,
                            const at::Tensor& hidden, const std::optional<at::Tensor>& skip,
                            const std::optional<at::Tensor>& time,
                            const std::optional<at::Tensor>& text,
                            const c10::intrusive_ptr<Again>& again) {
    context->save_for_backward({hidden, skip.value_or(at::Tensor()), time.value_or(at::Tensor()),
                                text.value_or(at::Tensor())});
    context->saved_data["again"] = c10::IValue::make_capsule(again);
    return std::exchange(again->result, {});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const auto again =
        c10::static_intrusive_pointer_cast<Again>(context->saved_data["again"].toCapsule());
    const at::AutoGradMode with_gradients(true);
    const ShownBranches shown(again->branches);
    variable_list inputs;
    for (const at::Tensor& tensor : saved)
      inputs.push_back(tensor.defined() ? tensor.detach().requires_grad_(tensor.requires_grad())
                                        : tensor);
    const at::Tensor result = again->block({inputs[0], inputs[1], inputs[2], inputs[3]});
    // Adds to the gradients of the weights' masters as it goes.
    torch::autograd::backward({result}, {gradients[0]});
    variable_list answers = {at::Tensor()};
    for (const at::Tensor& input : inputs)
      answers.push_back(input.defined() ? input.grad() : at::Tensor());
    answers.emplace_back();
    return answers;
  }
};

}  // namespace

Checkpointing::Checkpointing(bool on) : before_(std::exchange(checkpointing, on)) {}

Checkpointing::~Checkpointing() {
  checkpointing = before_;
}

at::Tensor run_block(Block block, const BlockInputs& inputs) {
  if (!checkpointing || !c10::GradMode::is_enabled()) return block(inputs);
  // With the graph that is then dropped: layers choose the same arithmetic as without checkpoints.
  const at::Tensor result = block(inputs);
  if (!result.requires_grad()) return result;
  auto again = c10::make_intrusive<Again>();
  again->block = std::move(block);
  again->result = result.detach();
  again->branches = ShownBranches::now();
  const at::Tensor always = at::zeros({1}, inputs.hidden.options()).requires_grad_(true);
  const auto optional = [](const at::Tensor& tensor) { return std::optional<at::Tensor>(tensor); };
  return Checkpointed::apply(always, inputs.hidden, optional(inputs.skip), optional(inputs.time),
                             optional(inputs.text), again);
}

}  // namespace affiche::diffusion

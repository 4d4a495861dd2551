// SPDX-License-Identifier: Apache-2.0
// Files of torch.save() (.ckpt, .pt, .pth, .bin), read without running anything in them: the ZIP
// form of torch 1.6 and later, and the bare stream of older ones.
#pragma once

#include <filesystem>
#include <memory>

#include "diffusion/weights/pickle.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// A file's content. Nodes and tensors that lie in the mapping keep it alive; PickleValue pointers
// live as long as the document.
class TorchPickle {
 public:
  const PickleValue& root() const { return *root_; }

 private:
  friend TorchPickle load_torch_pickle(const std::filesystem::path& path);
  std::shared_ptr<PickleMachine> machine_;
  const PickleValue* root_ = nullptr;
};

// Maps the file. Tensors are read-only views of it where their bytes are aligned, with the strides
// of the file. Of classes and functions only those that make plain containers and tensors of torch
// may occur; any other is refused by its name, before anything else is read: BadInput. Safe for
// files from anywhere; whether such files are wanted at all is the caller's choice.
TorchPickle load_torch_pickle(const std::filesystem::path& path);

// The tensors of the file by name: of the dictionary itself, or of "state_dict" in it, as diffusers
// looks for it. Entries that are no tensors are left out; tensors are contiguous. BadInput when
// there are none.
StateDict load_torch_state_dict(const std::filesystem::path& path);

// Whether the file starts as one of torch.save() does: a ZIP archive or a pickle.
bool is_torch_pickle(const std::filesystem::path& path);

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/part_loader.h"

#include <algorithm>

#include "base/error.h"

namespace affiche::diffusion {

CheckpointPart& PartLoader::part(const std::string& name, const std::vector<std::string>& classes) {
  const auto found = checkpoint.parts.find(name);
  if (found == checkpoint.parts.end()) {
    fail(Cause::BadInput, what, ": expected the part \"", name, "\", found none");
  }
  const std::string& class_name = found->second.class_name;
  if (std::find(classes.begin(), classes.end(), class_name) != classes.end()) return found->second;
  std::string expected = classes[0];
  for (std::size_t i = 1; i < classes.size(); ++i) expected += " or " + classes[i];
  fail(Cause::BadInput, what, ": \"", name, "\": expected ", expected, ", found ", class_name);
}

std::unique_ptr<CLIPTextModel> PartLoader::text_encoder(const std::string& name,
                                                        const std::vector<std::string>& classes) {
  CheckpointPart& source = part(name, classes);
  return fill(
      std::make_unique<CLIPTextModel>(CLIPTextConfig::from_json(source.config, source.class_name)),
      source);
}

CLIPTokenizer PartLoader::tokenizer(const std::string& name) {
  const auto found = checkpoint.tokenizers.find(name);
  if (found == checkpoint.tokenizers.end()) {
    fail(Cause::BadInput, what, ": expected the part \"", name, "\", found none");
  }
  return std::move(found->second);
}

CheckpointScheduler PartLoader::scheduler() const {
  const auto found = checkpoint.schedulers.find("scheduler");
  if (found != checkpoint.schedulers.end()) return found->second;
  fail(Cause::BadInput, what, ": expected the part \"scheduler\", found none");
}

void PartLoader::check_vocabulary(const std::string& name, std::int64_t ids,
                                  std::int64_t embeddings) const {
  if (ids <= embeddings) return;
  fail(Cause::BadInput, what, ": the ", name, " has ids up to ", ids - 1,
       ", its text encoder only ", embeddings, " of them; the model mixes two models");
}

}  // namespace affiche::diffusion

// SPDX-License-Identifier: Apache-2.0
#include "imaging/photo.h"

#include <algorithm>

#include "base/error.h"

namespace affiche {

Photo::Photo(Bytes encoded, Credit credit)
    : encoded_(std::make_shared<const Bytes>(std::move(encoded))), credit_(std::move(credit)) {
  validate(credit_);
  if (encoded_->empty()) {
    fail(Cause::BadInput, "photo \"", credit_.title, "\": expected picture data, found 0 bytes");
  }
}

Photo Photo::with_change(const std::string& change) const {
  Photo copy = *this;
  auto& changes = copy.credit_.changes;
  if (std::find(changes.begin(), changes.end(), change) == changes.end()) changes.push_back(change);
  return copy;
}

}  // namespace affiche

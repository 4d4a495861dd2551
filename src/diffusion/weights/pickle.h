// SPDX-License-Identifier: Apache-2.0
// What a Python pickle of plain data holds, read without Python: dictionaries, lists, tuples,
// strings, numbers, tensors. A pickle is a program; this machine has only the instructions that
// build such values, and every class or function that one names must be on a short list.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace affiche::diffusion {

// A node of the tree. Nodes belong to the document that read them and point to each other, because
// pickles share values; a hostile one may even contain itself, so whoever descends bounds the
// depth.
struct PickleValue {
  using Items = std::vector<PickleValue*>;                          // list, tuple, set
  using Dict = std::vector<std::pair<PickleValue*, PickleValue*>>;  // in order of insertion
  struct Bytes {
    std::string content;
  };
  // A class or function by name, "torch.FloatStorage". Nothing is looked up or called.
  struct Global {
    std::string name;
  };
  // What a data set of the training program left in the file: known to be harmless, not understood.
  struct Opaque {};
  // A tensor's numbers before they are found: "torch.FloatStorage", the key, the element count.
  struct Storage {
    std::string type;
    std::string key;
    std::int64_t count = 0;
  };

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, Items, Dict, Global,
               Opaque, Storage, at::Tensor>
      value;

  template <typename T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  template <typename T>
  T* get() {
    return std::get_if<T>(&value);
  }
  bool is_none() const { return std::holds_alternative<std::monostate>(value); }
  // The value of a dictionary's string key, the last one where it occurs twice; nullptr when this
  // is no dictionary or has no such key.
  const PickleValue* find(std::string_view key) const;
};

// Runs pickles of protocols 2 to 5. Subclasses say which names may occur and what calling them
// gives. Not thread-safe.
class PickleMachine {
 public:
  // `what` names the source in errors.
  explicit PickleMachine(std::string what) : what_(std::move(what)) {}
  virtual ~PickleMachine() = default;

  // Runs one pickle from the front of `bytes`; `used` becomes its length. The value lives as long
  // as the machine. BadInput for instructions and names that are not known, and for damage.
  PickleValue* run(std::span<const std::uint8_t> bytes, std::uint64_t& used);

 protected:
  // Refuses names that may not occur.
  virtual void check_global(const std::string& name) = 0;
  virtual PickleValue* call(const std::string& name, const PickleValue::Items& arguments) = 0;
  // `object` takes the state that a class would restore itself from.
  virtual void restore(PickleValue& object, const PickleValue& state) = 0;
  virtual PickleValue* persistent(const PickleValue& id) = 0;

  template <typename T>
  PickleValue* make(T value) {
    return &nodes_.emplace_back(PickleValue{std::move(value)});
  }
  [[noreturn]] void refuse(const std::string& message) const;

 private:
  friend class PickleRun;
  std::string what_;
  std::deque<PickleValue> nodes_;
};

}  // namespace affiche::diffusion

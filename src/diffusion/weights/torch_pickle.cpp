// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/torch_pickle.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "diffusion/weights/byte_reader.h"
#include "diffusion/weights/zip_archive.h"

namespace affiche::diffusion {
namespace {

// A pickle beyond this holds something else than names and shapes; a whole SD 1.5 has 0.3 MiB.
constexpr std::uint64_t kLargestPickle = std::uint64_t{16} << 20;
// Containers that are made of others: a small file could ask for one great copy after the other.
constexpr std::size_t kMostCopies = 4'000'000;
constexpr std::size_t kMostDimensions = 16;
// The first value of the older form, 0x1950a86a20f9469cfc6c, as it lies in the file.
constexpr std::string_view kOldMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

struct StorageType {
  std::string_view name;
  at::ScalarType type;
};
constexpr std::array<StorageType, 12> kStorageTypes = {
    {{"torch.FloatStorage", at::kFloat},
     {"torch.HalfStorage", at::kHalf},
     {"torch.BFloat16Storage", at::kBFloat16},
     {"torch.DoubleStorage", at::kDouble},
     {"torch.LongStorage", at::kLong},
     {"torch.IntStorage", at::kInt},
     {"torch.ShortStorage", at::kShort},
     {"torch.CharStorage", at::kChar},
     {"torch.ByteStorage", at::kByte},
     {"torch.BoolStorage", at::kBool},
     {"torch.UntypedStorage", at::kByte},
     {"torch.storage.UntypedStorage", at::kByte}}};

const StorageType* storage_type(const std::string& name) {
  const auto found = std::find_if(kStorageTypes.begin(), kStorageTypes.end(),
                                  [&](const StorageType& type) { return type.name == name; });
  return found == kStorageTypes.end() ? nullptr : &*found;
}

// Callables whose result we build ourselves. Python 2 and 3 name the built-in module differently.
enum class Maker {
  Tensor,
  Parameter,
  TypedTensor,
  Dict,
  DefaultDict,
  Items,
  ParameterDict,
  Latin1,
  Opaque,
};
const std::map<std::string, Maker, std::less<>> kMakers = {
    {"torch._utils._rebuild_tensor", Maker::Tensor},
    {"torch._utils._rebuild_tensor_v2", Maker::Tensor},
    {"torch._utils._rebuild_parameter", Maker::Parameter},
    {"torch._utils._rebuild_parameter_with_state", Maker::Parameter},
    {"torch._tensor._rebuild_from_type_v2", Maker::TypedTensor},
    {"torch.nn.modules.container.ParameterDict", Maker::ParameterDict},
    {"collections.OrderedDict", Maker::Dict},
    {"collections.Counter", Maker::Dict},
    {"collections.defaultdict", Maker::DefaultDict},
    {"__builtin__.dict", Maker::Dict},
    {"builtins.dict", Maker::Dict},
    {"__builtin__.list", Maker::Items},
    {"builtins.list", Maker::Items},
    {"__builtin__.set", Maker::Items},
    {"builtins.set", Maker::Items},
    {"__builtin__.frozenset", Maker::Items},
    {"builtins.frozenset", Maker::Items},
    {"torch.Size", Maker::Items},
    {"_codecs.encode", Maker::Latin1},
    {"torch.device", Maker::Opaque},
    // Numbers that the training framework kept beside the weights.
    {"numpy.dtype", Maker::Opaque},
    {"numpy.core.multiarray.scalar", Maker::Opaque},
    {"numpy._core.multiarray.scalar", Maker::Opaque},
};

// Names that may stand there but are never called: classes as keys or arguments, and dtypes.
bool is_inert(const std::string& name) {
  static const std::set<std::string, std::less<>> kInert = {
      "torch.Tensor",   "torch.nn.parameter.Parameter",
      "torch.float32",  "torch.float16",
      "torch.bfloat16", "torch.float64",
      "torch.int64",    "torch.int32",
      "torch.uint8",    "torch.bool"};
  return kInert.contains(name) || name.starts_with("pytorch_lightning.callbacks.") ||
         name.starts_with("lightning.pytorch.callbacks.");
}

// A view of a storage that is looked up when all of the file is known.
struct View {
  PickleValue* node;
  PickleValue::Storage storage;
  std::int64_t offset;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
};

class TorchMachine final : public PickleMachine {
 public:
  using Items = PickleValue::Items;
  explicit TorchMachine(std::string what) : PickleMachine(std::move(what)) {}

  const std::vector<View>& views() const { return views_; }

  void check_global(const std::string& name) override {
    if (kMakers.contains(name) || storage_type(name) != nullptr || is_inert(name)) return;
    refuse(concat("found the name ", name.substr(0, 200),
                  "; expected only tensors and plain data. A file that brings other names can run "
                  "code in Python, so it is refused; ask for a .safetensors file of the model"));
  }

  PickleValue* call(const std::string& name, const Items& arguments) override {
    const auto found = kMakers.find(name);
    if (found == kMakers.end()) refuse(concat("found a call of ", name.substr(0, 200)));
    switch (found->second) {
      case Maker::Tensor:
        return rebuild_tensor(arguments);
      case Maker::Parameter:
        return argument(arguments, 0);
      case Maker::TypedTensor:
        return rebuild_typed(arguments);
      case Maker::ParameterDict:
        return make(PickleValue::Dict{});
      case Maker::Dict:
        return dict_of(arguments);
      case Maker::DefaultDict:
        return make(PickleValue::Dict{});
      case Maker::Items:
        return items_of(arguments);
      case Maker::Latin1:
        return make(PickleValue::Bytes{});
      case Maker::Opaque:
        return make(PickleValue::Opaque{});
    }
    return nullptr;
  }

  // Attributes of containers ("_metadata" of a state dict) mean nothing here, except a
  // ParameterDict's: there they are its content.
  void restore(PickleValue& object, const PickleValue& state) override {
    auto* dict = object.get<PickleValue::Dict>();
    if (dict == nullptr) {
      if (object.get<PickleValue::Opaque>() != nullptr || object.get<at::Tensor>() != nullptr) {
        return;
      }
      refuse("found the state of something that has none");
    }
    const PickleValue* parameters = state.find("_parameters");
    if (parameters == nullptr || parameters->get<PickleValue::Dict>() == nullptr) return;
    const PickleValue::Dict entries = *parameters->get<PickleValue::Dict>();
    count_copies(entries.size());
    dict->insert(dict->end(), entries.begin(), entries.end());
  }

  // ("storage", class, key, device, count), in the older form with a view of it or None.
  PickleValue* persistent(const PickleValue& id) override {
    const Items* parts = id.get<Items>();
    if (parts == nullptr || parts->size() < 5) refuse("a tensor's storage is described wrongly");
    const auto* kind = (*parts)[0]->get<std::string>();
    const auto* type = (*parts)[1]->get<PickleValue::Global>();
    const auto* key = (*parts)[2]->get<std::string>();
    const auto* count = (*parts)[4]->get<std::int64_t>();
    if (kind == nullptr || *kind != "storage" || type == nullptr || key == nullptr ||
        count == nullptr || *count < 0 || storage_type(type->name) == nullptr) {
      refuse("a tensor's storage is described wrongly");
    }
    if (parts->size() > 5 && !(*parts)[5]->is_none()) {
      refuse("the tensors share storages as torch before 0.4 saved them; save the file again");
    }
    return make(PickleValue::Storage{type->name, *key, *count});
  }

 private:
  PickleValue* argument(const Items& arguments, std::size_t index) const {
    if (index >= arguments.size()) refuse("a call lacks arguments");
    return arguments[index];
  }

  PickleValue* rebuild_tensor(const Items& arguments) {
    const auto* storage = argument(arguments, 0)->get<PickleValue::Storage>();
    const auto* offset = argument(arguments, 1)->get<std::int64_t>();
    if (storage == nullptr || offset == nullptr) refuse("a tensor is described wrongly");
    PickleValue* node = make(at::Tensor());
    views_.push_back({node, *storage, *offset, numbers(*argument(arguments, 2)),
                      numbers(*argument(arguments, 3))});
    return node;
  }

  // (function, class, arguments, state): a tensor with attributes.
  PickleValue* rebuild_typed(const Items& arguments) {
    const auto* function = argument(arguments, 0)->get<PickleValue::Global>();
    const auto* inner = argument(arguments, 2)->get<Items>();
    if (function == nullptr || inner == nullptr ||
        !function->name.starts_with("torch._utils._rebuild_")) {
      refuse("a tensor is described wrongly");
    }
    return call(function->name, *inner);
  }

  std::vector<std::int64_t> numbers(const PickleValue& value) const {
    const Items* items = value.get<Items>();
    if (items == nullptr || items->size() > kMostDimensions)
      refuse("a shape is no list of numbers");
    std::vector<std::int64_t> result;
    for (const PickleValue* item : *items) {
      const auto* number = item->get<std::int64_t>();
      if (number == nullptr || *number < 0) refuse("a shape holds something else than sizes");
      result.push_back(*number);
    }
    return result;
  }

  PickleValue* dict_of(const Items& arguments) {
    PickleValue::Dict dict;
    if (!arguments.empty()) {
      const PickleValue& first = *arguments[0];
      if (const auto* other = first.get<PickleValue::Dict>()) {
        count_copies(other->size());
        dict = *other;
      }
      if (const auto* pairs = first.get<Items>()) {
        count_copies(pairs->size());
        for (const PickleValue* pair : *pairs) {
          const Items* both = pair->get<Items>();
          if (both == nullptr || both->size() != 2) refuse("a dictionary is described wrongly");
          dict.emplace_back((*both)[0], (*both)[1]);
        }
      }
    }
    return make(std::move(dict));
  }

  PickleValue* items_of(const Items& arguments) {
    const Items* items = arguments.empty() ? nullptr : arguments[0]->get<Items>();
    if (items == nullptr) return make(Items{});
    count_copies(items->size());
    return make(*items);
  }

  void count_copies(std::size_t items) {
    copies_ += items;
    if (copies_ > kMostCopies) refuse("the pickle copies its own content over and over");
  }

  std::vector<View> views_;
  std::size_t copies_ = 0;
};

using Storages = std::map<std::string, std::span<const std::uint8_t>>;

// The element behind the last one of the view, and whether the view is possible at all: no more
// elements than the storage has, none beyond its end, no number that overflows.
bool view_fits(const View& view, std::int64_t& end) {
  std::int64_t elements = 1, product = 1, last = view.offset;
  for (std::size_t i = 0; i < view.sizes.size(); ++i) {
    const std::int64_t extent = std::max<std::int64_t>(view.sizes[i], 1);
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(product, extent, &product) ||
        __builtin_mul_overflow(extent - 1, view.strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return false;
    }
    elements *= view.sizes[i];
  }
  end = elements == 0 ? 0 : last + 1;
  return view.offset >= 0 && elements <= view.storage.count && last < INT64_MAX &&
         (elements == 0 || last < view.storage.count);
}

// Checks that every element of the view lies in the storage, then maps it.
at::Tensor tensor_of(const View& view, const Storages& storages,
                     const std::shared_ptr<const MappedFile>& file, const std::string& what) {
  const auto found = storages.find(view.storage.key);
  if (found == storages.end()) {
    fail(Cause::BadInput, what, ": the storage \"", view.storage.key, "\" is missing");
  }
  const at::ScalarType type = storage_type(view.storage.type)->type;
  const auto element = static_cast<std::int64_t>(c10::elementSize(type));
  const auto refuse = [&](const char* message) {
    fail(Cause::BadInput, what, ": a tensor in storage \"", view.storage.key, "\" ", message);
  };
  if (view.storage.count > static_cast<std::int64_t>(found->second.size()) / element) {
    refuse("is longer than its bytes; the file is cut short");
  }
  std::int64_t end = 0;
  if (view.sizes.size() != view.strides.size()) refuse("has not as many strides as sizes");
  if (!view_fits(view, end)) refuse("reaches beyond its storage");
  const auto options = at::TensorOptions().dtype(type);
  if (end == 0) return at::empty(view.sizes, options);
  const std::uint8_t* bytes = found->second.data() + view.offset * element;
  if (reinterpret_cast<std::uintptr_t>(bytes) % static_cast<std::uintptr_t>(element) == 0) {
    return at::from_blob(
        const_cast<std::uint8_t*>(bytes), view.sizes, view.strides, [file](void*) {}, options);
  }
  at::Tensor copy = at::empty({end - view.offset}, options);
  std::memcpy(copy.data_ptr(), bytes, copy.nbytes());
  return copy.as_strided(view.sizes, view.strides);
}

struct Content {
  std::shared_ptr<TorchMachine> machine;
  const PickleValue* root = nullptr;
  Storages storages;
};

void check_size(std::span<const std::uint8_t> pickle, const std::string& what) {
  if (pickle.size() > kLargestPickle) {
    fail(Cause::BadInput, what, ": expected a pickle of at most ", kLargestPickle, " bytes, found ",
         pickle.size());
  }
}

Content read_archive(std::span<const std::uint8_t> bytes, const std::string& what) {
  const auto entries = read_zip(bytes, what);
  std::string folder;
  const std::span<const std::uint8_t>* pickle = nullptr;
  for (const auto& [name, content] : entries) {
    if (name != "data.pkl" && !name.ends_with("/data.pkl")) continue;
    if (pickle != nullptr) fail(Cause::BadInput, what, ": found two data.pkl, expected one");
    pickle = &content;
    folder = name.substr(0, name.size() - std::string_view("data.pkl").size());
  }
  if (pickle == nullptr) {
    fail(Cause::BadInput, what, ": expected data.pkl in the archive of torch.save(), found none");
  }
  const auto order = entries.find(folder + "byteorder");
  if (order != entries.end() &&
      std::string_view(reinterpret_cast<const char*>(order->second.data()), order->second.size()) !=
          "little") {
    fail(Cause::BadInput, what, ": expected little-endian numbers, found the other order");
  }
  check_size(*pickle, what);
  Content content;
  content.machine = std::make_shared<TorchMachine>(what);
  std::uint64_t used = 0;
  content.root = content.machine->run(*pickle, used);
  const std::string data = folder + "data/";
  for (const auto& [name, storage] : entries) {
    if (name.starts_with(data)) content.storages.emplace(name.substr(data.size()), storage);
  }
  return content;
}

// Five pickles (magic, protocol, machine, the object, the keys of its storages), then every
// storage as its element count and its numbers.
Content read_stream(std::span<const std::uint8_t> bytes, const std::string& what) {
  Content content;
  content.machine = std::make_shared<TorchMachine>(what);
  std::uint64_t position = 0;
  const auto next = [&] {
    std::uint64_t used = 0;
    const auto rest = bytes.subspan(position);
    const PickleValue* value = content.machine->run(
        rest.first(std::min<std::uint64_t>(rest.size(), kLargestPickle)), used);
    position += used;
    return value;
  };
  const auto* magic = next()->get<PickleValue::Bytes>();
  if (magic == nullptr || magic->content != kOldMagic) {
    fail(Cause::BadInput, what, ": expected a file of torch.save(), found another pickle");
  }
  next();
  next();
  content.root = next();
  const auto* keys = next()->get<PickleValue::Items>();
  if (keys == nullptr) fail(Cause::BadInput, what, ": expected the list of storages, found none");
  std::map<std::string, std::uint64_t> element_sizes;
  for (const View& view : content.machine->views()) {
    element_sizes[view.storage.key] = c10::elementSize(storage_type(view.storage.type)->type);
  }
  ByteReader reader(bytes, what, position);
  for (const PickleValue* key : *keys) {
    const auto* name = key->get<std::string>();
    if (name == nullptr || !element_sizes.contains(*name)) {
      fail(Cause::BadInput, what, ": found a storage that belongs to no tensor");
    }
    const auto count = reader.number<std::uint64_t>();
    if (count > reader.remaining()) fail(Cause::BadInput, what, ": the file is cut short");
    content.storages[*name] = reader.take(count * element_sizes[*name]);
  }
  return content;
}

}  // namespace

TorchPickle load_torch_pickle(const std::filesystem::path& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  const std::string what = path.string();
  const auto bytes = file->bytes();
  if (bytes.empty())
    fail(Cause::BadInput, what, ": expected a file of torch.save(), found nothing");
  const Content content =
      looks_like_zip(bytes) ? read_archive(bytes, what) : read_stream(bytes, what);
  for (const View& view : content.machine->views()) {
    view.node->value = tensor_of(view, content.storages, file, what);
  }
  TorchPickle result;
  result.machine_ = content.machine;
  result.root_ = content.root;
  return result;
}

StateDict load_torch_state_dict(const std::filesystem::path& path) {
  constexpr int kDeepest = 8;
  const TorchPickle pickle = load_torch_pickle(path);
  const PickleValue* value = &pickle.root();
  for (int depth = 0; depth < kDeepest; ++depth) {
    const PickleValue* inner = value->find("state_dict");
    if (inner == nullptr || inner->get<PickleValue::Dict>() == nullptr) break;
    value = inner;
  }
  // Views of one storage may each be copied, so a small file could fill the memory.
  constexpr std::uint64_t kCopiesOfFile = 4;
  std::uint64_t room = kCopiesOfFile * std::filesystem::file_size(path);
  StateDict tensors;
  if (const auto* dict = value->get<PickleValue::Dict>()) {
    for (const auto& [key, entry] : *dict) {
      const auto* name = key->get<std::string>();
      const auto* tensor = entry->get<at::Tensor>();
      if (name == nullptr || tensor == nullptr) continue;
      const std::uint64_t copy = tensor->is_contiguous() ? 0 : tensor->nbytes();
      if (copy > room) {
        fail(Cause::BadInput, path.string(), ": tensor \"", *name,
             "\": the tensors are views of each other, many times the size of the file");
      }
      room -= copy;
      tensors[*name] = tensor->contiguous();
    }
  }
  if (tensors.empty()) {
    fail(Cause::BadInput, path.string(), ": expected a dictionary of tensors, found none in it");
  }
  return tensors;
}

bool is_torch_pickle(const std::filesystem::path& path) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  // A safetensors file may start with the same bytes by the length of its header.
  constexpr std::size_t kSafetensorsBrace = 8;
  if (bytes.size() > kSafetensorsBrace && bytes[kSafetensorsBrace] == '{' && bytes[5] == 0 &&
      bytes[6] == 0 && bytes[7] == 0) {
    return false;
  }
  const bool pickle = bytes.size() >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
  return pickle || looks_like_zip(bytes);
}

}  // namespace affiche::diffusion

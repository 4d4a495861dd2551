// SPDX-License-Identifier: Apache-2.0
// The instructions are those of Python's pickletools.
#include "diffusion/weights/pickle.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/hex.h"
#include "diffusion/weights/byte_reader.h"

namespace affiche::diffusion {

const PickleValue* PickleValue::find(std::string_view key) const {
  const Dict* dict = get<Dict>();
  if (dict == nullptr) return nullptr;
  const PickleValue* found = nullptr;
  for (const auto& [name, entry] : *dict) {
    const std::string* text = name->get<std::string>();
    if (text != nullptr && *text == key) found = entry;
  }
  return found;
}

void PickleMachine::refuse(const std::string& message) const {
  fail(Cause::BadInput, what_, ": ", message);
}

// One pickle: its stack, marks and memo.
class PickleRun {
 public:
  using Items = PickleValue::Items;

  PickleRun(PickleMachine& machine, std::span<const std::uint8_t> bytes)
      : machine_(machine), reader_(bytes, machine.what_ + ": pickle") {}

  PickleValue* run() {
    for (;;) {
      const auto op = static_cast<char>(reader_.number<std::uint8_t>());
      if (op == '.') return pop();
      if (!constant(op) && !text(op) && !container(op) && !memory(op) && !object(op)) {
        machine_.refuse(concat("the pickle instruction 0x",
                               to_hex({reinterpret_cast<const std::uint8_t*>(&op), 1}),
                               " is not one that a file of tensors needs"));
      }
    }
  }

  std::uint64_t used() const { return reader_.position(); }

 private:
  template <typename T>
  bool push(T value) {
    stack_.push_back(machine_.make(std::move(value)));
    return true;
  }

  bool push_node(PickleValue* node) {
    stack_.push_back(node);
    return true;
  }

  // Values below the last mark are out of reach until the mark is taken.
  PickleValue* pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) damaged();
    PickleValue* top = stack_.back();
    stack_.pop_back();
    return top;
  }

  PickleValue& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) damaged();
    return *stack_.back();
  }

  Items pop_to_mark() {
    if (marks_.empty()) damaged();
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    Items items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  Items pop_items(std::size_t count) {
    Items items(count);
    for (std::size_t i = count; i > 0; --i) items[i - 1] = pop();
    return items;
  }

  [[noreturn]] void damaged() const {
    machine_.refuse(concat("the pickle is damaged at offset ", reader_.position()));
  }

  bool constant(char op) {
    switch (op) {
      case '\x80':  // PROTO
        if (reader_.number<std::uint8_t>() > 5) machine_.refuse("a pickle beyond protocol 5");
        return true;
      case '\x95':  // FRAME
        reader_.number<std::uint64_t>();
        return true;
      case 'N':
        return push(std::monostate());
      case '\x88':
        return push(true);
      case '\x89':
        return push(false);
      case 'J':
        return push(std::int64_t{reader_.number<std::int32_t>()});
      case 'K':
        return push(std::int64_t{reader_.number<std::uint8_t>()});
      case 'M':
        return push(std::int64_t{reader_.number<std::uint16_t>()});
      case '\x8a':
        return push_long(reader_.number<std::uint8_t>());
      case '\x8b':
        return push_long(reader_.number<std::uint32_t>());
      case 'G':  // the one big-endian number
        return push(std::bit_cast<double>(__builtin_bswap64(reader_.number<std::uint64_t>())));
      default:
        return false;
    }
  }

  // Little-endian two's complement of any length; what does not fit stays bytes.
  bool push_long(std::uint64_t size) {
    const auto bytes = reader_.take(size);
    if (size > sizeof(std::int64_t)) {
      return push(PickleValue::Bytes{std::string(bytes.begin(), bytes.end())});
    }
    std::uint64_t value = size > 0 && bytes[size - 1] >= 0x80 ? ~std::uint64_t{0} : 0;
    std::memcpy(&value, bytes.data(), size);
    return push(static_cast<std::int64_t>(value));
  }

  bool text(char op) {
    switch (op) {
      case 'X':
        return push_text(reader_.number<std::uint32_t>());
      case '\x8c':
      case 'U':  // strings of Python 2 hold bytes; the names in old files are ASCII
        return push_text(reader_.number<std::uint8_t>());
      case '\x8d':
        return push_text(reader_.number<std::uint64_t>());
      case 'T':
        return push_text(reader_.number<std::uint32_t>());
      case 'C':
        return push_bytes(reader_.number<std::uint8_t>());
      case 'B':
        return push_bytes(reader_.number<std::uint32_t>());
      case '\x8e':
      case '\x96':
        return push_bytes(reader_.number<std::uint64_t>());
      default:
        return false;
    }
  }

  bool push_text(std::uint64_t size) { return push(std::string(reader_.text(size))); }
  bool push_bytes(std::uint64_t size) {
    return push(PickleValue::Bytes{std::string(reader_.text(size))});
  }

  bool container(char op) {
    switch (op) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case ')':
      case ']':
      case '\x8f':
        return push(Items{});
      case '}':
        return push(PickleValue::Dict{});
      case 't':
      case 'l':
      case '\x91':
        return push(pop_to_mark());
      case '\x85':
        return push(pop_items(1));
      case '\x86':
        return push(pop_items(2));
      case '\x87':
        return push(pop_items(3));
      case 'd': {
        const Items items = pop_to_mark();
        push(PickleValue::Dict{});
        return set_items(items);
      }
      case 'a':
        return add_items(pop_items(1));
      case 'e':
      case '\x90':
        return add_items(pop_to_mark());
      case 's':
        return set_items(pop_items(2));
      case 'u':
        return set_items(pop_to_mark());
      default:
        return false;
    }
  }

  bool add_items(const Items& items) {
    Items* list = top().get<Items>();
    if (list == nullptr) damaged();
    list->insert(list->end(), items.begin(), items.end());
    return true;
  }

  bool set_items(const Items& items) {
    PickleValue::Dict* dict = top().get<PickleValue::Dict>();
    if (dict == nullptr || items.size() % 2 != 0) damaged();
    for (std::size_t i = 0; i < items.size(); i += 2) dict->emplace_back(items[i], items[i + 1]);
    return true;
  }

  bool memory(char op) {
    switch (op) {
      case 'q':
        memo_[reader_.number<std::uint8_t>()] = &top();
        return true;
      case 'r':
        memo_[reader_.number<std::uint32_t>()] = &top();
        return true;
      case '\x94':
        memo_[static_cast<std::uint32_t>(memo_.size())] = &top();
        return true;
      case 'h':
        return recall(reader_.number<std::uint8_t>());
      case 'j':
        return recall(reader_.number<std::uint32_t>());
      case '0':
        pop();
        return true;
      case '1':
        pop_to_mark();
        return true;
      case '2':
        return push_node(&top());
      default:
        return false;
    }
  }

  bool recall(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) damaged();
    return push_node(found->second);
  }

  bool object(char op) {
    switch (op) {
      case 'c': {
        const std::string module(reader_.line());
        return global(concat(module, ".", reader_.line()));
      }
      case '\x93': {
        const Items names = pop_items(2);
        const std::string* module = names[0]->get<std::string>();
        const std::string* name = names[1]->get<std::string>();
        if (module == nullptr || name == nullptr) damaged();
        return global(concat(*module, ".", *name));
      }
      case 'R':
      case '\x81': {  // REDUCE, NEWOBJ: a call in both cases
        const Items pair = pop_items(2);
        const auto* function = pair[0]->get<PickleValue::Global>();
        const Items* arguments = pair[1]->get<Items>();
        if (function == nullptr || arguments == nullptr) damaged();
        return push_node(machine_.call(function->name, *arguments));
      }
      case 'b': {
        const PickleValue* state = pop();
        machine_.restore(top(), *state);
        return true;
      }
      case 'Q': {
        const PickleValue* id = pop();
        return push_node(machine_.persistent(*id));
      }
      default:
        return false;
    }
  }

  bool global(const std::string& name) {
    machine_.check_global(name);
    return push(PickleValue::Global{name});
  }

  PickleMachine& machine_;
  ByteReader reader_;
  Items stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleValue*> memo_;
};

PickleValue* PickleMachine::run(std::span<const std::uint8_t> bytes, std::uint64_t& used) {
  PickleRun run(*this, bytes);
  PickleValue* result = run.run();
  used = run.used();
  return result;
}

}  // namespace affiche::diffusion

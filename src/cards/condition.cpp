// SPDX-License-Identifier: Apache-2.0
#include "cards/condition.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/error.h"
#include "base/suggest.h"

namespace affiche::cards {
namespace {

constexpr std::size_t kMaxLength = 500;
constexpr int kMaxDepth = 32;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

Truth truth(bool value) {
  return value ? Truth::Yes : Truth::No;
}

Truth both(Truth a, Truth b) {
  if (a == Truth::No || b == Truth::No) return Truth::No;
  return a == Truth::Yes && b == Truth::Yes ? Truth::Yes : Truth::Unknown;
}

Truth negated(Truth value) {
  return value == Truth::Unknown ? value : truth(value == Truth::No);
}

std::optional<double> as_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return std::nullopt;
  return value;
}

}  // namespace

class ConditionParser {
 public:
  ConditionParser(const std::string& text, const std::vector<std::string>& names)
      : text_(text), names_(names) {}

  Condition read() {
    if (text_.size() > kMaxLength) refuse(concat("longer than ", kMaxLength, " characters"));
    any_of();
    if (!token().empty()) refuse("unexpected \"" + token() + "\"");
    return std::move(result_);
  }

 private:
  using Op = Condition::Op;

  [[noreturn]] void refuse(const std::string& message) const {
    fail(Cause::BadInput, "condition \"", text_, "\": ", message,
         "; expected photo, not photo, NAME, NAME == 'text', NAME >= 3, joined by and, or, ( )");
  }

  // The token at the current place, without moving on; "" at the end. Texts begin with '.
  std::string token() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (at_ == text_.size()) return "";
    if (text_[at_] == '\'') {
      const std::size_t end = text_.find('\'', at_ + 1);
      if (end == std::string::npos) refuse("a text without its closing '");
      return text_.substr(at_, end - at_ + 1);
    }
    if (is_word(text_[at_])) {
      std::size_t end = at_;
      while (end < text_.size() && is_word(text_[end])) ++end;
      const std::string word = text_.substr(at_, end - at_);
      // The short forms set:NAME and unset:NAME.
      if ((word == "set" || word == "unset") && end < text_.size() && text_[end] == ':') {
        return word + ":";
      }
      return word;
    }
    for (const char* sign : {"==", "!=", "<=", ">="}) {
      if (text_.compare(at_, 2, sign) == 0) return sign;
    }
    return text_.substr(at_, 1);
  }
  std::string take() {
    const std::string taken = token();
    at_ += taken.size();
    return taken;
  }
  bool take_if(const std::string& wanted) {
    if (token() != wanted) return false;
    take();
    return true;
  }
  void add(Op op, std::string name = "", std::string value = "") {
    result_.steps_.push_back({op, std::move(name), std::move(value)});
  }

  void any_of() {
    if (++depth_ > kMaxDepth) refuse("too deeply nested");
    all_of();
    while (take_if("or")) {
      all_of();
      add(Op::Or);
    }
    --depth_;
  }

  void all_of() {
    one();
    while (take_if("and")) {
      one();
      add(Op::And);
    }
  }

  void one() {
    if (take_if("not")) {
      if (++depth_ > kMaxDepth) refuse("too deeply nested");
      one();
      --depth_;
      return add(Op::Not);
    }
    if (take_if("(")) {
      any_of();
      if (!take_if(")")) refuse("expected )");
      return;
    }
    if (take_if("set:")) return add(Op::Set, name());
    if (take_if("unset:")) {
      add(Op::Set, name());
      return add(Op::Not);
    }
    if (take_if("no_photo")) {
      add(Op::Set, "photo");
      return add(Op::Not);
    }
    const std::string left = name();
    static const std::vector<std::pair<std::string, Op>> kSigns = {
        {"==", Op::Equal},        {"!=", Op::NotEqual}, {"<=", Op::LessEqual},
        {">=", Op::GreaterEqual}, {"<", Op::Less},      {">", Op::Greater}};
    for (const auto& [sign, op] : kSigns) {
      if (take_if(sign)) return add(op, left, value(op));
    }
    add(Op::Set, left);
  }

  std::string name() {
    const std::string word = take();
    if (std::find(names_.begin(), names_.end(), word) == names_.end()) {
      refuse(word.empty() ? "it ends too early"
                          : "unknown name \"" + word + "\"" + suggestion(word, names_));
    }
    return word;
  }

  std::string value(Op op) {
    std::string taken = take();
    const bool quoted = taken.size() > 1 && taken.front() == '\'';
    if (quoted) taken = taken.substr(1, taken.size() - 2);
    const bool text_allowed = op == Op::Equal || op == Op::NotEqual;
    if (!as_number(taken) && !(quoted && text_allowed)) {
      refuse(text_allowed ? "expected a number or a 'text' after the comparison"
                          : "expected a number after the comparison");
    }
    return taken;
  }

  const std::string& text_;
  const std::vector<std::string>& names_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Condition result_;
};

Condition Condition::parse(const std::string& text, const std::vector<std::string>& names) {
  if (text.find_first_not_of(' ') == std::string::npos) return {};
  return ConditionParser(text, names).read();
}

Truth Condition::compare(const Step& step, const std::string& found) {
  const auto left = as_number(found);
  const auto right = as_number(step.value);
  const bool numbers = left && right;
  switch (step.op) {
    case Op::Set:
      return truth(!found.empty());
    case Op::Equal:
      return truth(numbers ? *left == *right : found == step.value);
    case Op::NotEqual:
      return truth(numbers ? *left != *right : found != step.value);
    case Op::Less:
      return truth(numbers && *left < *right);
    case Op::LessEqual:
      return truth(numbers && *left <= *right);
    case Op::Greater:
      return truth(numbers && *left > *right);
    default:
      return truth(numbers && *left >= *right);
  }
}

Truth Condition::evaluate(const std::map<std::string, std::string>& known) const {
  if (steps_.empty()) return Truth::Yes;
  std::vector<Truth> stack;
  const auto pop = [&] {
    const Truth top = stack.back();
    stack.pop_back();
    return top;
  };
  for (const Step& step : steps_) {
    if (step.op == Op::Not) {
      stack.back() = negated(stack.back());
    } else if (step.op == Op::And || step.op == Op::Or) {
      const Truth second = pop();
      const Truth first = pop();
      // De Morgan: either = not both not.
      stack.push_back(step.op == Op::And ? both(first, second)
                                         : negated(both(negated(first), negated(second))));
    } else {
      const auto found = known.find(step.name);
      stack.push_back(found == known.end() ? Truth::Unknown : compare(step, found->second));
    }
  }
  return stack.back();
}

}  // namespace affiche::cards

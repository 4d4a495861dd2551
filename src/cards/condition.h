// SPDX-License-Identifier: Apache-2.0
// When a layer is drawn: "photo and kicker", "not photo", "scheme == 'dark' or rtl", "count >= 3".
// A bare name is true when it has a value. Written by the template's author, parsed at load.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace affiche::cards {

enum class Truth { No, Yes, Unknown };

class Condition {
 public:
  Condition() = default;  // always
  // BadInput, without a place, for anything else than the grammar and for names that are not in
  // `names`.
  static Condition parse(const std::string& text, const std::vector<std::string>& names);

  // Names that are not in `known` leave the answer open where it depends on them.
  Truth evaluate(const std::map<std::string, std::string>& known) const;
  bool holds(const std::map<std::string, std::string>& known) const {
    return evaluate(known) == Truth::Yes;
  }

 private:
  friend class ConditionParser;
  enum class Op { Set, Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual, Not, And, Or };
  struct Step {
    Op op;
    std::string name;   // Set and comparisons
    std::string value;  // comparisons
  };
  static Truth compare(const Step& step, const std::string& found);
  std::vector<Step> steps_;  // operands before their operator
};

}  // namespace affiche::cards

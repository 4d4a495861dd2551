// SPDX-License-Identifier: Apache-2.0
#include "service/csv.h"

#include "base/error.h"

namespace affiche::service {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& what) : text_(text), what_(what) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row;
      row.line = line_;
      do {
        row.cells.push_back(text_.substr(at_, 1) == "\"" ? quoted() : bare());
      } while (take(','));
      end_line();
      if (row.cells.size() > 1 || !row.cells[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string bare() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n\"", at_), text_.size());
    std::string cell(text_.substr(at_, end - at_));
    at_ = end;
    if (at_ < text_.size() && text_[at_] == '"') {
      fail(Cause::BadInput, what_, ":", line_,
           ": a quote inside a cell without quotes; put the "
           "whole cell in quotes and double the inner ones");
    }
    return cell;
  }

  std::string quoted() {
    const int begin = line_;
    std::string cell;
    ++at_;
    for (;;) {
      if (at_ >= text_.size()) {
        fail(Cause::BadInput, what_, ":", begin, ": a quoted cell that is not closed");
      }
      const char c = text_[at_++];
      if (c == '"' && !take('"')) return cell;
      if (c == '\n') ++line_;
      cell.push_back(c);
    }
  }

  void end_line() {
    const bool carriage = take('\r');
    const bool feed = take('\n');
    if (at_ < text_.size() && !carriage && !feed) {
      fail(Cause::BadInput, what_, ":", line_,
           ": expected a comma or the end of the line after a "
           "quoted cell");
    }
    ++line_;
  }

  std::string_view text_;
  const std::string& what_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& what) {
  return Reader(text, what).rows();
}

}  // namespace affiche::service

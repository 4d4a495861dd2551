// SPDX-License-Identifier: Apache-2.0
#include "cards/chart.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "cards/numbers.h"
#include "cards/shapes.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

constexpr double kAir = 0.45;  // between a bar and its texts, times the text's size

class Layout {
 public:
  Layout(const CardJob& job, const Layer& layer, const ChartLayer& content, const Box& box)
      : job_(job), layer_(layer), content_(content), box_(box) {
    const std::string& text = job.values.at(content.values);
    values_ = split_numbers(text);
    unit_ = fill(content.unit, job.values, job.brand);
    printed_ = split_texts(text, ',');
    if (!content.labels.empty()) labels_ = split_list(job.values.at(content.labels));
    if (!labels_.empty() && labels_.size() != values_.size()) {
      fail(Cause::BadInput, job.what(layer), ": expected a label for each of ", values_.size(),
           " values, found ", labels_.size());
    }
    low_ = std::min(0.0, *std::min_element(values_.begin(), values_.end()));
    high_ = std::max(0.0, *std::max_element(values_.begin(), values_.end()));
    if (high_ - low_ <= 0) high_ = 1;
    if (!content.highlight.empty()) {
      chosen_ =
          static_cast<int>(std::strtod(job.values.at(content.highlight).c_str(), nullptr)) - 1;
    }
    chart_.radius = content.radius;
    chart_.line_colour = colour(content.colour);
    chart_.dot_colour = colour(content.highlight_colour);
  }

  Chart columns() {
    const double step = box_.width / count();
    std::vector<FittedText> numbers = fitted(numbers_as_text(), step * 0.96, 1);
    std::vector<FittedText> labels = fitted(labels_, step * 0.92, content_.style.lines);
    const double above = tallest(numbers) * (1 + 2 * kAir);
    const double below = labels.empty() ? 0 : tallest(labels) + content_.style.min_size * 2 * kAir;
    const double top = box_.y + above;
    const double foot = box_.bottom() - below - (low_ < 0 ? above : 0);
    need(foot - top >= 10, "no room for its columns");
    const auto y_of = [&](double value) {
      return foot - (value - low_) / (high_ - low_) * (foot - top);
    };
    const double width = step * (1 - content_.gap);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double x = mirrored(box_.x + step * (static_cast<double>(i) + 0.5));
      const double from = std::min(y_of(0), y_of(values_[i]));
      const double to = std::max(y_of(0), y_of(values_[i]));
      const bool down = values_[i] < 0;
      chart_.bars.push_back({{x - width / 2, from, width, std::max(to - from, 1.0)},
                             bar_colour(i),
                             down ? Chart::Bar::End::Bottom : Chart::Bar::End::Top});
      const double air = numbers[i].size() * kAir;
      put(numbers[i], x, down ? to + air : from - air - numbers[i].height());
      if (!labels.empty()) {
        put(labels[i], x, box_.bottom() - below + labels[i].size() * 2 * kAir);
      }
    }
    return std::move(chart_);
  }

  Chart rows() {
    need(low_ >= 0, "bars take no negative values; use columns");
    const double step = box_.height / count();
    const bool beside = !labels_.empty();
    std::vector<FittedText> labels =
        fitted(labels_, box_.width * 0.34, content_.style.lines, step * 0.95);
    std::vector<FittedText> numbers = fitted(numbers_as_text(), box_.width * 0.25, 1, step * 0.9);
    double label_width = 0;
    double number_width = 0;
    for (const FittedText& label : labels) label_width = std::max(label_width, label.ink().width);
    for (const FittedText& text : numbers) number_width = std::max(number_width, text.ink().width);
    const double air = numbers.front().size() * kAir * 1.3;
    const double left = box_.x + (beside ? label_width + air : 0);
    const double room = box_.right() - left - number_width - air;
    need(room >= 20, "no room for its bars");
    const double height = step * (1 - content_.gap);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double y = box_.y + step * (static_cast<double>(i) + 0.5);
      const double length = std::max(values_[i] / high_ * room, 1.0);
      Box bar = {left, y - height / 2, length, height};
      const double after = left + length + air;
      if (right_to_left()) bar.x = mirrored(bar.right());
      chart_.bars.push_back(
          {bar, bar_colour(i), right_to_left() ? Chart::Bar::End::Left : Chart::Bar::End::Right});
      put(numbers[i], mirrored(after + numbers[i].ink().width / 2), y - numbers[i].height() / 2);
      if (beside) {
        put(labels[i], mirrored(left - air - labels[i].ink().width / 2),
            y - labels[i].height() / 2);
      }
    }
    return std::move(chart_);
  }

  Chart line() {
    const double step = box_.width / count();
    std::vector<FittedText> numbers = fitted(numbers_as_text(), step * 1.5, 1);
    std::vector<FittedText> labels = fitted(labels_, step * 0.96, content_.style.lines);
    const double above = tallest(numbers) * (1 + 2 * kAir);
    const double below = labels.empty() ? 0 : tallest(labels) + content_.style.min_size * 3 * kAir;
    const double top = box_.y + above;
    const double foot = box_.bottom() - below - 8;
    need(foot - top >= 10, "no room for its line");
    // A line shows change, so it need not begin at zero.
    const double least = *std::min_element(values_.begin(), values_.end());
    const double most = *std::max_element(values_.begin(), values_.end());
    const double span = most > least ? most - least : 1;
    chart_.line_width = std::max(3.0, box_.height / 60);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double x = mirrored(box_.x + step * (static_cast<double>(i) + 0.5));
      const double y = foot - (values_[i] - least) / span * (foot - top);
      chart_.line.push_back({x, y});
      const bool named = i == 0 || i + 1 == values_.size() || static_cast<int>(i) == chosen_;
      if (named) {
        chart_.dots.push_back({x, y});
        put(numbers[i], x, y - numbers[i].size() * kAir * 1.8 - numbers[i].height());
      }
      if (!labels.empty()) {
        put(labels[i], x, box_.bottom() - below + labels[i].size() * 3 * kAir);
      }
    }
    return std::move(chart_);
  }

 private:
  double count() const { return static_cast<double>(values_.size()); }
  bool right_to_left() const { return job_.mirrored() && layer_.mirror; }
  // A place along the box, from the other side on mirrored cards.
  double mirrored(double x) const { return right_to_left() ? box_.x + box_.right() - x : x; }
  Colour colour(const Paint& paint) const { return resolve(paint, job_.brand, job_.values); }
  Colour bar_colour(std::size_t i) const {
    return colour(static_cast<int>(i) == chosen_ ? content_.highlight_colour : content_.colour);
  }
  void need(bool good, const char* message) const {
    if (!good) {
      fail(Cause::BadInput, job_.what(layer_), ": ", message, " in ", box_.width, "x", box_.height,
           " pixels");
    }
  }
  std::vector<std::string> numbers_as_text() const {
    std::vector<std::string> texts;
    for (const std::string& number : printed_) {
      texts.push_back(number_with_unit(number, unit_, job_.language));
    }
    return texts;
  }
  static double tallest(const std::vector<FittedText>& texts) {
    double most = 0;
    for (const FittedText& text : texts) most = std::max(most, text.height());
    return most;
  }

  // All at the size of the one that must be smallest.
  std::vector<FittedText> fitted(const std::vector<std::string>& texts, double width, int lines,
                                 double height = 0) const {
    std::vector<FittedText> result;
    TextRequest request = request_for(job_, layer_, content_.style);
    request.width = width;
    request.height = height;
    request.style.lines = lines;
    request.style.align = Align::Centre;
    request.breaks = false;
    double size = content_.style.max_size;
    for (const std::string& text : texts) {
      request.text = text;
      request.style.max_size = size;
      size = fit_text(request).size();
    }
    request.style.max_size = request.style.min_size = size;
    for (const std::string& text : texts) {
      request.text = text;
      result.push_back(fit_text(request));
    }
    return result;
  }

  // The text's ink centred at x, its top at y.
  void put(FittedText& text, double x, double y) {
    const Box ink = text.ink();
    chart_.texts.push_back(
        placed(job_, layer_, content_.style, std::move(text), x - ink.x - ink.width / 2, y));
  }

  const CardJob& job_;
  const Layer& layer_;
  const ChartLayer& content_;
  Box box_;
  std::vector<double> values_;
  std::vector<std::string> printed_;
  std::vector<std::string> labels_;
  std::string unit_;
  double low_ = 0;
  double high_ = 1;
  int chosen_ = -1;
  Chart chart_;
};

// A rectangle with its free end's corners rounded.
void bar_path(cairo_t* context, const Chart::Bar& bar, double radius) {
  const Box& box = bar.box;
  using End = Chart::Bar::End;
  const double r = std::min({radius, box.width / 2, box.height / 2});
  const auto corner = [&](double x, double y, double from, bool round) {
    if (!round) return cairo_line_to(context, x, y);
    const double inward_x = x < box.x + box.width / 2 ? x + r : x - r;
    const double inward_y = y < box.y + box.height / 2 ? y + r : y - r;
    cairo_arc(context, inward_x, inward_y, r, from, from + std::numbers::pi / 2);
  };
  const double turn = std::numbers::pi / 2;
  cairo_new_path(context);
  corner(box.right(), box.y, -turn, bar.end == End::Top || bar.end == End::Right);
  corner(box.right(), box.bottom(), 0, bar.end == End::Right || bar.end == End::Bottom);
  corner(box.x, box.bottom(), turn, bar.end == End::Bottom || bar.end == End::Left);
  corner(box.x, box.y, 2 * turn, bar.end == End::Left || bar.end == End::Top);
  cairo_close_path(context);
}

}  // namespace

void Chart::draw(cairo_t* context) const {
  cairo_save(context);
  for (const Bar& bar : bars) {
    bar_path(context, bar, radius);
    set_source(context, bar.colour);
    cairo_fill(context);
  }
  if (!line.empty()) {
    cairo_new_path(context);
    for (const auto& [x, y] : line) cairo_line_to(context, x, y);
    cairo_set_line_width(context, line_width);
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
    set_source(context, line_colour);
    cairo_stroke(context);
    set_source(context, dot_colour);
    for (const auto& [x, y] : dots) {
      cairo_arc(context, x, y, line_width * 1.8, 0, 2 * std::numbers::pi);
      cairo_fill(context);
    }
  }
  cairo_restore(context);
}

Chart lay_out_chart(const CardJob& job, const Layer& layer, const ChartLayer& content,
                    const Box& box) {
  Layout layout(job, layer, content, box);
  switch (content.shape) {
    case ChartLayer::Shape::Bars:
      return layout.rows();
    case ChartLayer::Shape::Columns:
      return layout.columns();
    default:
      return layout.line();
  }
}

}  // namespace affiche::cards

// SPDX-License-Identifier: Apache-2.0
#include "imaging/ciede2000.h"

#include <cmath>
#include <numbers>

namespace affiche {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

double sine(double degrees) {
  return std::sin(degrees / kDegrees);
}
double cosine(double degrees) {
  return std::cos(degrees / kDegrees);
}

double seventh_root_part(double c) {
  const double c7 = std::pow(c, 7);
  return std::sqrt(c7 / (c7 + std::pow(25.0, 7)));
}

// Degrees 0 to 360; 0 for greys.
double hue(double a, double b) {
  if (a == 0 && b == 0) return 0;
  const double angle = std::atan2(b, a) * kDegrees;
  return angle < 0 ? angle + 360 : angle;
}

double companded(double t) {
  constexpr double kDelta = 6.0 / 29;
  return t > kDelta * kDelta * kDelta ? std::cbrt(t) : t / (3 * kDelta * kDelta) + 4.0 / 29;
}

}  // namespace

Cielab cielab_of(Oklab colour) {
  const std::array<float, 3> linear = linear_of_lab(colour);
  const double r = linear[0], g = linear[1], b = linear[2];
  const double x = companded((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const double y = companded(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
  const double z = companded((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

// Numbers in brackets are those of the paper's equations.
double ciede2000(const Cielab& p, const Cielab& q) {
  const double mean_c = (std::hypot(p.a, p.b) + std::hypot(q.a, q.b)) / 2;  // (3)
  const double g = 0.5 * (1 - seventh_root_part(mean_c));                   // (4)
  const double a1 = (1 + g) * p.a, a2 = (1 + g) * q.a;                      // (5)
  const double c1 = std::hypot(a1, p.b), c2 = std::hypot(a2, q.b);          // (6)
  const double h1 = hue(a1, p.b), h2 = hue(a2, q.b);                        // (7)
  const double dl = q.lightness - p.lightness, dc = c2 - c1;                // (8), (9)
  double dh = h2 - h1;                                                      // (10)
  if (dh > 180) dh -= 360;
  if (dh < -180) dh += 360;
  if (c1 * c2 == 0) dh = 0;
  const double dH = 2 * std::sqrt(c1 * c2) * sine(dh / 2);              // (11)
  const double l = (p.lightness + q.lightness) / 2, c = (c1 + c2) / 2;  // (12), (13)
  double h = h1 + h2;                                                   // (14)
  if (c1 * c2 != 0) {
    if (std::fabs(h1 - h2) > 180) h += h < 360 ? 360 : -360;
    h /= 2;
  }
  const double t = 1 - 0.17 * cosine(h - 30) + 0.24 * cosine(2 * h) + 0.32 * cosine(3 * h + 6) -
                   0.2 * cosine(4 * h - 63);                                // (15)
  const double turn = 30 * std::exp(-((h - 275) / 25) * ((h - 275) / 25));  // (16)
  const double rc = 2 * seventh_root_part(c);                               // (17)
  const double away = (l - 50) * (l - 50);
  const double sl = 1 + 0.015 * away / std::sqrt(20 + away);  // (18)
  const double sc = 1 + 0.045 * c, sh = 1 + 0.015 * c * t;    // (19), (20)
  const double rt = -sine(2 * turn) * rc;                     // (21)
  const double x = dl / sl, y = dc / sc, z = dH / sh;
  return std::sqrt(x * x + y * y + z * z + rt * y * z);  // (22)
}

}  // namespace affiche

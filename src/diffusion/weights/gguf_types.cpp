// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/gguf_types.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace affiche::diffusion {
namespace {

constexpr int kBlock = 32;
constexpr int kSuper = 256;

// Levels of the IQ4 types, closer together near zero.
constexpr std::array<float, 16> kLevels = {-127, -104, -83, -65, -49, -35, -22, -10,
                                           1,    13,   25,  38,  53,  69,  89,  113};

template <typename Number>
Number read(const std::uint8_t* at) {
  Number value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

float half(const std::uint8_t* at) {
  return c10::detail::fp16_ieee_to_fp32_value(read<std::uint16_t>(at));
}

// The first 16 numbers of a block are the low halves of its bytes, the others the high halves.
int nibble(const std::uint8_t* bytes, int i) {
  return i < 16 ? bytes[i] & 15 : bytes[i - 16] >> 4;
}

void q4_0(const std::uint8_t* block, float* out) {
  const float d = half(block);
  for (int i = 0; i < kBlock; ++i) out[i] = d * static_cast<float>(nibble(block + 2, i) - 8);
}

void q4_1(const std::uint8_t* block, float* out) {
  const float d = half(block), m = half(block + 2);
  for (int i = 0; i < kBlock; ++i) out[i] = d * static_cast<float>(nibble(block + 4, i)) + m;
}

int fifth_bit(std::uint32_t bits, int i) {
  return static_cast<int>(bits >> i & 1) << 4;
}

void q5_0(const std::uint8_t* block, float* out) {
  const float d = half(block);
  const auto high = read<std::uint32_t>(block + 2);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = d * static_cast<float>((nibble(block + 6, i) | fifth_bit(high, i)) - 16);
  }
}

void q5_1(const std::uint8_t* block, float* out) {
  const float d = half(block), m = half(block + 2);
  const auto high = read<std::uint32_t>(block + 4);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = d * static_cast<float>(nibble(block + 8, i) | fifth_bit(high, i)) + m;
  }
}

void q8_0(const std::uint8_t* block, float* out) {
  const float d = half(block);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = static_cast<float>(static_cast<std::int8_t>(block[2 + i])) * d;
  }
}

// Two bits of number i: groups of 128 numbers lie in 32 bytes, 32 numbers to a pair of bits.
int two_bits(const std::uint8_t* bytes, int i) {
  return bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

void q2_k(const std::uint8_t* block, float* out) {
  const std::uint8_t* scales = block;
  const std::uint8_t* qs = block + 16;
  const float d = half(block + 80), dmin = half(block + 82);
  for (int i = 0; i < kSuper; ++i) {
    const std::uint8_t scale = scales[i / 16];
    const float dl = d * static_cast<float>(scale & 15), ml = dmin * static_cast<float>(scale >> 4);
    out[i] = dl * static_cast<float>(two_bits(qs, i)) - ml;
  }
}

// Sixteen scales of six bits: four low bits in the first eight bytes, two high bits in the last
// four.
int q3_scale(const std::uint8_t* scales, int i) {
  const int low = i < 8 ? scales[i] & 15 : scales[i - 8] >> 4;
  const int high = scales[8 + i % 4] >> (i / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

void q3_k(const std::uint8_t* block, float* out) {
  const std::uint8_t* mask = block;
  const std::uint8_t* qs = block + 32;
  const float d = half(block + 108);
  for (int i = 0; i < kSuper; ++i) {
    const float dl = d * static_cast<float>(q3_scale(block + 96, i / 16));
    const int missing = (mask[i % 32] >> (i / 32) & 1) ^ 1;  // the bit says that nothing is taken
    out[i] = dl * static_cast<float>(two_bits(qs, i) - 4 * missing);
  }
}

struct ScaleMin {
  int scale, min;
};

// Eight pairs of six bits in twelve bytes; the high bits of the last four pairs lie above the first
// four's.
ScaleMin scale_min(const std::uint8_t* s, int i) {
  if (i < 4) return {s[i] & 63, s[i + 4] & 63};
  return {(s[i + 4] & 15) | (s[i - 4] >> 2 & 48), s[i + 4] >> 4 | (s[i] >> 2 & 48)};
}

// Pairs of 32 numbers share 32 bytes.
int four_bits(const std::uint8_t* bytes, int i) {
  return bytes[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
}

void q4_k(const std::uint8_t* block, float* out) {
  const float d = half(block), dmin = half(block + 2);
  for (int i = 0; i < kSuper; ++i) {
    const ScaleMin pair = scale_min(block + 4, i / 32);
    const float dl = d * static_cast<float>(pair.scale), ml = dmin * static_cast<float>(pair.min);
    out[i] = dl * static_cast<float>(four_bits(block + 16, i)) - ml;
  }
}

void q5_k(const std::uint8_t* block, float* out) {
  const float d = half(block), dmin = half(block + 2);
  const std::uint8_t* high = block + 16;
  for (int i = 0; i < kSuper; ++i) {
    const ScaleMin pair = scale_min(block + 4, i / 32);
    const float dl = d * static_cast<float>(pair.scale), ml = dmin * static_cast<float>(pair.min);
    const int q = four_bits(block + 48, i) | (high[i % 32] >> (i / 32) & 1) << 4;
    out[i] = dl * static_cast<float>(q) - ml;
  }
}

void q6_k(const std::uint8_t* block, float* out) {
  const std::uint8_t* low = block;
  const std::uint8_t* high = block + 128;
  const std::uint8_t* scales = block + 192;
  const float d = half(block + 208);
  for (int i = 0; i < kSuper; ++i) {
    const float dl = d * static_cast<float>(static_cast<std::int8_t>(scales[i / 16]));
    // Here 64 numbers lie in the low halves of 64 bytes and the next 64 in the high ones.
    const int four = low[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
    out[i] = dl * static_cast<float>((four | two_bits(high, i) << 4) - 32);
  }
}

void iq4_nl(const std::uint8_t* block, float* out) {
  const float d = half(block);
  for (int i = 0; i < kBlock; ++i) {
    out[i] = d * kLevels[static_cast<std::size_t>(nibble(block + 2, i))];
  }
}

void iq4_xs(const std::uint8_t* block, float* out) {
  const float d = half(block);
  const auto high = read<std::uint16_t>(block + 2);
  for (int group = 0; group < 8; ++group) {
    const int low = block[4 + group / 2] >> (group % 2 * 4) & 15;
    const int scale = (low | (high >> (2 * group) & 3) << 4) - 32;
    const float dl = d * static_cast<float>(scale);
    const std::uint8_t* qs = block + 8 + group * 16;
    for (int i = 0; i < kBlock; ++i) {
      out[group * kBlock + i] = dl * kLevels[static_cast<std::size_t>(nibble(qs, i))];
    }
  }
}

constexpr std::array<GgufType, 34> kTypes = {{
    {0, "F32", 1, 4, nullptr},         {1, "F16", 1, 2, nullptr},
    {2, "Q4_0", 32, 18, q4_0},         {3, "Q4_1", 32, 20, q4_1},
    {6, "Q5_0", 32, 22, q5_0},         {7, "Q5_1", 32, 24, q5_1},
    {8, "Q8_0", 32, 34, q8_0},         {9, "Q8_1", 32, 40, nullptr},
    {10, "Q2_K", 256, 84, q2_k},       {11, "Q3_K", 256, 110, q3_k},
    {12, "Q4_K", 256, 144, q4_k},      {13, "Q5_K", 256, 176, q5_k},
    {14, "Q6_K", 256, 210, q6_k},      {15, "Q8_K", 256, 292, nullptr},
    {16, "IQ2_XXS", 256, 66, nullptr}, {17, "IQ2_XS", 256, 74, nullptr},
    {18, "IQ3_XXS", 256, 98, nullptr}, {19, "IQ1_S", 256, 50, nullptr},
    {20, "IQ4_NL", 32, 18, iq4_nl},    {21, "IQ3_S", 256, 110, nullptr},
    {22, "IQ2_S", 256, 82, nullptr},   {23, "IQ4_XS", 256, 136, iq4_xs},
    {24, "I8", 1, 1, nullptr},         {25, "I16", 1, 2, nullptr},
    {26, "I32", 1, 4, nullptr},        {27, "I64", 1, 8, nullptr},
    {28, "F64", 1, 8, nullptr},        {29, "IQ1_M", 256, 56, nullptr},
    {30, "BF16", 1, 2, nullptr},       {34, "TQ1_0", 256, 54, nullptr},
    {35, "TQ2_0", 256, 66, nullptr},   {39, "MXFP4", 32, 17, nullptr},
    {40, "NVFP4", 64, 36, nullptr},    {41, "Q1_0", 128, 18, nullptr},
}};

}  // namespace

const GgufType* gguf_type(std::uint32_t id) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const GgufType& type) { return type.id == id; });
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace affiche::diffusion

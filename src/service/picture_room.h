// SPDX-License-Identifier: Apache-2.0
// Where pictures of others are decoded: a process of its own, locked up (sandbox.h), that gets the
// encoded bytes and gives back plain pixels. Nobody else decodes the bytes that came; what goes on
// from here is a picture that was encoded anew from those pixels, without EXIF, profiles and
// whatever else was in the file. A crash, a bomb or a decoder that never ends costs that process.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>

#include "base/files.h"
#include "imaging/image.h"
#include "service/config.h"

namespace affiche::service {

struct RoomSettings {
  std::filesystem::path program = "/proc/self/exe";  // that calls decode_in_room()
  bool sandbox = true;                               // false: decoded in this process
  int max_megapixels = 100;                          // of the source
  int max_side = 3'840;                              // of the result: larger pictures are reduced
  std::chrono::seconds time{30};  // of the processor; four times as much by the clock
};

RoomSettings room_settings(const PhotoSettings& photos);

// The argument by which the program knows that it is the process in the room.
inline constexpr const char* kRoomArgument = "decode-picture";

// Upright 8-bit sRGB. BadInput, with `what`, for a picture that is damaged or kills its decoder;
// Refused for one beyond the limits of size, memory and time; Unavailable when no process starts;
// Cancelled. Thread-safe.
Image decode_foreign(std::span<const std::uint8_t> encoded, const std::string& what,
                     const RoomSettings& settings, std::stop_token stop = {});

// The other side: reads the picture from standard input, writes to standard output. Returns the
// exit code. `arguments`: what follows kRoomArgument.
int decode_in_room(std::span<char* const> arguments);

}  // namespace affiche::service

// SPDX-License-Identifier: Apache-2.0
// The process in which picture_room.cpp has pictures decoded: the program without its commands.
#include <span>
#include <string_view>

#include "service/picture_room.h"

int main(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != affiche::service::kRoomArgument) return 64;
  return affiche::service::decode_in_room(std::span(argv, argv + argc).subspan(2));
}

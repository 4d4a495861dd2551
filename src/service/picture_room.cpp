// SPDX-License-Identifier: Apache-2.0
// Between the two processes: the picture on standard input (a sealed file in memory); on standard
// output one line, "ok" or the name of a cause, then the pixels (imaging/raw.h) or the message.
#include "service/picture_room.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "cards/encode.h"
#include "imaging/raw.h"
#include "service/sandbox.h"

namespace affiche::service {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostMessage = 2'000;
// A busy machine makes a picture wait so many times longer than its decoder may compute.
constexpr int kBusy = 4;
constexpr std::string_view kOk = "ok\n";

class File {
 public:
  explicit File(int file) : file_(file) {
    if (file < 0) {
      fail(Cause::Unavailable, "decoding: cannot open a file: ", std::strerror(errno));
    }
  }
  ~File() { reset(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return file_; }
  void reset() {
    if (file_ >= 0) ::close(std::exchange(file_, -1));
  }

 private:
  int file_;
};

// False when the other side is gone.
bool write_all(int file, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

// The bytes as a file that nobody can change any more.
int memory_file(std::span<const std::uint8_t> bytes) {
  const int file = ::memfd_create("picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return file;
  if (!write_all(file, bytes) || ::lseek(file, 0, SEEK_SET) != 0 ||
      ::fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
    ::close(file);
    return -1;
  }
  return file;
}

// A child that is killed and waited for at the latest when it goes out of scope.
class Child {
 public:
  Child(const RoomSettings& settings, int in, int out);
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

Child::Child(const RoomSettings& settings, int in, int out) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

  std::string program = settings.program.string(), argument = kRoomArgument;
  std::string megapixels = std::to_string(settings.max_megapixels);
  std::string side = std::to_string(settings.max_side);
  std::string seconds = std::to_string(settings.time.count());
  std::array<char*, 6> arguments = {program.data(), argument.data(), megapixels.data(),
                                    side.data(),    seconds.data(),  nullptr};
  // No secrets of the environment, and no code made at run time: the filter forbids it.
  std::string vectors = "VIPS_NOVECTOR=1", orc = "ORC_CODE=backup", arenas = "MALLOC_ARENA_MAX=2";
  const char* libraries = std::getenv("LD_LIBRARY_PATH");
  std::string path = std::string("LD_LIBRARY_PATH=") + (libraries != nullptr ? libraries : "");
  // libvips would put large pictures into a file, which nobody there may open.
  std::string threshold = "VIPS_DISC_THRESHOLD=16g";
  std::array<char*, 6> environment = {vectors.data(),
                                      orc.data(),
                                      arenas.data(),
                                      threshold.data(),
                                      libraries != nullptr ? path.data() : nullptr,
                                      nullptr};
  const int code = ::posix_spawn(&pid_, program.c_str(), &files, &attributes, arguments.data(),
                                 environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) {
    pid_ = -1;
    fail(Cause::Unavailable, "decoding: cannot start ", program, ": ", std::strerror(code));
  }
}

// All that comes until the end of the file. Refused when it is late or too much.
Bytes read_answer(int file, const std::string& what, const RoomSettings& settings,
                  const std::stop_token& stop) {
  const auto most_time = settings.time * kBusy;
  const Clock::time_point deadline = Clock::now() + most_time;
  const std::size_t most = 100 + std::size_t{4} * static_cast<std::size_t>(settings.max_side) *
                                     static_cast<std::size_t>(settings.max_side);
  Bytes answer;
  std::array<std::uint8_t, 65'536> piece;
  while (true) {
    if (stop.stop_requested()) fail(Cause::Cancelled, what, ": stopped while it was decoded");
    if (Clock::now() > deadline) {
      fail(Cause::Refused, what, ": expected to be decoded within ", most_time.count(),
           " s, was not");
    }
    pollfd waiting{file, POLLIN, 0};
    if (::poll(&waiting, 1, 50) == 0) continue;
    const ssize_t count = ::read(file, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return answer;
    if (answer.size() + static_cast<std::size_t>(count) > most) {
      fail(Cause::Refused, what, ": its decoder answers more than a picture of ", settings.max_side,
           " pixels a side");
    }
    answer.insert(answer.end(), piece.begin(), piece.begin() + count);
  }
}

Image read_image(const Bytes& answer, const std::string& what, int status) {
  const std::string_view text(reinterpret_cast<const char*>(answer.data()), answer.size());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && text.starts_with(kOk)) {
    return from_raw(std::span(answer).subspan(kOk.size()), what);
  }
  const std::size_t line = text.find('\n');
  if (WIFEXITED(status) && line != std::string_view::npos && line < 20) {
    std::string message(text.substr(line + 1, kMostMessage));
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    const std::string_view cause = text.substr(0, line);
    // The child's word counts for the picture only, never for what the job does next.
    fail(cause == name(Cause::Unavailable) ? Cause::Unavailable
         : cause == name(Cause::Refused)   ? Cause::Refused
                                           : Cause::BadInput,
         what, ": ", message);
  }
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
    fail(Cause::Refused, what, ": decoding it takes more time or memory than it may");
  }
  fail(Cause::BadInput, what, ": the picture makes its decoder fail (",
       WIFSIGNALED(status) ? "signal " : "exit code ",
       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), ")");
}

int number(const char* text) {
  int value = 0;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}

Bytes read_input() {
  Bytes bytes;
  std::array<std::uint8_t, 65'536> piece;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + count);
  }
}

int say(std::string_view line, std::span<const std::uint8_t> bytes) {
  const bool written =
      write_all(STDOUT_FILENO, {reinterpret_cast<const std::uint8_t*>(line.data()), line.size()}) &&
      write_all(STDOUT_FILENO, bytes);
  return written ? 0 : 1;
}

}  // namespace

RoomSettings room_settings(const PhotoSettings& photos) {
  RoomSettings room;
  room.program = photos.decoder;
  room.sandbox = photos.sandbox;
  room.max_megapixels = photos.max_megapixels;
  return room;
}

Image decode_foreign(std::span<const std::uint8_t> encoded, const std::string& what,
                     const RoomSettings& settings, std::stop_token stop) {
  cards::DecodeLimits limits;
  limits.max_pixels = std::int64_t{settings.max_megapixels} * 1'000'000;
  if (!settings.sandbox) return cards::decode_within(encoded, what, limits, settings.max_side);
  File picture(memory_file(encoded));
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail(Cause::Unavailable, what, ": cannot open a pipe: ", std::strerror(errno));
  }
  File out(ends[0]), in(ends[1]);
  Child child(settings, picture.get(), in.get());
  in.reset();  // so that the end of the child is the end of the file
  const Bytes answer = read_answer(out.get(), what, settings, stop);
  return read_image(answer, what, child.wait());
}

int decode_in_room(std::span<char* const> arguments) {
  try {
    if (arguments.size() != 3) fail(Cause::Usage, "expected three numbers");
    cards::DecodeLimits limits;
    limits.max_pixels = std::int64_t{number(arguments[0])} * 1'000'000;
    const int max_side = number(arguments[1]);
    const Bytes encoded = read_input();
    cards::set_threads(1);  // libvips reads its modules and settings now, while it may
    SandboxLimits sandbox;
    sandbox.memory =
        (std::uint64_t{512} << 20) + static_cast<std::uint64_t>(limits.max_pixels) * 12;
    sandbox.cpu_seconds = static_cast<unsigned>(std::max(1, number(arguments[2])));
    enter_sandbox(sandbox);
    const Bytes pixels = to_raw(cards::decode_within(encoded, "the picture", limits, max_side));
    return say(kOk, pixels);
  } catch (const Error& error) {
    const std::string message = error.what();
    say(std::string(name(error.cause())) + "\n",
        {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
    return 2;
  } catch (const std::bad_alloc&) {
    const std::string_view message = "decoding it takes more memory than it may";
    say(std::string(name(Cause::Refused)) + "\n",
        {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
    return 2;
  }
}

}  // namespace affiche::service

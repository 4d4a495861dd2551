// SPDX-License-Identifier: Apache-2.0
#include "service/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "base/error.h"

namespace affiche::service {
namespace {

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &both) != 0) {
    fail(Cause::Unavailable, "sandbox: cannot set a limit: ", std::strerror(errno));
  }
}

// What is mapped now: libraries count, though nobody uses most of their pages.
std::uint64_t mapped_bytes() {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(
      std::fopen("/proc/self/statm", "re"), &std::fclose);
  unsigned long pages = 0;
  if (!file || std::fscanf(file.get(), "%lu", &pages) != 1) return std::uint64_t{4} << 30;
  return std::uint64_t{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release) {
    if (!context_) fail(Cause::Unavailable, "sandbox: libseccomp does not start");
  }
  void allow(int call) { add(call, {}); }
  void allow(int call, scmp_arg_cmp condition) { add(call, {condition}); }
  void answer(int call, int error) {
    check(seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0));
  }
  void load() { check(seccomp_load(context_.get())); }

 private:
  void add(int call, std::initializer_list<scmp_arg_cmp> conditions) {
    check(seccomp_rule_add_array(context_.get(), SCMP_ACT_ALLOW, call,
                                 static_cast<unsigned>(conditions.size()), conditions.begin()));
  }
  static void check(int code) {
    if (code < 0) {
      fail(Cause::Unavailable, "sandbox: the kernel takes no filter: ", std::strerror(-code),
           "; photos.sandbox = false decodes without one");
    }
  }
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
};

void filter_calls() {
  Filter filter;
  for (const int call : {SCMP_SYS(read),
                         SCMP_SYS(readv),
                         SCMP_SYS(pread64),
                         SCMP_SYS(write),
                         SCMP_SYS(writev),
                         SCMP_SYS(lseek),
                         SCMP_SYS(close),
                         SCMP_SYS(fstat),
                         SCMP_SYS(newfstatat),
                         SCMP_SYS(fcntl),
                         SCMP_SYS(munmap),
                         SCMP_SYS(mremap),
                         SCMP_SYS(brk),
                         SCMP_SYS(madvise),
                         SCMP_SYS(futex),
                         SCMP_SYS(rt_sigaction),
                         SCMP_SYS(rt_sigprocmask),
                         SCMP_SYS(rt_sigreturn),
                         SCMP_SYS(sigaltstack),
                         SCMP_SYS(clock_gettime),
                         SCMP_SYS(clock_nanosleep),
                         SCMP_SYS(gettimeofday),
                         SCMP_SYS(nanosleep),
                         SCMP_SYS(sched_yield),
                         SCMP_SYS(sched_getaffinity),
                         SCMP_SYS(getpid),
                         SCMP_SYS(gettid),
                         SCMP_SYS(getrusage),
                         SCMP_SYS(getrandom),
                         SCMP_SYS(set_robust_list),
                         SCMP_SYS(rseq),
                         SCMP_SYS(sysinfo),
                         SCMP_SYS(restart_syscall),
                         SCMP_SYS(exit),
                         SCMP_SYS(exit_group),
                         SCMP_SYS(poll)}) {
    filter.allow(call);
  }
  // No memory becomes code.
  const auto not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  filter.allow(SCMP_SYS(mmap), not_executable);
  filter.allow(SCMP_SYS(mprotect), not_executable);
  // Threads of this process and no other processes. glibc asks clone3 first, whose flags lie in
  // memory where no filter sees them: ENOSYS makes it take clone.
  filter.allow(SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  filter.answer(SCMP_SYS(clone3), ENOSYS);
  filter.allow(SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
  filter.load();
}

}  // namespace

void enter_sandbox(const SandboxLimits& limits) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, limits.cpu_seconds);
  limit(RLIMIT_AS, mapped_bytes() + limits.memory);
  limit(RLIMIT_NOFILE, 16);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    fail(Cause::Unavailable, "sandbox: cannot give up privileges: ", std::strerror(errno));
  }
  filter_calls();
}

}  // namespace affiche::service

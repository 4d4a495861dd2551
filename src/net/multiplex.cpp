// SPDX-License-Identifier: Apache-2.0
#include "net/multiplex.h"

#include "base/error.h"
#include "net/transfer.h"

namespace affiche::net {
namespace {

// Progress callbacks, which see requests to stop and limits of time, come at least so often.
constexpr int kLook = 200;
constexpr int kIdle = 60'000;

CURLM* open_multi() {
  start_curl();
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) fail(Cause::Unavailable, "libcurl: out of memory");
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  return multi;
}

}  // namespace

Multiplex::Multiplex()
    : multi_(open_multi()), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Multiplex::~Multiplex() {
  thread_.request_stop();
  curl_multi_wakeup(multi_);
  thread_.join();
  curl_multi_cleanup(multi_);
}

CURLcode Multiplex::perform(CURL* easy) {
  Job job{easy};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&job);
  curl_multi_wakeup(multi_);
  finished_.wait(lock, [&] { return job.over; });
  return job.code;
}

void Multiplex::finish(CURL* easy, CURLcode code) {
  const auto found = running_.find(easy);
  if (found == running_.end()) return;
  Job* job = found->second;
  running_.erase(found);
  curl_multi_remove_handle(multi_, easy);
  {
    const std::lock_guard lock(mutex_);
    job->code = code;
    job->over = true;
  }
  finished_.notify_all();
}

void Multiplex::start_waiting() {
  std::vector<Job*> added;
  {
    const std::lock_guard lock(mutex_);
    added.swap(waiting_);
  }
  for (Job* job : added) {
    running_[job->easy] = job;
    if (curl_multi_add_handle(multi_, job->easy) != CURLM_OK) {
      finish(job->easy, CURLE_FAILED_INIT);
    }
  }
}

void Multiplex::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    start_waiting();
    int active = 0, left = 0;
    curl_multi_perform(multi_, &active);
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }
    curl_multi_poll(multi_, nullptr, 0, running_.empty() ? kIdle : kLook, nullptr);
  }
}

}  // namespace affiche::net

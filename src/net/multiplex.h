// SPDX-License-Identifier: Apache-2.0
// Transfers of several threads over shared connections: with HTTP/2 many go over one at once, with
// HTTP/1.1 each waits for or opens its own. One thread runs libcurl's multi interface; whoever
// transfers hands over its easy handle and waits. All callbacks of a transfer, the body's sink
// among them, run in that thread while its owner waits, so they need no locks of their own, but
// they must not wait for another transfer.
#pragma once

#include <curl/curl.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace affiche::net {

class Multiplex {
 public:
  Multiplex();
  // No transfer may be under way.
  ~Multiplex();
  Multiplex(const Multiplex&) = delete;
  Multiplex& operator=(const Multiplex&) = delete;

  // As curl_easy_perform(). Thread-safe; a handle is in one call at a time.
  CURLcode perform(CURL* easy);

 private:
  struct Job {
    CURL* easy = nullptr;
    CURLcode code = CURLE_OK;
    bool over = false;
  };
  void run(const std::stop_token& stop);
  void start_waiting();
  void finish(CURL* easy, CURLcode code);

  CURLM* multi_;
  std::map<CURL*, Job*> running_;  // of the thread alone
  std::mutex mutex_;               // guards the members below, and every Job
  std::condition_variable finished_;
  std::vector<Job*> waiting_;
  std::jthread thread_;
};

}  // namespace affiche::net

// SPDX-License-Identifier: Apache-2.0
// A page on loopback with every size and variant of a template, which follows the files: template,
// brand, drawings and data. Answers to /, state.json, layout.json, card.jpg, and server-sent events
// at /events, one for each change.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "service/preview.h"

namespace affiche::http {

struct LivePreviewFiles {
  std::filesystem::path card_template;
  std::filesystem::path brand;
  std::filesystem::path data;  // as for service::data_cases(); empty: none
};

class LivePreview {
 public:
  // Files that are wrong are told on the page, not here. `preview`: but for its data.
  LivePreview(LivePreviewFiles files, service::PreviewOptions preview);
  ~LivePreview();  // stops
  LivePreview(const LivePreview&) = delete;
  LivePreview& operator=(const LivePreview&) = delete;

  // Answers on 127.0.0.1 from now on, in threads of its own, to requests that name loopback as
  // their host and no others: no page from elsewhere reads the cards. Returns the port, a free one
  // for 0. Unavailable when it is taken.
  int start(int port);

 private:
  class Site;
  std::unique_ptr<Site> site_;
};

}  // namespace affiche::http

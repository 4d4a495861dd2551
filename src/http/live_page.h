// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace affiche::http {

// The page of `affiche preview --watch`: one HTML text with its style and script, which asks
// state.json, layout.json and card.jpg, and listens to events.
extern const char* const kLivePage;
// What the page may load and run: itself.
extern const char* const kLivePolicy;

}  // namespace affiche::http

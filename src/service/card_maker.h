// SPDX-License-Identifier: Apache-2.0
// The stages of a card joined to the engines: photo -> background -> compose -> publish.
#pragma once

#include <memory>

#include "photos/turns.h"
#include "service/config.h"
#include "service/stages.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

// The runner for the worker. Everything that costs (the model, its LoRAs, templates, brands) is
// loaded at first use and kept. The first three must outlive it. `sleep` stands in for waiting for
// providers in tests.
std::unique_ptr<StageRunner> make_card_maker(const Config& config, store::Store& store,
                                             store::Artifacts& artifacts,
                                             photos::Turns::Sleep sleep = {});

}  // namespace affiche::service

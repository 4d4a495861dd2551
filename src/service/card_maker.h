// SPDX-License-Identifier: Apache-2.0
// The stages of a card joined to the engines: photo -> background -> compose -> publish.
#pragma once

#include <memory>

#include "service/config.h"
#include "service/stages.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

// The runner for the worker. Everything that costs (the model, its LoRAs, templates, brands) is
// loaded at first use and kept. All arguments must outlive it.
std::unique_ptr<StageRunner> make_card_maker(const Config& config, store::Store& store,
                                             store::Artifacts& artifacts);

}  // namespace affiche::service

#pragma once

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace rapport {

// PROJECTION: the name of one of the projections that this program runs; `more`: of others too.
void AddProjectionArgument(CLI::App& command, std::string* projection,
                           const std::vector<std::string>& more = {});

}  // namespace rapport

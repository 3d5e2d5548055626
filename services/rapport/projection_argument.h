#pragma once

#include <string>

#include "CLI/CLI.hpp"

namespace rapport {

// PROJECTION: the name of one of the projections that this program runs.
void AddProjectionArgument(CLI::App& command, std::string* projection);

}  // namespace rapport

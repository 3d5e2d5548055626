#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rapport/config/v1/service.pb.h"

// The section `kpi` of the configuration with which figures were last served from a data folder:
// commands beside it fold them by the same, and do not build them anew by others.

namespace rapport {

// The section that was kept; else the defaults. FailedPrecondition: the file is damaged.
absl::StatusOr<config::v1::Kpis> KpiSectionInForce(const std::string& data);
// Unavailable: it cannot be written.
absl::Status KeepKpiSection(const std::string& data, const config::v1::Kpis& section);

}  // namespace rapport

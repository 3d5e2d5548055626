#pragma once

#include <memory>
#include <string>

#include "prometheus/registry.h"

namespace rapport {

// The process's metrics, in the way Prometheus reads them. Names begin with rapport_, end with
// their unit, and never have a client in a label. Thread-safe.
class Metrics {
 public:
  Metrics() : registry_(std::make_shared<prometheus::Registry>()) {}
  prometheus::Registry& registry() { return *registry_; }
  // The exposition format, for GET /metrics.
  std::string Text() const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
};

}  // namespace rapport

#include "libs/service/metrics.h"

#include <string>

#include "prometheus/text_serializer.h"

namespace rapport {

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace rapport

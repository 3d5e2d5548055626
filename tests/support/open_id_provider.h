#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace rapport {

class ServiceProcess;

// OpenID Connect providers for tests, on a free loopback port: a real one (npm's oidc-provider),
// and one that answers what a test asks for, right or wrong; open_id_provider/provider.mjs
// describes both. They go away with this object, and with the thread that called Start.
class OpenIdProvider {
 public:
  // About 1 s. FailedPrecondition: node or the packages are not installed.
  static absl::StatusOr<std::unique_ptr<OpenIdProvider>> Start();
  ~OpenIdProvider();

  // Of the real one, such as "http://127.0.0.1:40123"; also the address of both.
  const std::string& issuer() const;

 private:
  explicit OpenIdProvider(std::unique_ptr<ServiceProcess> process);
  const std::unique_ptr<ServiceProcess> process_;
};

}  // namespace rapport

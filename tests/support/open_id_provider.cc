#include "tests/support/open_id_provider.h"

#include <filesystem>
#include <utility>

#include "libs/base/status.h"
#include "tests/support/service_process.h"

namespace rapport {
namespace {

constexpr char kNode[] = "/usr/bin/node";
// The last file that fetch.sh writes.
constexpr char kInstalled[] = RAPPORT_OPEN_ID_PROVIDER_FOLDER "/installed";

}  // namespace

absl::StatusOr<std::unique_ptr<OpenIdProvider>> OpenIdProvider::Start() {
  if (!std::filesystem::exists(kNode) || !std::filesystem::exists(kInstalled)) {
    return absl::FailedPreconditionError(
        "there is no OpenID Connect provider: deploy/install.sh --tests, then "
        "tests/support/open_id_provider/fetch.sh");
  }
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<ServiceProcess> process,
                           ServiceProcess::Start(kNode, {RAPPORT_OPEN_ID_PROVIDER_SCRIPT,
                                                         RAPPORT_OPEN_ID_PROVIDER_FOLDER}));
  return std::unique_ptr<OpenIdProvider>(new OpenIdProvider(std::move(process)));
}

OpenIdProvider::OpenIdProvider(std::unique_ptr<ServiceProcess> process)
    : process_(std::move(process)) {}

OpenIdProvider::~OpenIdProvider() = default;

const std::string& OpenIdProvider::issuer() const { return process_->address(); }

}  // namespace rapport

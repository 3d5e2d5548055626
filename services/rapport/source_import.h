#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/identity/agent_directory.h"
#include "libs/identity/identity_rules.h"
#include "libs/import/importer.h"
#include "libs/projector/embedded_host.h"
#include "libs/sources/contact_resolver.h"
#include "libs/sources/identifier_index.h"
#include "rapport/config/v1/service.pb.h"
#include "services/rapport/api.h"

namespace rapport {

// The files of configured sources that an import reads, and whose the contacts in them are.
class SourceImport {
 public:
  // `files`: "NAME=FILE", the source's name in the configuration. InvalidArgument: what is wrong
  // with one of them or with the configuration; FailedPrecondition: it cannot be read.
  static absl::StatusOr<std::unique_ptr<SourceImport>> Create(
      const std::string& config, const std::vector<std::string>& files);
  ~SourceImport();

  // To be called once before Files() are opened. Without files, they do nothing.
  // Clients are found in the log of this process.
  absl::Status FindClientsIn(const std::string& data, const EmbeddedHost& host);
  // Before the log is closed.
  void LeaveLog();
  // They are asked for.
  void FindClientsAt(Api* api);
  // Nobody is known, and each identifier makes a client of its own.
  void KnowNoClients();

  // They point into this object.
  std::vector<ImportFile> Files() const;

 private:
  struct File {
    const config::v1::Source* source = nullptr;
    std::string path;
  };

  SourceImport() = default;

  config::v1::Config config_;
  IdentityRules rules_;
  AgentDirectory agents_;
  std::vector<File> files_;
  std::unique_ptr<StoreResources> resources_;
  std::unique_ptr<CacheBudget> budget_;
  std::unique_ptr<IdentifierIndex> index_;
  std::unique_ptr<ClientFinder> clients_;
};

}  // namespace rapport

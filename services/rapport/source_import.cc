#include "services/rapport/source_import.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"
#include "libs/service/config.h"
#include "libs/sources/source_file.h"
#include "libs/sources/source_settings.h"
#include "rapport/query/v1/identity.pb.h"

namespace rapport {
namespace {

using config::v1::Source;

constexpr absl::Duration kLoadTimeout = absl::Minutes(10);
constexpr size_t kMemoryBytes = size_t{64} << 20;

absl::Status NoClient() {
  return absl::InvalidArgumentError(
      "nothing is known of whom it was with: no number, address or id");
}

// Each identifier's provisional client.
class NobodyIsKnown final : public ClientFinder {
 public:
  absl::Status Resolve(ContactDraft* draft) override {
    if (draft->identifiers.empty()) return NoClient();
    draft->touchpoint.set_client_id(ProvisionalClientId(draft->identifiers.front()));
    draft->resolution = Resolution::kProvisional;
    return absl::OkStatus();
  }
};

// As ContactResolver finds them, one identifier after the other.
class AskedClients final : public ClientFinder {
 public:
  explicit AskedClients(Api* api) : api_(*api) {}

  absl::Status Resolve(ContactDraft* draft) override {
    if (draft->identifiers.empty()) return NoClient();
    std::optional<Answer> chosen;
    const Identifier* named_by = nullptr;
    draft->touchpoint.clear_contradictions();
    for (const Identifier& identifier : draft->identifiers) {
      RAPPORT_ASSIGN_OR_RETURN(const Answer answer, Ask(identifier));
      if (!chosen || (chosen->provisional && !answer.provisional)) {
        chosen = answer;
        named_by = &identifier;
      } else if (!answer.provisional && answer.goes_on_as != chosen->goes_on_as) {
        AddContradiction(*named_by, identifier, answer.goes_on_as, &draft->touchpoint);
      }
    }
    draft->touchpoint.set_client_id(chosen->client_id);
    draft->resolution = chosen->provisional                          ? Resolution::kProvisional
                        : draft->touchpoint.contradictions().empty() ? Resolution::kClient
                                                                     : Resolution::kContradiction;
    return absl::OkStatus();
  }

 private:
  struct Answer {
    std::string client_id;
    std::string goes_on_as;  // the client itself, or who absorbed it
    bool provisional = true;
  };

  absl::StatusOr<Answer> Ask(const Identifier& identifier) {
    const auto known = answers_.find(KeyOf(identifier));
    if (known != answers_.end()) return known->second;
    query::v1::IdentityAnswer told;
    RAPPORT_RETURN_IF_ERROR(
        api_.Get("/v1/identities" +
                     ApiQuery({{std::string(IdentifierKindName(identifier.kind)), identifier.value},
                               {"issuer", identifier.issuer}}),
                 &told));
    Answer answer{.client_id = told.client_id(), .goes_on_as = told.client_id()};
    for (const query::v1::IdentityClient& client : told.clients()) {
      if (client.client_id() != told.client_id()) continue;
      answer.provisional = client.provisional();
      // What is written under a client that was absorbed follows it, and goes back with it.
      if (!client.former_client_ids().empty()) answer.client_id = client.former_client_ids(0);
    }
    return answers_.emplace(KeyOf(identifier), std::move(answer)).first->second;
  }

  Api& api_;
  std::map<std::string, Answer> answers_;
};

absl::StatusOr<const Source*> FindSource(const config::v1::Config& config,
                                         const std::string& name) {
  std::vector<std::string> names;
  for (const Source& source : config.sources().sources()) {
    if (source.name() == name) return &source;
    names.push_back(source.name());
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no source is called '", name, "' in the configuration; ",
                   names.empty() ? "it has none (name the file with --config)"
                                 : absl::StrCat("there are ", absl::StrJoin(names, ", "))));
}

}  // namespace

SourceImport::~SourceImport() = default;

absl::StatusOr<std::unique_ptr<SourceImport>> SourceImport::Create(
    const std::string& config, const std::vector<std::string>& files) {
  std::unique_ptr<SourceImport> import(new SourceImport());
  if (files.empty()) return import;
  RAPPORT_ASSIGN_OR_RETURN(import->config_, LoadConfig(config));
  const config::v1::Sources& sources = import->config_.sources();
  RAPPORT_RETURN_IF_ERROR(CheckSources(sources));
  RAPPORT_ASSIGN_OR_RETURN(import->rules_, MakeIdentityRules(sources.identity()));
  RAPPORT_ASSIGN_OR_RETURN(import->agents_,
                           AgentDirectory::Create(sources, import->rules_.forms.e_mail));
  for (const std::string& text : files) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("--from '", text, "' is no NAME=FILE, such as pbx=Master.csv"));
    }
    File& file = import->files_.emplace_back();
    RAPPORT_ASSIGN_OR_RETURN(file.source, FindSource(import->config_, text.substr(0, equals)));
    file.path = text.substr(equals + 1);
  }
  return import;
}

absl::Status SourceImport::FindClientsIn(const std::string& data, const EmbeddedHost& host) {
  if (files_.empty()) return absl::OkStatus();
  resources_ =
      std::make_unique<StoreResources>(StoreResources::Options{.memory_bytes = kMemoryBytes});
  budget_ = std::make_unique<CacheBudget>(kMemoryBytes);
  // The copy of identifiers that `rapport up` goes on with.
  RAPPORT_ASSIGN_OR_RETURN(
      index_, IdentifierIndex::Start(&host.log(), host.topics(), resources_.get(), budget_.get(),
                                     {.folder = data + "/state/identity",
                                      .group = "rapport-sources-identity-embedded",
                                      .member = "embedded",
                                      .rules = rules_}));
  RAPPORT_RETURN_IF_ERROR(index_->Load(kLoadTimeout));
  clients_ = std::make_unique<ContactResolver>(index_.get());
  return absl::OkStatus();
}

void SourceImport::LeaveLog() {
  clients_ = nullptr;
  index_ = nullptr;
}

void SourceImport::FindClientsAt(Api* api) { clients_ = std::make_unique<AskedClients>(api); }

void SourceImport::KnowNoClients() { clients_ = std::make_unique<NobodyIsKnown>(); }

std::vector<ImportFile> SourceImport::Files() const {
  std::vector<ImportFile> files;
  const auto threads = std::make_shared<MailThreads>();
  for (const File& file : files_) {
    files.push_back(
        {.path = file.path,
         .open = [this, threads, source = file.source](const std::string& path, absl::Time now) {
           return OpenSourceFile(*source, path,
                                 {.rules = &rules_,
                                  .agents = &agents_,
                                  .clients = clients_.get(),
                                  .threads = threads,
                                  .now = now});
         }});
  }
  return files;
}

}  // namespace rapport

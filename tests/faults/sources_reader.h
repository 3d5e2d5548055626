#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "libs/service/http_client.h"
#include "rapport/query/v1/source.pb.h"
#include "tests/faults/sent_contacts.h"

namespace rapport::testing {

// Reads over HTTP what became of what was sent. One thread at a time.
class SourcesReader {
 public:
  // Answers to requests about clients, and about the ledger, come from these addresses.
  SourcesReader(std::string clients_address, std::string ledger_address)
      : clients_address_(std::move(clients_address)), ledger_address_(std::move(ledger_address)) {}

  // Calls and mails of all clients. DataLoss: a client's touchpoints are not as many as were
  // counted.
  absl::StatusOr<Timelines> ReadTimelines();
  // By source.
  absl::StatusOr<std::map<std::string, query::v1::SourceLedger>> ReadLedger();
  // Registers the people that are. Unavailable: not taken.
  absl::Status Register();
  // Folds the log anew beside a projection. DataLoss: they differ.
  absl::Status Verify(const std::string& projection);

 private:
  absl::Status Get(const std::string& url, google::protobuf::Message* answer);
  absl::StatusOr<std::vector<std::string>> ReadClients();
  absl::Status AddTimeline(const std::string& client, Timelines* timelines);

  const std::string clients_address_;
  const std::string ledger_address_;
  HttpClient client_;
};

// Where they differ, for people: the first clients; empty when they are equal.
std::string Difference(const Timelines& expected, const Timelines& found);
// What in the ledger is not as was sent; empty when all is.
std::string Difference(const std::map<std::string, SentItems>& sent,
                       const std::map<std::string, query::v1::SourceLedger>& ledger);

}  // namespace rapport::testing

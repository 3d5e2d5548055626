#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "libs/event_log/event_log.h"

namespace rapport {

// Another application that writes to Kafka in transactions, for tests: the log gets its markers,
// and what it aborts. One thread at a time.
class TransactionalProducer {
 public:
  // `id`: its transactional.id, of nobody else.
  static absl::StatusOr<std::unique_ptr<TransactionalProducer>> Start(const std::string& servers,
                                                                      const std::string& id);
  ~TransactionalProducer();
  TransactionalProducer(const TransactionalProducer&) = delete;
  TransactionalProducer& operator=(const TransactionalProducer&) = delete;

  // Writes all records (without their headers) in one transaction, and commits or aborts it.
  // `topic`: its full name. Returns once their markers stand behind them, so that readers get by.
  absl::Status Write(const std::string& topic, absl::Span<const Record> records, bool commit);

 private:
  struct Impl;
  explicit TransactionalProducer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace rapport

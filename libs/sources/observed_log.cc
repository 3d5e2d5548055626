#include "libs/sources/observed_log.h"

#include "libs/base/status.h"

namespace rapport {
namespace {

class ObservedReader final : public LogReader {
 public:
  ObservedReader(std::unique_ptr<LogReader> reader, Partition partition,
                 const ObservedLog::Observer& observer)
      : reader_(std::move(reader)), partition_(partition), observer_(observer) {}

  absl::StatusOr<absl::Span<const RecordView>> Read(size_t max_records,
                                                    absl::Duration wait) override {
    RAPPORT_ASSIGN_OR_RETURN(const absl::Span<const RecordView> records,
                             reader_->Read(max_records, wait));
    observer_(partition_, records);
    return records;
  }
  Offset position() const override { return reader_->position(); }
  std::vector<Header> Headers(const RecordView& record) const override {
    return reader_->Headers(record);
  }

 private:
  const std::unique_ptr<LogReader> reader_;
  const Partition partition_;
  const ObservedLog::Observer& observer_;
};

class ObservedSubscription final : public Subscription {
 public:
  ObservedSubscription(std::unique_ptr<Subscription> subscription,
                       const ObservedLog::Observer& observer)
      : subscription_(std::move(subscription)), observer_(observer) {}

  absl::StatusOr<PartitionRecords> Poll(size_t max_records, absl::Duration wait) override {
    RAPPORT_ASSIGN_OR_RETURN(const PartitionRecords polled, subscription_->Poll(max_records, wait));
    if (!polled.records.empty()) observer_(polled.partition, polled.records);
    return polled;
  }
  absl::Status Pause(Partition partition) override { return subscription_->Pause(partition); }
  absl::Status Resume(Partition partition) override { return subscription_->Resume(partition); }
  void ReportPosition(Partition partition, Offset next) override {
    subscription_->ReportPosition(partition, next);
  }
  absl::Status Trouble() const override { return subscription_->Trouble(); }
  absl::Status Close() override { return subscription_->Close(); }
  std::vector<Header> Headers(const RecordView& record) const override {
    return subscription_->Headers(record);
  }

 private:
  const std::unique_ptr<Subscription> subscription_;
  const ObservedLog::Observer& observer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LogReader>> ObservedLog::OpenReader(absl::string_view topic,
                                                                   Partition partition,
                                                                   Offset from) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<LogReader> reader,
                           log_.OpenReader(topic, partition, from));
  if (topic != topic_) return reader;
  return std::make_unique<ObservedReader>(std::move(reader), partition, observer_);
}

absl::StatusOr<std::unique_ptr<Subscription>> ObservedLog::Subscribe(
    absl::string_view topic, const SubscribeOptions& options, PartitionListener* listener) {
  RAPPORT_ASSIGN_OR_RETURN(std::unique_ptr<Subscription> subscription,
                           log_.Subscribe(topic, options, listener));
  if (topic != topic_) return subscription;
  return std::make_unique<ObservedSubscription>(std::move(subscription), observer_);
}

}  // namespace rapport

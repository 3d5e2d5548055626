#include "libs/state_store/write_ahead_log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/bytes.h"
#include "rocksdb/write_batch.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void Commit(int64_t number, const std::string& log, CommitSequence* sequence) {
  rocksdb::WriteBatch batch;
  std::string bytes;
  AppendOrdered64(&bytes, number);
  EXPECT_TRUE(batch.Put("a key", "a value").ok());
  EXPECT_TRUE(batch.Put(kCommitNumberKey, bytes).ok());
  sequence->LogRecordFound(0, log, batch, nullptr, nullptr);
}

// RocksDB's own, at the beginning of the log that it opens.
void Nothing(const std::string& log, CommitSequence* sequence) {
  sequence->LogRecordFound(0, log, rocksdb::WriteBatch(), nullptr, nullptr);
}

TEST(CommitSequenceTest, EachCommitFollowsTheOneBefore) {
  CommitSequence sequence;
  Commit(7, "4.log", &sequence);
  Nothing("5.log", &sequence);
  Commit(8, "5.log", &sequence);
  Nothing("6.log", &sequence);
  Nothing("7.log", &sequence);
  Commit(9, "7.log", &sequence);
  EXPECT_THAT(sequence.missing(), IsEmpty());
}

TEST(CommitSequenceTest, WhatIsMissingBeforeRecordsWithoutANumberIsSeen) {
  CommitSequence sequence;
  Commit(7, "4.log", &sequence);
  // All that came behind it in this log is gone.
  Nothing("5.log", &sequence);
  Commit(9, "6.log", &sequence);
  EXPECT_THAT(sequence.missing(), HasSubstr("6.log goes on with commit 9 where 8 was expected"));
}

}  // namespace
}  // namespace rapport

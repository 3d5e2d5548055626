#include "libs/service/http_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace rapport {

bool HttpStreamImpl::Write(absl::string_view piece) {
  MutexLock lock(&mutex_);
  if (!open_) return false;
  if (piece.empty()) return true;
  if (queued_bytes_ + piece.size() > max_queue_bytes_) {
    open_ = false;
    pending_.clear();
    connection_->worker()->Post([connection = connection_] { connection->Close(); });
    return false;
  }
  const size_t before = pending_.size();
  if (chunked_)
    absl::StrAppend(&pending_, absl::Hex(piece.size()), "\r\n", piece, "\r\n");
  else
    pending_.append(piece.data(), piece.size());
  queued_bytes_ += pending_.size() - before;
  Schedule();
  return true;
}

void HttpStreamImpl::OnClose(std::function<void()> closed) {
  {
    MutexLock lock(&mutex_);
    if (!ended_) {
      closed_ = std::move(closed);
      return;
    }
  }
  closed();
}

void HttpStreamImpl::Close() {
  MutexLock lock(&mutex_);
  if (!open_) return;
  open_ = false;
  if (chunked_) pending_ += "0\r\n\r\n";
  Schedule();
}

bool HttpStreamImpl::open() const {
  MutexLock lock(&mutex_);
  return open_;
}

void HttpStreamImpl::Schedule() {
  if (scheduled_ || connection_ == nullptr) return;
  scheduled_ = true;
  connection_->worker()->Post([connection = connection_] { connection->FlushStream(); });
}

HttpStreamImpl::Queued HttpStreamImpl::Take() {
  MutexLock lock(&mutex_);
  scheduled_ = false;
  return {.bytes = std::exchange(pending_, {}), .last = !open_};
}

void HttpStreamImpl::OnSent(size_t bytes) {
  MutexLock lock(&mutex_);
  queued_bytes_ -= std::min(bytes, queued_bytes_);
}

void HttpStreamImpl::End() {
  std::function<void()> closed;
  std::shared_ptr<HttpConnection> connection;
  {
    MutexLock lock(&mutex_);
    if (ended_) return;
    ended_ = true;
    open_ = false;
    pending_.clear();
    connection.swap(connection_);
    closed.swap(closed_);
  }
  if (closed) closed();
}

}  // namespace rapport

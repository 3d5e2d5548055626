#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "libs/base/mutex.h"
#include "libs/service/http_connection.h"
#include "libs/service/http_impl.h"

namespace rapport {

// What waits to be sent on one stream. Thread-safe.
class HttpStreamImpl final : public HttpStream::Impl {
 public:
  // `chunked`: each piece goes out as a chunk (HTTP/1.1).
  HttpStreamImpl(std::shared_ptr<HttpConnection> connection, bool chunked, size_t max_queue_bytes)
      : chunked_(chunked), max_queue_bytes_(max_queue_bytes), connection_(std::move(connection)) {}

  bool Write(absl::string_view piece) override;
  void OnClose(std::function<void()> closed) override;
  void Close() override;
  bool open() const override;

  // For the connection, on its thread.
  struct Queued {
    std::string bytes;
    bool last = false;  // nothing comes after them
  };
  Queued Take();
  void OnSent(size_t bytes);
  // The peer is gone, or everything was sent.
  void End();

 private:
  void Schedule() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool chunked_;
  const size_t max_queue_bytes_;

  mutable Mutex mutex_;
  std::shared_ptr<HttpConnection> connection_ ABSL_GUARDED_BY(mutex_);
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool scheduled_ ABSL_GUARDED_BY(mutex_) = false;
  std::string pending_ ABSL_GUARDED_BY(mutex_);
  // Pending, and with the connection.
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rapport

#pragma once

#include <functional>

#include "absl/strings/string_view.h"
#include "libs/service/http.h"

// What stands behind HttpReply and HttpStream: the server's side of one request.

namespace rapport {

class HttpStream::Impl {
 public:
  virtual ~Impl() = default;
  virtual bool Write(absl::string_view piece) = 0;
  virtual void OnClose(std::function<void()> closed) = 0;
  virtual void Close() = 0;
  virtual bool open() const = 0;
};

// One of both is called, once.
class HttpReply::Impl {
 public:
  virtual ~Impl() = default;
  virtual void Send(HttpResponse response) = 0;
  virtual HttpStream Stream(HttpResponse head) = 0;
};

}  // namespace rapport

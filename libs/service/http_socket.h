#pragma once

#include <utility>

#include <array>
#include <cstddef>

#include "boost/asio/buffer.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/system/error_code.hpp"
#include "libs/service/tls_certificate.h"

namespace rapport {

// The bytes of one connection: as they are, or through TLS from StartTls on. Nothing waits:
// would_block says that AwaitRead or AwaitWrite tells when to try again. OpenSSL works on the
// socket itself, and holds no buffers while nothing is under way; asio::ssl::stream would hold 34
// KiB all the time, and cannot go on with a write that would block. On one thread.
class HttpSocket {
 public:
  using Tcp = boost::asio::ip::tcp::socket;
  using ErrorCode = boost::system::error_code;

  explicit HttpSocket(Tcp tcp) : tcp_(std::move(tcp)) {}

  Tcp& tcp() { return tcp_; }
  bool is_tls() const { return tls_ != nullptr; }

  // The first byte that came, which stays to be read.
  char Peek(ErrorCode& error);
  // From here on all is TLS, beginning with the handshake.
  void StartTls(TlsSession session);
  // Tries to go on with the handshake; no error: it is done.
  void Handshake(ErrorCode& error);

  size_t Read(boost::asio::mutable_buffer buffer, ErrorCode& error) {
    return is_tls() ? ReadTls(buffer, error) : tcp_.read_some(buffer, error);
  }
  // Whether to read on at once, after `size` bytes came into a buffer of `capacity`.
  bool MayHaveMore(size_t size, size_t capacity) const {
    return is_tls() ? holds_input_ : size == capacity;
  }
  // Of both buffers in their order. What would block is tried again with the same bytes.
  size_t Write(const std::array<boost::asio::const_buffer, 2>& buffers, ErrorCode& error) {
    return is_tls() ? WriteTls(buffers, error) : tcp_.write_some(buffers, error);
  }

  // Calls `handler` with an error code when there may be something to read.
  template <class Handler>
  void AwaitRead(Handler handler) {
    if (holds_input_) {
      // What OpenSSL holds makes no socket readable.
      boost::asio::post(tcp_.get_executor(),
                        [handler = std::move(handler)]() mutable { handler(ErrorCode()); });
      return;
    }
    tcp_.async_wait(read_wants_write_ ? Tcp::wait_write : Tcp::wait_read, std::move(handler));
  }
  template <class Handler>
  void AwaitWrite(Handler handler) {
    tcp_.async_wait(write_wants_read_ ? Tcp::wait_read : Tcp::wait_write, std::move(handler));
  }

  // Tells the peer that nothing more comes.
  void ShutDownWrites();
  void Close();

 private:
  size_t ReadTls(boost::asio::mutable_buffer buffer, ErrorCode& error);
  size_t WriteTls(const std::array<boost::asio::const_buffer, 2>& buffers, ErrorCode& error);
  // What came of a call to OpenSSL that did not succeed.
  ErrorCode ErrorOf(int result);
  // The end of TLS, so that the peer can tell it from a connection that was cut off.
  void NotifyClose();

  Tcp tcp_;
  TlsSession tls_;
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  // Read from the socket by OpenSSL and not by us.
  bool holds_input_ = false;
  // Nothing more may be asked of OpenSSL.
  bool broken_ = false;
};

}  // namespace rapport

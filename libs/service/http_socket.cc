#include "libs/service/http_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "boost/asio/error.hpp"
#include "libs/base/check.h"
#include "openssl/bio.h"
#include "openssl/err.h"
#include "openssl/ssl.h"

namespace rapport {
namespace {

namespace asio = boost::asio;

// A record of TLS holds no more.
constexpr size_t kRecordBytes = SSL3_RT_MAX_PLAIN_LENGTH;

// OpenSSL's own BIO of a socket raises SIGPIPE when the peer is gone.
int SocketOf(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

int SendSome(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(SocketOf(bio), data, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int ReceiveSome(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t received = ::recv(SocketOf(bio), data, static_cast<size_t>(size), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(received);
}

long Control(BIO* bio, int command, long number, void* pointer) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO* NewBio(int socket) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, SendSome);
    BIO_meth_set_read(made, ReceiveSome);
    BIO_meth_set_ctrl(made, Control);
    return made;
  }();
  BIO* const bio = BIO_new(method);
  RAPPORT_CHECK(bio != nullptr, "no memory");
  BIO_set_data(bio, reinterpret_cast<void*>(intptr_t{socket}));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace

char HttpSocket::Peek(ErrorCode& error) {
  char first = 0;
  tcp_.receive(asio::buffer(&first, 1), Tcp::message_peek, error);
  return first;
}

void HttpSocket::StartTls(TlsSession session) {
  tls_ = std::move(session);
  BIO* const bio = NewBio(tcp_.native_handle());
  SSL_set_bio(tls_.get(), bio, bio);
  SSL_set_accept_state(tls_.get());
}

void HttpSocket::Handshake(ErrorCode& error) {
  ERR_clear_error();
  const int result = SSL_do_handshake(tls_.get());
  error = result == 1 ? ErrorCode() : ErrorOf(result);
  read_wants_write_ = SSL_want_write(tls_.get());
  // A request may have come with the end of the handshake.
  holds_input_ = result == 1 && SSL_has_pending(tls_.get()) == 1;
}

size_t HttpSocket::ReadTls(asio::mutable_buffer buffer, ErrorCode& error) {
  ERR_clear_error();
  size_t size = 0;
  const int result = SSL_read_ex(tls_.get(), buffer.data(), buffer.size(), &size);
  error = result == 1 ? ErrorCode() : ErrorOf(result);
  read_wants_write_ = result != 1 && SSL_want_write(tls_.get());
  holds_input_ = result == 1 && SSL_has_pending(tls_.get()) == 1;
  return size;
}

size_t HttpSocket::WriteTls(const std::array<asio::const_buffer, 2>& buffers, ErrorCode& error) {
  asio::const_buffer next = buffers[0].size() > 0 ? buffers[0] : buffers[1];
  // A head goes out in one record with what comes after it.
  char joined[kRecordBytes];
  if (buffers[0].size() > 0 && buffers[0].size() < kRecordBytes && buffers[1].size() > 0) {
    const size_t more = std::min(buffers[1].size(), kRecordBytes - buffers[0].size());
    std::memcpy(joined, buffers[0].data(), buffers[0].size());
    std::memcpy(joined + buffers[0].size(), buffers[1].data(), more);
    next = asio::const_buffer(joined, buffers[0].size() + more);
  }
  ERR_clear_error();
  size_t size = 0;
  const int result = SSL_write_ex(tls_.get(), next.data(), next.size(), &size);
  error = result == 1 ? ErrorCode() : ErrorOf(result);
  write_wants_read_ = result != 1 && SSL_want_read(tls_.get());
  return size;
}

HttpSocket::ErrorCode HttpSocket::ErrorOf(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    default:
      broken_ = true;
      return asio::error::connection_aborted;
  }
}

void HttpSocket::NotifyClose() {
  if (!is_tls() || broken_ || SSL_is_init_finished(tls_.get()) == 0) return;
  if ((SSL_get_shutdown(tls_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  if (SSL_shutdown(tls_.get()) < 0) broken_ = true;
}

void HttpSocket::ShutDownWrites() {
  NotifyClose();
  ErrorCode error;
  tcp_.shutdown(Tcp::shutdown_send, error);
}

void HttpSocket::Close() {
  NotifyClose();
  ErrorCode error;
  tcp_.close(error);
}

}  // namespace rapport

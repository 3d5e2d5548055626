#pragma once

#include <utility>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "boost/beast/http/basic_parser.hpp"
#include "boost/beast/http/error.hpp"
#include "libs/service/http.h"

namespace rapport {

// Reads one request straight into an HttpRequest, without a container of fields in between.
// Stricter than its base about what others between us and the client could read differently: one
// Host, no transfer coding but chunked, no folded fields (IsFolded), and chunks of a size that can
// be.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(size_t max_header_bytes) {
    header_limit(static_cast<uint32_t>(max_header_bytes));
    body_limit(std::numeric_limits<uint64_t>::max());  // checked here: each route has its own
  }

  HttpRequest& request() { return request_; }
  // As in the first line; valid once the header is done.
  const std::string& target() const { return target_; }
  // 10 or 11.
  int http_version() const { return version_; }
  size_t max_body_bytes() const { return max_body_bytes_; }
  void set_max_body_bytes(size_t bytes) { max_body_bytes_ = bytes; }
  // What is wrong, where the error of put() does not tell; empty when it does.
  absl::string_view problem() const { return problem_; }
  // Whether a piece of a header that put() has consumed has a field of several lines (RFC
  // 9112 5.2).
  static bool IsFolded(absl::string_view header) {
    return absl::StrContains(header, "\r\n ") || absl::StrContains(header, "\r\n\t");
  }

 private:
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;
  // Reserved for a body that has only been announced.
  static constexpr size_t kMaxReserve = size_t{64} << 10;
  // Nobody uses chunk extensions; what they hold is dropped.
  static constexpr size_t kMaxChunkExtension = 1024;

  void Fail(absl::string_view problem, Error& error) {
    problem_ = problem;
    error = boost::beast::http::error::bad_value;
  }

  static absl::string_view ToAbsl(View text) { return {text.data(), text.size()}; }

  void on_request_impl(boost::beast::http::verb method, View method_text, View target, int version,
                       Error& error) override {
    request_.method = std::string(ToAbsl(method_text));
    target_ = std::string(ToAbsl(target));
    version_ = version;
    request_.headers.reserve(8);
  }
  void on_response_impl(int code, View reason, int version, Error& error) override {}
  void on_field_impl(boost::beast::http::field field, View name, View value,
                     Error& error) override {
    // What stands behind a body comes after everybody who checks a header.
    if (has_header_) return;
    if (field == boost::beast::http::field::host && std::exchange(has_host_, true)) {
      return Fail("there are two Host headers", error);
    }
    if (field == boost::beast::http::field::transfer_encoding &&
        (version_ < 11 || !absl::EqualsIgnoreCase(ToAbsl(value), "chunked"))) {
      return Fail("the only transfer coding that is taken is chunked, of HTTP/1.1", error);
    }
    request_.headers.push_back({absl::AsciiStrToLower(ToAbsl(name)), std::string(ToAbsl(value))});
  }
  void on_header_impl(Error& error) override { has_header_ = true; }
  void on_body_init_impl(const boost::optional<uint64_t>& length, Error& error) override {
    if (length) request_.body.reserve(std::min<uint64_t>(*length, kMaxReserve));
  }
  size_t on_body_impl(View piece, Error& error) override {
    if (piece.size() > max_body_bytes_ - request_.body.size()) {
      error = boost::beast::http::error::body_limit;
      return 0;
    }
    request_.body.append(piece.data(), piece.size());
    return piece.size();
  }
  void on_chunk_header_impl(uint64_t size, View extensions, Error& error) override {
    if (size > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return Fail("a chunk has a size that cannot be", error);
    }
    if (extensions.size() > kMaxChunkExtension) {
      return Fail("the extensions of a chunk are too long", error);
    }
    if (size > max_body_bytes_ - request_.body.size()) {
      error = boost::beast::http::error::body_limit;
    }
  }
  size_t on_chunk_body_impl(uint64_t remain, View piece, Error& error) override {
    return on_body_impl(piece, error);
  }
  void on_finish_impl(Error& error) override {}

  HttpRequest request_;
  std::string target_;
  int version_ = 11;
  bool has_host_ = false;
  bool has_header_ = false;
  absl::string_view problem_;
  size_t max_body_bytes_ = 0;
};

}  // namespace rapport

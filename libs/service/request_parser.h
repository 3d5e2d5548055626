#pragma once

#include <utility>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "boost/beast/http/basic_parser.hpp"
#include "boost/beast/http/error.hpp"
#include "libs/service/http.h"

namespace rapport {

// Reads one request straight into an HttpRequest, without a container of fields in between.
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

 private:
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;
  // Reserved for a body that has only been announced.
  static constexpr size_t kMaxReserve = size_t{256} << 10;

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
    request_.headers.push_back({absl::AsciiStrToLower(ToAbsl(name)), std::string(ToAbsl(value))});
  }
  void on_header_impl(Error& error) override {}
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
  void on_chunk_header_impl(uint64_t size, View extensions, Error& error) override {}
  size_t on_chunk_body_impl(uint64_t remain, View piece, Error& error) override {
    return on_body_impl(piece, error);
  }
  void on_finish_impl(Error& error) override {}

  HttpRequest request_;
  std::string target_;
  int version_ = 11;
  size_t max_body_bytes_ = 0;
};

}  // namespace rapport

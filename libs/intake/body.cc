#include "libs/intake/body.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "libs/base/check.h"

namespace rapport {
namespace {

constexpr size_t kFirstBytes = size_t{64} << 10;
// A frame of zstd that asks for more memory than this to be unpacked is refused.
constexpr int kMaxZstdWindowLog = 23;
constexpr int kGzipWindowBits = 15 + 16;  // a gzip header, and nothing else

absl::Status TooLarge(size_t max_bytes) {
  return absl::OutOfRangeError(
      absl::StrCat("body: more than ", max_bytes, " bytes come out of it"));
}

absl::Status Damaged(absl::string_view encoding, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("body: is no ", encoding, " as content-encoding says: ", why));
}

// Room for more output: doubled, but never beyond one byte more than the limit, which tells that it
// was passed.
bool Grow(size_t max_bytes, size_t filled, std::string* out) {
  if (filled > max_bytes) return false;
  if (filled == out->size()) {
    out->resize(std::min(max_bytes + 1, std::max(kFirstBytes, 2 * out->size())));
  }
  return true;
}

absl::Status Gunzip(absl::string_view in, size_t max_bytes, std::string* out) {
  RAPPORT_CHECK(in.size() <= std::numeric_limits<uInt>::max(), "a body this large was accepted");
  z_stream stream = {};
  RAPPORT_CHECK(inflateInit2(&stream, kGzipWindowBits) == Z_OK, "no memory for unpacking");
  const std::unique_ptr<z_stream, void (*)(z_stream*)> guard(&stream,
                                                             [](z_stream* z) { inflateEnd(z); });
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream.avail_in = static_cast<uInt>(in.size());
  size_t filled = 0;
  for (;;) {
    if (!Grow(max_bytes, filled, out)) return TooLarge(max_bytes);
    stream.next_out = reinterpret_cast<Bytef*>(out->data() + filled);
    const auto room =
        static_cast<uInt>(std::min<size_t>(out->size() - filled, std::numeric_limits<uInt>::max()));
    stream.avail_out = room;
    const int result = inflate(&stream, Z_NO_FLUSH);
    filled += room - stream.avail_out;
    if (result == Z_STREAM_END) {
      // A gzip file may be several, one after the other.
      if (stream.avail_in == 0) break;
      RAPPORT_CHECK(inflateReset(&stream) == Z_OK, "zlib cannot start again");
    } else if (result == Z_BUF_ERROR ||
               (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
      return Damaged("gzip", "it is cut off");
    } else if (result != Z_OK) {
      return Damaged("gzip", stream.msg != nullptr ? stream.msg : "it is damaged");
    }
  }
  if (filled > max_bytes) return TooLarge(max_bytes);
  out->resize(filled);
  return absl::OkStatus();
}

absl::Status Unzstd(absl::string_view in, size_t max_bytes, std::string* out) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   &ZSTD_freeDCtx);
  RAPPORT_CHECK(context != nullptr, "no memory for unpacking");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  ZSTD_inBuffer input = {in.data(), in.size(), 0};
  size_t filled = 0;
  size_t left = 1;  // of the frame; 0 at its end
  while (input.pos < input.size || left != 0) {
    if (!Grow(max_bytes, filled, out)) return TooLarge(max_bytes);
    ZSTD_outBuffer output = {out->data(), out->size(), filled};
    const size_t before = input.pos;
    left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) return Damaged("zstd", ZSTD_getErrorName(left));
    if (left != 0 && input.pos == before && output.pos == filled) {
      return Damaged("zstd", "it is cut off");
    }
    filled = output.pos;
  }
  if (filled > max_bytes) return TooLarge(max_bytes);
  out->resize(filled);
  return absl::OkStatus();
}

}  // namespace

absl::Status UnpackBody(absl::string_view encoding, size_t max_bytes, std::string* body) {
  const std::string name = absl::AsciiStrToLower(absl::StripAsciiWhitespace(encoding));
  if (name.empty() || name == "identity") {
    return body->size() <= max_bytes ? absl::OkStatus() : TooLarge(max_bytes);
  }
  std::string unpacked;
  absl::Status status;
  if (name == "gzip" || name == "x-gzip") {
    status = Gunzip(*body, max_bytes, &unpacked);
  } else if (name == "zstd") {
    status = Unzstd(*body, max_bytes, &unpacked);
  } else {
    return absl::UnimplementedError(
        absl::StrCat("content-encoding: '", name, "' is not supported; send gzip, zstd or none"));
  }
  if (status.ok()) *body = std::move(unpacked);
  return status;
}

}  // namespace rapport

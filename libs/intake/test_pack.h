#pragma once

#include <zlib.h>
#include <zstd.h>

#include <string>

#include "libs/base/check.h"

// For tests: bodies as clients pack them.

namespace rapport {

inline std::string PackGzip(const std::string& text) {
  z_stream stream = {};
  RAPPORT_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                             Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  RAPPORT_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// With a checksum, so that damage is seen.
inline std::string PackZstd(const std::string& text) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const size_t size =
      ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size());
  RAPPORT_CHECK(ZSTD_isError(size) == 0);
  packed.resize(size);
  ZSTD_freeCCtx(context);
  return packed;
}

}  // namespace rapport

#pragma once

#include <memory>

#include "gmime/gmime.h"

namespace rapport::mail_internal {

struct GObjectUnref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct GFree {
  void operator()(gpointer memory) const { g_free(memory); }
};

// Owns a reference of an object of GMime's.
template <class T>
using GObjectPtr = std::unique_ptr<T, GObjectUnref>;
// Owns a text of GLib's.
using GText = std::unique_ptr<char, GFree>;

// To be called before anything else of GMime's. Thread-safe.
inline void InitGMime() {
  static const bool done = [] {
    g_mime_init();
    return true;
  }();
  (void)done;
}

}  // namespace rapport::mail_internal

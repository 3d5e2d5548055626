#include "libs/intake/json_text.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/common.h"

namespace rapport {
namespace {

using google::protobuf::internal::IsStructurallyValidUTF8;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxPathLevels = 16;

bool IsUtf8(absl::string_view text) {
  return IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()));
}

class Locator {
 public:
  Locator(absl::string_view json, size_t max_depth) : json_(json), max_depth_(max_depth) {}

  bool Find(Problem* problem) {
    for (place_ = 0; place_ < json_.size(); ++place_) {
      switch (json_[place_]) {
        case '"':
          if (!String(problem)) return true;
          break;
        case '{':
        case '[':
          levels_.push_back({json_[place_] == '[', 0, {}});
          if (levels_.size() > max_depth_) {
            levels_.pop_back();
            return Tell(absl::StrCat("is nested deeper than ", max_depth_, " levels"), problem);
          }
          break;
        case '}':
        case ']':
          if (!levels_.empty()) levels_.pop_back();
          break;
        case ',':
          if (!levels_.empty()) {
            ++levels_.back().index;
            levels_.back().name = {};
          }
          break;
        default:
          if (static_cast<unsigned char>(json_[place_]) >= 0x80) {
            return Tell("is not UTF-8, or has such characters outside of strings", problem);
          }
      }
    }
    return false;
  }

 private:
  struct Level {
    bool array = false;
    size_t index = 0;
    absl::string_view name;  // of the member that is being read; empty before its name
  };

  // Reads a string; false when it is not UTF-8.
  bool String(Problem* problem) {
    const size_t begin = place_ + 1;
    for (++place_; place_ < json_.size() && json_[place_] != '"'; ++place_) {
      if (json_[place_] == '\\') ++place_;
    }
    const size_t end = std::min(place_, json_.size());
    const absl::string_view text = json_.substr(begin, end - begin);
    const bool name = !levels_.empty() && !levels_.back().array && levels_.back().name.empty();
    if (!IsUtf8(text)) {
      Tell(name ? "has a member whose name is not UTF-8" : "is not UTF-8", problem);
      return false;
    }
    if (name) levels_.back().name = text;
    return true;
  }

  bool Tell(std::string reason, Problem* problem) const {
    problem->path.clear();
    for (size_t i = 0; i < std::min(levels_.size(), kMaxPathLevels); ++i) {
      const Level& level = levels_[i];
      if (level.array) {
        absl::StrAppend(&problem->path, "[", level.index, "]");
      } else if (!level.name.empty()) {
        absl::StrAppend(&problem->path, problem->path.empty() ? "" : ".",
                        absl::CHexEscape(level.name.substr(0, kMaxNameBytes)));
      }
    }
    if (levels_.size() > kMaxPathLevels) problem->path += "...";
    problem->reason = std::move(reason);
    return true;
  }

  const absl::string_view json_;
  const size_t max_depth_;
  size_t place_ = 0;
  std::vector<Level> levels_;
};

// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
size_t CharacterBytes(absl::string_view text) {
  for (size_t size = 1; size <= std::min<size_t>(4, text.size()); ++size) {
    if (IsUtf8(text.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

bool LocateInJson(absl::string_view json, size_t max_depth, Problem* problem) {
  return Locator(json, max_depth).Find(problem);
}

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    const char c = text.front();
    size_t size = 1;
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppend(&json, "\\u", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad4));
    } else {
      size = CharacterBytes(text);
      if (size == 0) {
        json += "\xEF\xBF\xBD";
        size = 1;
      } else {
        json.append(text.data(), size);
      }
    }
    text.remove_prefix(size);
  }
  json += '"';
  return json;
}

absl::string_view Utf8Prefix(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t size = max_bytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace rapport

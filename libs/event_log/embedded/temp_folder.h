#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "libs/base/check.h"

namespace rapport {

// A new folder for one test, removed at the end.
class TempFolder {
 public:
  TempFolder() : path_((std::filesystem::temp_directory_path() / "rapport-XXXXXX").string()) {
    RAPPORT_CHECK(mkdtemp(path_.data()) != nullptr, "cannot create ", path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace rapport

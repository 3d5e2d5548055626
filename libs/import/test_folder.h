#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace rapport {

// For tests: a folder of its own, removed at the end.
class TestFolder {
 public:
  TestFolder() {
    std::string path = std::filesystem::temp_directory_path() / "rapport-test-XXXXXX";
    path_ = mkdtemp(path.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }
  // The path of a new file with this content.
  std::string Write(const std::string& name, const std::string& content) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  std::string path_;
};

}  // namespace rapport

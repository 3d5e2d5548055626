// The configuration files of deploy are ones that the services take.

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/service/config.h"

namespace rapport {
namespace {

namespace fs = std::filesystem;

TEST(DeployConfigTest, EveryConfigurationIsTaken) {
  int files = 0;
  for (const char* folder : {"config", "docker", "kubernetes"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(RAPPORT_DEPLOY_FOLDER) / folder)) {
      if (entry.path().extension() != ".textproto") continue;
      SCOPED_TRACE(entry.path().string());
      EXPECT_OK(LoadConfig(entry.path().string()));
      ++files;
    }
  }
  EXPECT_EQ(files, 4);
}

TEST(DeployConfigTest, TheExampleNamesEverySection) {
  std::ifstream file(fs::path(RAPPORT_DEPLOY_FOLDER) / "config/rapport.textproto");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (int i = 0; i < config::v1::Config::descriptor()->field_count(); ++i) {
    const auto* const field = config::v1::Config::descriptor()->field(i);
    // `rapport up` has an example of its own.
    if (field->message_type() == nullptr || field->name() == "all_in_one") continue;
    EXPECT_NE(text.find(field->name() + " {"), std::string::npos) << field->name();
  }
}

}  // namespace
}  // namespace rapport

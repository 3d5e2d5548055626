#include "libs/projections/retention/settings_file.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libs/base/status_matchers.h"
#include "libs/projections/retention/retention.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

constexpr char kName[] = "model_version: firm-1\n";

TEST(SettingsFile, WhatIsWrittenIsRead) {
  RetentionSettings settings;
  settings.model_version = "firm-7";
  settings.orders.value_currency = "EUR";
  settings.mail_answer_due = absl::Hours(31);
  settings.complaint_high = 1.0 / 3;
  const auto read = ParseSettings(SettingsText(settings), "firm.model");
  ASSERT_OK(read);
  EXPECT_EQ(Retention::Fingerprint(*read), Retention::Fingerprint(settings));
}

TEST(SettingsFile, SaysOnlyWhatDiffers) {
  const auto read = ParseSettings(
      "# Our own thresholds.\n\nmodel_version: quiet-1\n  raise_points: 650   # fewer\n", "f");
  ASSERT_OK(read);
  EXPECT_EQ(read->raise_points, 650);
  EXPECT_EQ(read->clear_points, RetentionSettings().clear_points);
  EXPECT_EQ(read->model_version, "quiet-1");
  EXPECT_OK(ParseSettings("", "f"));
}

std::string ErrorOf(const std::string& text) {
  return std::string(ParseSettings(absl::StrCat(kName, text), "f.model").status().message());
}

TEST(SettingsFile, WhatIsWrongIsToldWithItsLine) {
  EXPECT_EQ(ErrorOf("complaint_hihg: 1.2\n"),
            "f.model:2: there is no setting 'complaint_hihg'; did you mean complaint_high?");
  EXPECT_EQ(ErrorOf("\nraise_points: 1200\n"),
            "f.model:3: raise_points is '1200', and has to be a whole number from 1 to 999");
  EXPECT_EQ(ErrorOf("complaint_low: much\n"),
            "f.model:2: complaint_low is 'much', and has to be a number from 0 to 10");
  EXPECT_EQ(ErrorOf("mood_half_life: 30\n"),
            "f.model:2: mood_half_life is '30', and has to be 0.01 to 3650 days, such as 30d or "
            "48h");
  EXPECT_EQ(ErrorOf("raise_points: 600\nclear_points: 610\n"),
            "f.model:3: clear_points is 610 and raise_points is 600: the first has to be below the "
            "second");
  EXPECT_EQ(ErrorOf("high_points: 960\n"),
            "f.model:2: high_points is 960 and critical_points is 900: the first has to be below "
            "the second");
  EXPECT_EQ(ErrorOf("raise_points 600\n"),
            "f.model:2: 'raise_points 600' is not of the form name: value");
  EXPECT_EQ(ErrorOf("mood_latest: 2\nmood_latest: 3\n"),
            "f.model:3: 'mood_latest' stands in line 2 already");
  EXPECT_EQ(ErrorOf("complaint_low: nan\n"),
            "f.model:2: complaint_low is 'nan', and has to be a number from 0 to 10");
  EXPECT_THAT(ParseSettings("raise_points: 600\n", "f.model").status().message(),
              HasSubstr("model_version is 'mbg-3' as before"));
}

}  // namespace
}  // namespace rapport

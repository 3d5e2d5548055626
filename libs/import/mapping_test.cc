#include "libs/import/mapping.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "libs/base/status_matchers.h"

namespace rapport {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kColumns = {"Id", "When", "Sum"};

// A mapping that compiles, with `rule` in its one rule on line 5.
std::string WithRule(const std::string& rule) {
  return "source: 's'\nclient_id { text: '{Id}' }\nwhen { text: '{When}' }\nrules {\n" + rule +
         "\n}\n";
}

std::string WithAssignment(const std::string& assignment) {
  return WithRule("kind: 'order_placed' source_event_id { text: 'o/{Id}' }\nassignments { " +
                  assignment + " }");
}

absl::Status Compile(const std::string& text) {
  const absl::StatusOr<MappingFile> file = MappingFile::Parse("m.textproto", text);
  if (!file.ok()) return file.status();
  return CompileMapping(*file, kColumns, {}).status();
}

void ExpectError(const std::string& text, const std::string& message) {
  EXPECT_THAT(Compile(text), StatusIs(absl::StatusCode::kInvalidArgument, message)) << text;
}

TEST(Mapping, CompilesWhatIsRight) {
  EXPECT_OK(Compile(
      WithAssignment("field: 'order_placed.amount' value { text: '{Sum}' currency: 'EUR' }")));
  EXPECT_OK(Compile(WithAssignment(
      "field: 'order_placed.lines.quantity_milli' value { text: '{Sum}' decimal_shift: 3 }")));
  EXPECT_OK(Compile(WithAssignment("field: 'channel' value { text: 'CHANNEL_PHONE' }")));
}

TEST(Mapping, ErrorsOfTheNotationNameTheLine) {
  ExpectError("source: 's'\nrulez {}\n",
              "m.textproto:2:7: Message type \"rapport.config.v1.ImportMapping\" has no field "
              "named \"rulez\".");
  EXPECT_THAT(Compile("source: 's'\nrules {\n  kind: 5\n}\n"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("m.textproto:3:9: ")));
}

TEST(Mapping, ErrorsOfMissingPartsNameTheLine) {
  ExpectError("client_id { text: 'x' }", "m.textproto:1: source is missing");
  ExpectError("source: 's'", "m.textproto:1: client_id is missing");
  ExpectError(
      "source: 's' client_id { text: '{Id}' }\nrules { kind: 'deal_won' "
      "source_event_id { text: '{Id}' } }",
      "m.textproto:1: when is missing");
  ExpectError("source: 's' client_id { text: '{Id}' } when { text: '{When}' }",
              "m.textproto:1: there are no rules");
  ExpectError(WithRule("kind: 'order_placed'"), "m.textproto:4: the rule has no source_event_id");
  ExpectError(WithAssignment("field: 'order_placed.order_id'"),
              "m.textproto:6: the assignment has no value");
  ExpectError(WithAssignment("field: 'order_placed.order_id'\nvalue { negated: true }"),
              "m.textproto:7: the value has none of text, product_sum, row_count");
}

TEST(Mapping, ErrorsOfColumnsNameTheLineAndTheColumns) {
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { text: 'x{Nr}' }"),
              "m.textproto:6: column 'Nr' is not in the file, which has Id, When, Sum");
  ExpectError(WithRule("kind: 'order_placed'\nsource_event_id { text: 'o' }\n"
                       "conditions { column: 'Nr' like: 'C*' }"),
              "m.textproto:7: column 'Nr' is not in the file, which has Id, When, Sum");
  ExpectError("group_columns: 'Nr'\n" + WithRule("kind: 'order_placed'"),
              "m.textproto:1: column 'Nr' is not in the file, which has Id, When, Sum");
  ExpectError(WithAssignment("field: 'order_placed.amount'\nvalue { currency: 'EUR'\n"
                             "product_sum { columns: 'Nr' } }"),
              "m.textproto:8: column 'Nr' is not in the file, which has Id, When, Sum");
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { text: 'x{Nr' }"),
              "m.textproto:6: a { without }; write {{ for the sign");
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { text: 'x}' }"),
              "m.textproto:6: a } without {; write }} for the sign");
}

TEST(Mapping, ErrorsOfKindsAndFieldsNameTheLine) {
  ExpectError(WithRule("kind: 'order_palced'"),
              "m.textproto:5: 'order_palced' is no kind of touchpoint, such as order_placed");
  ExpectError(WithRule("kind: 'channel'"),
              "m.textproto:5: 'channel' is no kind of touchpoint, such as order_placed");
  ExpectError(WithAssignment("field: 'order_placed.amuont' value { text: '1' }"),
              "m.textproto:6: there is no field 'amuont' in rapport.touchpoint.v1.OrderPlaced");
  ExpectError(WithAssignment("field: 'order_placed.order_id.x' value { text: '1' }"),
              "m.textproto:6: there is no field 'x' in "
              "rapport.touchpoint.v1.OrderPlaced.order_id");
  ExpectError(WithAssignment("field: 'order_placed.lines' value { text: '1' }"),
              "m.textproto:6: order_placed.lines is a OrderLine, which has no value of its own");
  ExpectError(WithAssignment("field: 'client_id' value { text: '1' }"),
              "m.textproto:6: client_id is set by the import; see the mapping's own fields");
  ExpectError(WithAssignment("field: 'deal_won.deal_id' value { text: '1' }"),
              "m.textproto:6: deal_won belongs to another kind than order_placed");
  ExpectError(WithRule("kind: 'order_placed'\nsource_event_id { text: 'o' }\n"
                       "row_lists { field: 'order_placed.amount' }"),
              "m.textproto:7: order_placed.amount is no repeated message");
}

TEST(Mapping, ErrorsOfValuesNameTheLine) {
  ExpectError(WithAssignment("field: 'channel' value { text: 'CHANNEL_PHON' }"),
              "m.textproto:6: channel: 'CHANNEL_PHON' is no Channel, such as CHANNEL_SOCIAL");
  ExpectError(WithAssignment("field: 'order_placed.line_count' value { text: 'many' }"),
              "m.textproto:6: order_placed.line_count: 'many' is no decimal number");
  ExpectError(WithAssignment("field: 'order_placed.amount' value { text: '{Sum}' }"),
              "m.textproto:6: an amount needs a currency");
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { row_count: true }"),
              "m.textproto:6: row_count is for numbers and amounts");
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { text: 'x' negated: true }"),
              "m.textproto:6: negated is for numbers and amounts");
  ExpectError(
      WithAssignment("field: 'order_placed.line_count' value { text: '1' currency: 'EUR' }"),
      "m.textproto:6: currency is for amounts");
  ExpectError(WithAssignment("field: 'order_placed.line_count'\n"
                             "value { text: '1' decimal_shift: 10 }"),
              "m.textproto:7: decimal_shift is not within 0 and 9");
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { text: '{Id}'\n"
                             "translations { from: 'a' to: 'b' }\n"
                             "translations { from: 'a' to: 'c' } }"),
              "m.textproto:8: 'a' is translated twice");
}

TEST(Mapping, ErrorsOfRowsAndTimesNameTheLine) {
  const std::string rule = "kind: 'deal_won' source_event_id { text: '1' }\n";
  ExpectError(WithRule(rule + "once_per_group: true"),
              "m.textproto:6: once_per_group is for rules with each_row");
  ExpectError(WithRule(rule + "each_row: true once_per_client: true"),
              "m.textproto:6: once_per_client is for whole groups");
  ExpectError(WithRule(rule + "conditions { column: 'Id' previous_row: true }"),
              "m.textproto:6: previous_row is for rules with each_row");
  ExpectError(WithRule(rule + "when { text: '{When}'\ntime_zone: 'Europe/Lundon' }"),
              "m.textproto:7: time zone 'Europe/Lundon' is not known here (is tzdata installed?)");
  ExpectError(WithRule(rule + "when { text: '{When}'\nlater_by { months: '{Nr}' } }"),
              "m.textproto:7: column 'Nr' is not in the file, which has Id, When, Sum");
  ExpectError(WithAssignment("field: 'order_placed.order_id' value { text: '1'\n"
                             "time_format: '%Y' }"),
              "m.textproto:7: time_format is for times");
  ExpectError(WithAssignment("field: 'order_placed.line_count' value { text: '1'\n"
                             "later_by { days: '1' } }"),
              "m.textproto:7: later_by is for times");
  ExpectError(WithAssignment("field: 'order_placed.amount' value { text: '1' currency: 'EUR'\n"
                             "time_zone: 'UTC' }"),
              "m.textproto:7: time_zone is for times");
}

TEST(Mapping, ErrorsOfRowsLeftOutAndRowsBeforeNameTheLine) {
  const std::string rule = WithRule("kind: 'deal_won' source_event_id { text: '1' }");
  ExpectError("skip_when {\n}" + rule, "m.textproto:1: skip_when has no conditions");
  ExpectError("skip_when {\nconditions { column: 'Nr' } }" + rule,
              "m.textproto:2: column 'Nr' is not in the file, which has Id, When, Sum");
  ExpectError("skip_when {\nconditions { column: 'Id' previous_row: true } }" + rule,
              "m.textproto:2: previous_row is for rules with each_row");
  ExpectError(WithAssignment("field: 'order_placed.order_id'\n"
                             "value { text: '{Id}' previous_row: true }"),
              "m.textproto:7: previous_row is for rules with each_row and for row_lists");
}

TEST(Mapping, ErrorsOfClientsNameTheLine) {
  const std::string source = "source: 's' when { text: '{When}' } rules { kind: 'deal_won' }\n";
  ExpectError(source + "client_id { text: '1' }\nclient_identifier {}",
              "m.textproto:3: client_identifier stands in place of client_id");
  ExpectError(source + "client_identifier {\nvalue { text: '{Id}' } }",
              "m.textproto:2: the client_identifier has no kind");
  ExpectError(source +
                  "client_identifier { kind: IDENTIFIER_KIND_PHONE\n"
                  "phone_region: 'Germany' value { text: '{Id}' } }",
              "m.textproto:3: phone_region 'Germany' is no region such as DE or GB");
}

TEST(Mapping, ErrorsOfTheFormatNameTheLine) {
  ExpectError("format {\n time_zone: 'Europe/Lundon'\n}\n" + WithRule("kind: 'order_placed'"),
              "m.textproto:2: time zone 'Europe/Lundon' is not known here (is tzdata installed?)");
  ExpectError("format {\n decimal_mark: ',,'\n}\n" + WithRule("kind: 'order_placed'"),
              "m.textproto:2: decimal_mark ',,' is not one character");
  ExpectError("format {\n thousands_mark: '.'\n}\n" + WithRule("kind: 'order_placed'"),
              "m.textproto:2: '.' cannot stand before the decimals and between thousands; is the "
              "decimal_mark right?");
  EXPECT_OK(Compile("format { thousands_mark: '\u00A0' }\n" +
                    WithAssignment("field: 'channel' value { text: 'CHANNEL_PHONE' }")));
}

TEST(ChooseMapping, TakesTheOneWithAPatternElseTheOneWithout) {
  std::vector<MappingFile> mappings;
  for (const std::string text : {"files: 'orders_*.csv' files: 'returns.csv'", "source: 's'"}) {
    ASSERT_OK_AND_ASSIGN(
        MappingFile mapping,
        MappingFile::Parse(absl::StrCat("m", mappings.size(), ".textproto"), text));
    mappings.push_back(std::move(mapping));
  }
  EXPECT_EQ(ChooseMapping("/orders_7/orders_1.csv.gz", mappings).value(), &mappings[0]);
  EXPECT_EQ(ChooseMapping("returns.csv", mappings).value(), &mappings[0]);
  EXPECT_EQ(ChooseMapping("orders_7/returns_1.csv", mappings).value(), &mappings[1]);
  EXPECT_THAT(ChooseMapping("orders.csv", absl::MakeSpan(mappings).first(1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "orders.csv: none of the mappings is for this file; see `files` in them"));
  ASSERT_OK_AND_ASSIGN(MappingFile second, MappingFile::Parse("m2.textproto", "files: '*.csv'"));
  mappings.push_back(std::move(second));
  EXPECT_THAT(ChooseMapping("returns.csv", mappings),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "returns.csv: both m0.textproto and m2.textproto are for this file"));
}

}  // namespace
}  // namespace rapport

#include "libs/kpi/csv.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "libs/base/time.h"
#include "rapport/query/v1/kpi.pb.h"

namespace rapport {
namespace {

using query::v1::KpiFigure;

std::string Text(absl::string_view text) {
  std::string value(text);
  const bool formula = !value.empty() && absl::StrContains("=+-@\t\r", value.substr(0, 1));
  if (formula) value.insert(value.begin(), '\'');
  if (value.find_first_of(",\"\r\n") == std::string::npos) return value;
  return absl::StrCat("\"", absl::StrReplaceAll(value, {{"\"", "\"\""}}), "\"");
}

// At most four decimals, and never an exponent.
std::string Number(double value) {
  std::string text = absl::StrFormat("%.4f", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

class Rows {
 public:
  explicit Rows(const std::vector<std::string>& head) { Add(head); }
  void Add(const std::vector<std::string>& cells) {
    text_ += absl::StrCat(absl::StrJoin(cells, ","), "\r\n");
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

const std::vector<std::string>& FigureHead() {
  static const auto* const head = new std::vector<std::string>{
      "from", "to", "numerator", "denominator", "value", "n", "reported_value", "plan"};
  return *head;
}

std::vector<std::string> Cells(const KpiFigure& figure) {
  const auto& reported = figure.reported();
  return {figure.from(),
          figure.to(),
          figure.has_numerator() ? absl::StrCat(figure.numerator()) : "",
          figure.has_denominator() ? absl::StrCat(figure.denominator()) : "",
          figure.has_value() ? Number(figure.value()) : "",
          absl::StrCat(figure.n()),
          reported.has_value() ? Number(reported.value()) : "",
          figure.has_plan() ? Number(figure.plan().value()) : ""};
}

std::vector<std::string> Joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string Of(const query::v1::KpiValues& values) {
  Rows rows(Joined({"kpi", "currency", "scope", "scope_id", "by", "what"}, FigureHead()));
  for (const query::v1::KpiSeries& series : values.series()) {
    const auto add = [&](absl::string_view what, const KpiFigure& figure) {
      rows.Add(Joined({series.code(), series.currency_code(), values.scope(),
                       Text(values.scope_id()), values.by(), std::string(what)},
                      Cells(figure)));
    };
    for (const KpiFigure& step : series.steps()) add("step", step);
    add("total", series.total());
    for (const KpiFigure& step : series.compared_steps()) add("compared_step", step);
    if (series.has_compared()) add("compared", series.compared());
  }
  return rows.text();
}

std::string Of(const query::v1::KpiBreakdown& breakdown) {
  Rows rows(Joined({"kpi", "currency", breakdown.by(), "name"}, FigureHead()));
  for (const query::v1::KpiRow& row : breakdown.rows()) {
    rows.Add(Joined({breakdown.series().code(), breakdown.series().currency_code(), Text(row.id()),
                     Text(row.name())},
                    Cells(row.figure())));
  }
  return rows.text();
}

std::string Of(const query::v1::KpiTouchpoints& touchpoints) {
  Rows rows({"client", "name", "day", "occurred_at", "kind", "source", "source_event_id",
             "currency", "numerator", "denominator", "by_itself", "late"});
  for (const query::v1::KpiPart& part : touchpoints.parts()) {
    const touchpoint::v1::Touchpoint& touchpoint = part.touchpoint();
    const google::protobuf::FieldDescriptor* const kind =
        touchpoint.GetReflection()->GetOneofFieldDescriptor(
            touchpoint, touchpoint.GetDescriptor()->FindOneofByName("payload"));
    const std::string at =
        part.has_touchpoint()
            ? absl::FormatTime(absl::RFC3339_full, FromProto(touchpoint.occurred_at()),
                               absl::UTCTimeZone())
            : "";
    rows.Add({Text(part.client_id()), Text(part.client_name()), part.day(), at,
              kind == nullptr ? "" : kind->name(), Text(touchpoint.source()),
              Text(touchpoint.source_event_id()), touchpoints.currency_code(),
              absl::StrCat(part.numerator()), absl::StrCat(part.denominator()), part.by_itself(),
              part.late() ? "true" : "false"});
  }
  return rows.text();
}

std::string Of(const query::v1::KpiChanges& changes) {
  Rows rows({"day", "known_on", "owner", "currency", "numerator", "denominator"});
  for (const query::v1::KpiChange& change : changes.changes()) {
    rows.Add({change.day(), change.known_on(), Text(change.owner_id()), change.currency_code(),
              absl::StrCat(change.numerator()), absl::StrCat(change.denominator())});
  }
  return rows.text();
}

std::string Of(const query::v1::KpiWaterfall& waterfall) {
  Rows rows(
      {"what", "from", "to", "at_start", "new_clients", "back", "came", "lost", "left", "at_end"});
  const auto add = [&rows](absl::string_view what, const query::v1::KpiWaterfallStep& step) {
    rows.Add({std::string(what), step.from(), step.to(), absl::StrCat(step.at_start()),
              absl::StrCat(step.new_clients()), absl::StrCat(step.back()),
              absl::StrCat(step.came()), absl::StrCat(step.lost()), absl::StrCat(step.left()),
              absl::StrCat(step.at_end())});
  };
  for (const query::v1::KpiWaterfallStep& step : waterfall.steps()) add("step", step);
  add("total", waterfall.total());
  return rows.text();
}

std::string Of(const query::v1::KpiCatalogue& catalogue) {
  Rows rows({"kpi", "name", "group", "formula", "moved_by", "by_agent", "detail"});
  for (const query::v1::KpiDefinition& kpi : catalogue.kpis()) {
    rows.Add({kpi.code(), Text(kpi.name()), kpi.group(), Text(kpi.formula()), kpi.moved_by(),
              kpi.by_agent() ? "true" : "false", kpi.detail()});
  }
  return rows.text();
}

template <class M>
bool Told(const google::protobuf::Message& answer, std::string* text) {
  const auto* const message = dynamic_cast<const M*>(&answer);
  if (message != nullptr) *text = Of(*message);
  return message != nullptr;
}

}  // namespace

std::string KpiCsv(const google::protobuf::Message& answer) {
  std::string text;
  Told<query::v1::KpiValues>(answer, &text) || Told<query::v1::KpiBreakdown>(answer, &text) ||
      Told<query::v1::KpiTouchpoints>(answer, &text) ||
      Told<query::v1::KpiChanges>(answer, &text) || Told<query::v1::KpiWaterfall>(answer, &text) ||
      Told<query::v1::KpiCatalogue>(answer, &text);
  return text;
}

}  // namespace rapport

#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/bonus/scheme.h"
#include "libs/kpi/figures.h"
#include "libs/kpi/targets.h"
#include "libs/service/access.h"
#include "libs/service/http.h"
#include "rapport/query/v1/bonus.pb.h"

// The routes of pay: whose statement a request asks for, the sums that it needs, and the answer
// that follows from them and from the firm's plans. The same in rapport-kpi and in the gateway.
// Each fails as those of requests.h do.

namespace rapport {

inline constexpr std::array<absl::string_view, 3> kStatementParameters = {"person", "period",
                                                                          "as_reported_on"};
inline constexpr std::array<absl::string_view, 3> kWhatIfParameters = {"from", "to", "person"};

// KPIs as schemes see them.
absl::StatusOr<BonusKpi> FindBonusKpi(absl::string_view code);
// The file of the section `kpi`; none when it names none.
absl::StatusOr<BonusSchemes> BonusSchemesOf(const config::v1::Kpis& section);

// Figures of all who are paid by one scheme for one period.
struct BonusReckoning {
  const BonusScheme* scheme = nullptr;
  // Keeps it, where it is none of the firm's.
  std::shared_ptr<const BonusSchemes> schemes;
  std::vector<std::string> people;  // who are paid by it, in order
  DayRange period;
  std::shared_ptr<const FigurePlan> plan;

  // One person's statement from the sums that `plan` asks for; watermark is left out.
  absl::StatusOr<query::v1::BonusStatement> Tell(const std::string& person, const Access* access,
                                                 const SumTable& table, const PlanBook& book) const;
};

// GET /v1/bonus/statement: of person= (whoever asks when it is missing) for period=, a month,
// quarter or year. NotFound: there is no scheme for it, or the caller may not see it: people see
// their own, and whoever sets plans that of those whom they lead.
struct PlannedStatement {
  std::string person;
  BonusReckoning reckoning;
};
absl::StatusOr<PlannedStatement> PlanStatement(const HttpRequest& request, const Access* access,
                                               const FigureEnv& env, const BonusSchemes& schemes);

// POST /v1/bonus/what-if, whose body is a file of schemes: the periods from= to to= that are over,
// by those schemes beside the present ones; of person=, or of all whom the caller may see.
struct PlannedWhatIf {
  // What is asked of sums, each once.
  std::vector<BonusReckoning> reckonings;
  struct Row {
    std::string person;
    size_t proposed = 0;  // its place in `reckonings`
    std::optional<size_t> present;
  };
  std::vector<Row> rows;
  std::vector<query::v1::BonusWarning> warnings;
  // `tables`: one for each reckoning. Watermark is left out.
  absl::StatusOr<query::v1::BonusWhatIf> Tell(const Access* access,
                                              const std::vector<SumTable>& tables,
                                              const PlanBook& book) const;
};
absl::StatusOr<PlannedWhatIf> PlanWhatIf(const HttpRequest& request, const Access* access,
                                         const FigureEnv& env, const BonusSchemes& schemes);

// GET /v1/bonus/schemes.
query::v1::BonusSchemeList SchemesFor(const BonusSchemes& schemes);

}  // namespace rapport

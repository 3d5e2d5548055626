#!/usr/bin/env python3
"""Prints plans for the managers of the story, their teams and the firm, for the year that ends with
this month and for the next one, as `rapport targets import` reads them. The amounts are invented:
a share of the year for each month of the trade's season. Usage: deploy/import/targets.py"""
import csv
import datetime
import sys

# Pounds in a month of middling size.
REVENUE = {"anna.keller": 12_500, "ben.okafor": 10_500, "emma.walsh": 9_500,
           "clara.jansen": 8_500, "david.moreau": 8_500}
TEAMS = {"north": ["anna.keller", "ben.okafor", "emma.walsh"],
         "south": ["clara.jansen", "david.moreau"]}
# From January to December.
SEASON = [0.75, 0.70, 0.85, 0.75, 1.00, 0.75, 0.85, 1.05, 1.25, 1.75, 1.90, 0.95]
OTHERS = {"new_clients": 5, "effective_call_share": 75, "commitments_kept_on_time": 95,
          "complaints_settled": 90}


def months():
    this = datetime.date.today().replace(day=1)
    for back in range(11, -2, -1):
        number = this.year * 12 + this.month - 1 - back
        yield f"{number // 12}-{number % 12 + 1:02d}", SEASON[number % 12]


def main():
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["kpi", "scope", "id", "period", "value", "currency"])
    for month, share in months():
        plan = {owner: round(base * share, -2) for owner, base in REVENUE.items()}
        for owner, amount in plan.items():
            out.writerow(["revenue", "owner", owner, month, f"{amount:.2f}", "GBP"])
            for kpi, value in OTHERS.items():
                out.writerow([kpi, "owner", owner, month, value, ""])
        for team, people in TEAMS.items():
            amount = sum(plan[owner] for owner in people)
            out.writerow(["revenue", "team", team, month, f"{amount:.2f}", "GBP"])
        out.writerow(["revenue", "firm", "", month, f"{sum(plan.values()):.2f}", "GBP"])


main()

#!/bin/bash
# Prints plans for the managers of the story, their teams and the firm, for the year that ends with
# this month and for the next one, as `rapport targets import` reads them. The amounts are invented:
# a share for each month of the trade's season.
set -euo pipefail

# Pounds in a month of middling size.
declare -A revenue=([anna.keller]=12500 [ben.okafor]=10500 [emma.walsh]=9500
                    [clara.jansen]=8500 [david.moreau]=8500)
declare -A team=([anna.keller]=north [ben.okafor]=north [emma.walsh]=north
                 [clara.jansen]=south [david.moreau]=south)
plans=("new_clients,5" "effective_call_share,75" "commitments_kept_on_time,95"
       "complaints_settled,90")
# In percent, from January to December.
season=(75 70 85 75 100 75 85 105 125 175 190 95)

this=$(($(date +%Y) * 12 + 10#$(date +%m) - 1))
echo kpi,scope,id,period,value,currency
for ((number = this - 11; number <= this + 1; number++)); do
  month=$(printf '%d-%02d' $((number / 12)) $((number % 12 + 1)))
  declare -A sums=([north]=0 [south]=0)
  for owner in "${!revenue[@]}"; do
    amount=$((revenue[$owner] * season[number % 12] / 100))
    sums[${team[$owner]}]=$((sums[${team[$owner]}] + amount))
    echo "revenue,owner,$owner,$month,$amount,GBP"
    for plan in "${plans[@]}"; do
      echo "${plan%,*},owner,$owner,$month,${plan#*,},"
    done
  done
  for unit in north south; do echo "revenue,team,$unit,$month,${sums[$unit]},GBP"; done
  echo "revenue,firm,,$month,$((sums[north] + sums[south])),GBP"
done

"""Figures of the Online Retail sample, month by month, from its rows alone: what the projection kpi
is held against. It shares no code and no formula text with the product.

Usage: online_retail_oracle.py SAMPLE.csv.gz   (one line per month on standard output)
"""
import collections
import csv
import datetime
import decimal
import gzip
import io
import sys

LOST_AFTER = datetime.timedelta(days=180)


def invoices(path):
    """(day, client, is_cancellation, pence) of each invoice, in time."""
    groups = collections.OrderedDict()
    with gzip.open(path, "rb") as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8")):
            client = row["CustomerID"]
            if not client:
                continue
            moment = datetime.datetime.strptime(row["InvoiceDate"], "%Y-%m-%d %H:%M:%S")
            amount = int(row["Quantity"]) * decimal.Decimal(row["UnitPrice"])
            group = groups.setdefault(row["InvoiceNo"], [moment, client, decimal.Decimal(0)])
            group[0] = min(group[0], moment)
            group[2] += amount
    result = []
    for number, (moment, client, amount) in groups.items():
        cancelled = number.startswith("C")
        pence = (-amount if cancelled else amount) * 100
        pence = int(pence.quantize(decimal.Decimal(1), rounding=decimal.ROUND_HALF_UP))
        result.append((moment, client, cancelled, pence))
    result.sort(key=lambda invoice: invoice[0])
    return [(moment.date(), *rest) for moment, *rest in result]


def next_month(day):
    return (day.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)


def spells(days):
    """When somebody with orders on these days was a client: [from, to)."""
    result = []
    for day in days:
        if result and day <= result[-1][1]:
            result[-1][1] = max(result[-1][1], day + LOST_AFTER)
        else:
            result.append([day, day + LOST_AFTER])
    return result


def main():
    orders = collections.defaultdict(list)
    revenue = collections.Counter()
    placed = collections.Counter()
    for day, client, cancelled, pence in invoices(sys.argv[1]):
        month = day.replace(day=1)
        revenue[month] += -pence if cancelled else pence
        if not cancelled:
            placed[month] += 1
            orders[client].append(day)
    all_spells = {client: spells(days) for client, days in orders.items()}
    month = min(revenue)
    while month <= max(revenue):
        end = next_month(month)
        new = sum(1 for s in all_spells.values() if month <= s[0][0] < end)
        at_start = sum(1 for s in all_spells.values() for a, b in s if a < month <= b)
        # A spell that ends on the first day of the month was one before it.
        lost = sum(1 for s in all_spells.values() for a, b in s if month <= b < end)
        back = sum(1 for s in all_spells.values() for a, b in s[1:] if month <= a < end)
        once = sum(1 for days in orders.values() if days[0] < end)
        twice = sum(1 for days in orders.values() if len(days) > 1 and days[1] < end)
        print(f"{month:%Y-%m} revenue={revenue[month]} orders={placed[month]} new={new} "
              f"repeat={twice}/{once} start={at_start} lost={lost} back={back}")
        month = end


if __name__ == "__main__":
    main()

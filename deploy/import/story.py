#!/usr/bin/env python3
"""Writes story.ndjson.gz, invented contacts with the clients of the Online Retail sample, as
CloudEvents one to a line. The same bytes each time. Usage: deploy/import/story.py"""
import csv
import datetime
import gzip
import json
import pathlib

from story_client import ANNA, BEN, CLARA, DAVID, EMMA, OWNERS, Client, add, events, utc
from story_present import PRESENT
from story_regulars import (daily_business, details, goods_and_money, meet, reviews,
                            written_off)

HERE = pathlib.Path(__file__).parent
ADJECTIVES = ["Blue", "Golden", "Willow", "Copper", "Maple", "Silver", "Hazel", "Rosewood", "Ivory",
              "Juniper", "Little", "Merry", "North", "Old", "Paper", "Quiet", "Red", "Saffron",
              "Thistle", "Velvet", "Winter", "Yellow"]
NOUNS = ["Lantern", "Door", "Barn", "Kettle", "Nest", "Acorn", "Teapot", "Orchard", "Ribbon",
         "Harbour", "Button", "Garden", "Bird", "Mill", "Candle", "Chest", "Fox", "Parcel", "Attic",
         "Bakehouse", "Cart"]
TRADES = ["Gifts", "Homeware", "Trading", "Interiors", "Stores"]


def complains_twice_and_falls_silent():
    c = Client("18073", ANNA)
    c.person("2011-05-27 09:00", "Rosa Lindqvist", "owner of the shop")
    c.call_out("2011-06-01 10:05", "welcome call")
    c.scores("2011-06-10 12:00", 5, "Quick and friendly.")
    c.complains("2011-07-28 09:12", "glass", "PRODUCT_QUALITY", "MEDIUM",
                "Half of the glass lanterns came broken.")
    c.settled("2011-08-02 15:30", "glass", "replaced, with an excuse", 40)
    c.complains("2011-08-18 09:03", "glass again", "PRODUCT_QUALITY", "HIGH",
                "Broken again. I have a wedding to supply on Saturday!")
    c.hung_up("2011-08-18 11:40", 410)
    c.mail_in("2011-08-19 08:15", "glass", "Third try", "Is anybody there?")
    c.scores("2011-08-26 12:00", 1, "Nobody called me back.")
    c.call_out("2011-11-21 14:00", "to ask how things are", 0, "NO_ANSWER")


def the_credit_note_that_never_came():
    c = Client("17723", BEN)
    c.person("2011-05-10 09:00", "Tom Ashby", "manager")
    c.call_out("2011-05-20 11:00", "welcome call")
    c.complains("2011-07-08 10:20", "billing", "BILLING", "MEDIUM",
                "We paid for two crates of cake stands and got one.")
    c.promise("2011-07-08 10:35", "credit note", "credit note of £84.50", "2011-07-22 17:00")
    c.call_in("2011-08-01 09:30", "where is the credit note?")
    c.promise("2011-08-01 09:36", "call back", "call back when it is sent", "2011-08-05 17:00")
    c.broken("2011-08-22 16:10", "credit note", "the client still has none")
    c.competitor("2011-08-22 16:12", "Hartley Wholesale", "they invoice without mistakes")
    c.mail_in("2011-09-01 08:50", "credit", "Credit note, again", "This is the last time I ask.")


def the_buyer_who_knew_us_left():
    c = Client("13093", CLARA)
    c.person("2010-12-02 09:00", "Priya Nair", "head of buying")
    for when in ("2010-12-15 10:00", "2011-01-12 10:00", "2011-02-14 10:00"):
        c.call_out(when, "monthly call with Priya")
    c.left("2011-03-18 12:00", "Priya Nair", "a new job in Leeds")
    c.mail_out("2011-03-28 09:00", "hello", "Who looks after us now?")
    c.call_out("2011-04-20 11:00", "to find a new contact", 0, "VOICEMAIL")


def the_decision_maker_leaves_before_the_renewal():
    c = Client("16333", ANNA)
    c.person("2011-02-04 09:00", "George Whitlam", "managing director")
    c.person("2011-02-04 09:05", "Amy Boone", "warehouse", "USER")
    c.contract("2011-02-10 12:00", "frame", "2011-02-01 00:00", "2012-01-31 00:00",
               "2011-12-31 00:00", 26000)
    for when in ("2011-03-15 14:00", "2011-06-21 14:00", "2011-09-20 14:00"):
        c.meeting(when, "quarterly review with George", 75, "FIELD_VISIT", "at the client's")
    for when in ("2011-04-14 10:00", "2011-05-12 10:00", "2011-07-14 10:00", "2011-08-18 10:00",
                 "2011-10-13 10:00", "2011-11-10 10:00"):
        c.call_out(when, "monthly call")
    c.scores("2011-06-24 12:00", 9, "", "NPS")
    c.left("2011-11-28 16:45", "George Whitlam", "retires at the end of the month")
    c.competitor("2011-12-05 10:20", "Hartley Wholesale", "the new director worked with them")


def saved_by_an_anticipatory_call():
    c = Client("12753", DAVID)
    c.person("2010-12-13 09:00", "Haruka Sato", "founder")
    c.call_out("2011-01-18 08:00", "how did the first delivery go?")
    c.mail_in("2011-03-03 07:30", "catalogue", "Spring catalogue", "Could we have it earlier?")
    c.mail_out("2011-03-03 14:00", "catalogue", "Re: Spring catalogue", "Attached.")
    c.call_out("2011-07-20 08:00", "called before she did: what is missing?", 32)
    c.promise("2011-07-20 08:30", "samples", "samples of the autumn range", "2011-07-29 17:00")
    c.kept("2011-07-25 10:00", "samples", "sent by courier")
    c.scores("2011-08-05 07:00", 5, "You called just when I was about to look elsewhere.")
    c.deal("2011-08-10 09:00", "autumn", "Autumn range for Tokyo", 14000,
           [("2011-08-24 09:00", "NEEDS_IDENTIFIED"), ("2011-09-14 09:00", "PRESENTED")])
    c.call_out("2011-10-05 08:00", "the autumn range")
    c.won("2011-11-16 09:00", "autumn", 15200)
    c.call_out("2011-11-30 08:00", "did all arrive?")


def every_survey_a_little_worse():
    c = Client("16843", EMMA)
    c.person("2011-01-17 09:00", "Colin Fairweather", "owner")
    for when, score in (("2011-03-01 12:00", 5), ("2011-05-30 12:00", 5), ("2011-07-18 12:00", 4),
                        ("2011-09-12 12:00", 3), ("2011-11-01 12:00", 2)):
        c.scores(when, score)
    for when in ("2011-02-21 15:00", "2011-04-18 15:00", "2011-06-13 15:00", "2011-08-15 15:00"):
        c.call_out(when, "how is business?")
    c.promise("2011-11-02 15:00", "range", "a date to see the spring range", "2011-11-18 17:00")
    c.competitor("2011-11-22 10:10", "Bramley & Sons", "they came by with the whole range")
    c.complains("2011-11-22 10:15", "range", "REQUEST_NOT_CARRIED_OUT", "HIGH",
                "I asked for the spring range three weeks ago.")


def mails_without_answers():
    c = Client("12643", DAVID)
    c.person("2011-01-12 09:00", "Lucie Perrin", "buyer")
    c.mail_in("2011-05-04 08:00", "delivery", "Livraison", "When will the rest come?")
    c.mail_out("2011-05-04 11:00", "delivery", "Re: Livraison", "On Thursday.")
    for when, thread in (("2011-08-10 08:00", "pallet"), ("2011-08-17 08:00", "customs"),
                         ("2011-08-25 08:00", "last")):
        c.mail_in(when, thread, f"Question: {thread}", "Merci de répondre.")
    c.mail_out("2011-11-02 10:00", "spring", "Our spring range")


def handed_from_one_to_the_next():
    c = Client("16553", EMMA)
    c.person("2010-12-09 09:00", "Derek Moss", "owner")
    c.contract("2010-12-20 12:00", "frame", "2011-01-01 00:00", "2011-12-31 00:00",
               "2011-09-30 00:00", 6000)
    for when in ("2011-01-20 10:00", "2011-02-17 10:00", "2011-03-17 10:00", "2011-04-14 10:00"):
        c.call_out(when, "monthly call")
    for when, giver, taker in (("2011-05-23 09:00", EMMA, BEN), ("2011-07-04 09:00", BEN, CLARA)):
        add(when, c.number, "OwnerAssigned", "BACK_OFFICE", "INTERNAL", from_owner_id=giver,
            to_owner_id=taker, reason="OWNER_CHANGE_REASON_HANDOVER",
            note="new split of portfolios")
    c.owner = CLARA
    c.complains("2011-07-18 13:30", "told thrice", "SERVICE", "MEDIUM",
                "I had to tell the same story to a third person.")
    c.add("2011-09-26 10:00", "ContractTerminated", "LETTER", "INBOUND", contract_id=c.id("frame"),
          ends_at=utc("2011-12-31 00:00"), reason="TERMINATION_REASON_CLIENT_CANCELLED",
          note="no reason given")


def content_and_recommends_us():
    c = Client("12583", DAVID)
    c.person("2010-12-02 09:00", "Mathieu Caron", "owner")
    for when in ("2011-01-25 09:00", "2011-03-22 09:00", "2011-05-24 09:00", "2011-07-26 09:00",
                 "2011-09-27 09:00", "2011-11-29 09:00"):
        c.call_out(when, "how is the shop?", 15)
    c.scores("2011-04-05 12:00", 9, "Toujours parfait.", "NPS")
    c.scores("2011-10-04 12:00", 10, "", "NPS")
    c.deal("2011-06-07 09:00", "second shop", "Fitting out the second shop", 5200,
           [("2011-06-21 09:00", "MEETING_SET"), ("2011-07-05 09:00", "PRESENTED"),
            ("2011-07-19 09:00", "NEGOTIATION")])
    c.won("2011-08-23 09:00", "second shop", 4900)
    c.meeting("2011-11-08 10:00", "Christmas window, on site", 120, "FIELD_VISIT",
              "at the client's")


def came_by_a_recommendation():
    c = Client("12683", DAVID)
    c.person("2011-05-04 09:00", "Inès Dubois", "head of buying")
    c.call_out("2011-05-11 09:00", "greetings from Mathieu Caron", 20)
    for when in ("2011-07-13 09:00", "2011-09-14 09:00", "2011-11-16 09:00"):
        c.call_out(when, "how is the shop?", 10)
    c.deal("2011-10-25 09:00", "frame", "Frame contract for three shops", 18000,
           [("2011-11-02 09:00", "CONTACTED"), ("2011-11-09 09:00", "NEEDS_IDENTIFIED"),
            ("2011-11-23 09:00", "NEGOTIATION")], "NEW_BUSINESS", "REFERRAL", "12583")
    c.meeting("2011-11-23 10:00", "draft of the frame contract", 90)


def a_complaint_that_made_a_friend():
    c = Client("13263", BEN)
    c.person("2011-01-19 09:00", "Sheila Grant", "owner")
    c.complains("2011-06-14 09:00", "late", "DELIVERY", "HIGH", "The order for the fete is late.")
    c.call_out("2011-06-14 09:40", "we put it into a taxi")
    c.settled("2011-06-14 15:00", "late", "delivered by taxi the same day", 60)
    c.scores("2011-06-17 12:00", 5, "That I will tell everybody.")
    for when in ("2011-03-08 11:00", "2011-05-10 11:00", "2011-08-09 11:00", "2011-10-11 11:00",
                 "2011-11-29 11:00"):
        c.call_out(when, "what is next?")


def eighteen_of_twenty_promises():
    c = Client("15513", EMMA)
    c.person("2010-12-02 09:00", "Margaret Oldfield", "director")
    c.person("2010-12-02 09:05", "Ian Pike", "buyer", "INFLUENCER")
    for number, month in enumerate(("02", "03", "04", "05", "06", "07", "08", "09"), 1):
        c.promise(f"2011-{month}-08 10:00", f"report {number}", "monthly report of deliveries",
                  f"2011-{month}-15 17:00")
        c.kept(f"2011-{month}-14 16:00", f"report {number}")
    c.promise("2011-09-08 10:10", "labels", "price labels in their colours", "2011-10-15 17:00")
    c.promise("2011-09-08 10:12", "returns", "a look at the returns", "2011-10-20 17:00")
    for when in ("2011-03-22 10:00", "2011-06-14 10:00", "2011-09-13 10:00", "2011-11-15 10:00"):
        c.call_out(when, "with Ian Pike")
    c.broken("2011-12-01 09:00", "labels", "nobody had ordered them")
    c.complains("2011-12-01 09:10", "labels", "REQUEST_NOT_CARRIED_OUT", "HIGH",
                "Everything done but what I asked for myself. Mrs Oldfield.")


def renewed_well_before_the_end():
    c = Client("16013", ANNA)
    c.person("2010-12-04 09:00", "Helen Barrow", "managing director")
    c.person("2010-12-04 09:05", "Jack Tully", "buyer", "INFLUENCER")
    c.contract("2010-12-06 12:00", "frame", "2010-12-01 00:00", "2011-11-30 00:00",
               "2011-10-31 00:00", 30000)
    for when in ("2011-02-15 14:00", "2011-05-17 14:00", "2011-08-16 14:00", "2011-11-15 14:00"):
        c.meeting(when, "quarterly review with Helen and Jack", 90)
    for when in ("2011-01-11 10:00", "2011-03-15 10:00", "2011-04-12 10:00", "2011-06-14 10:00",
                 "2011-07-12 10:00", "2011-09-13 10:00", "2011-10-11 10:00", "2011-12-06 10:00"):
        c.call_out(when, "monthly call")
    c.deal("2011-08-30 09:00", "renewal", "Renewal of the frame contract", 34000,
           [("2011-09-06 09:00", "PRESENTED"), ("2011-09-27 09:00", "NEGOTIATION")], "RENEWAL")
    c.won("2011-10-18 09:00", "renewal", 34000, "frame")
    c.contract("2011-10-18 12:00", "frame", "2011-12-01 00:00", "2012-11-30 00:00",
               "2012-10-31 00:00", 34000, renewed=True)


def told_something_wrong():
    c = Client("12383", CLARA)
    c.person("2010-12-23 09:00", "Wout Peeters", "owner")
    c.call_out("2011-02-08 10:00", "how is the shop?")
    c.complains("2011-06-09 09:20", "customs", "INACCURATE_INFORMATION", "MEDIUM",
                "We were told that no papers were needed. The lorry stood for two days.")
    c.promise("2011-06-09 09:30", "papers", "a list of the papers", "2011-06-16 17:00")
    c.call_out("2011-06-15 10:00", "the list", 0, "NO_ANSWER")


PLOTS = [complains_twice_and_falls_silent, the_credit_note_that_never_came,
         the_buyer_who_knew_us_left, the_decision_maker_leaves_before_the_renewal,
         saved_by_an_anticipatory_call, every_survey_a_little_worse, mails_without_answers,
         handed_from_one_to_the_next, content_and_recommends_us, came_by_a_recommendation,
         a_complaint_that_made_a_friend, eighteen_of_twenty_promises, renewed_well_before_the_end,
         told_something_wrong]


def first_owners():
    """Of the clients with a plot."""
    return {"18073": ANNA, "17723": BEN, "13093": CLARA, "16333": ANNA, "12753": DAVID,
            "16843": EMMA, "12643": DAVID, "16553": EMMA, "12583": DAVID, "12683": DAVID,
            "13263": BEN, "15513": EMMA, "16013": ANNA, "12383": CLARA}


def read_orders():
    """By client: moments of the orders, the invoices as (moment, number, pounds) without those that
    take goods back, the sum in pounds, and the country."""
    moments, invoices, sums, countries = {}, {}, {}, {}
    with gzip.open(HERE / "online_retail_sample.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            client = row["CustomerID"].split(".")[0]
            pounds = float(row["Quantity"]) * float(row["UnitPrice"])
            moments.setdefault(client, set()).add(row["InvoiceDate"])
            sums[client] = sums.get(client, 0) + pounds
            countries[client] = row["Country"]
            if not row["InvoiceNo"].startswith("C"):
                key = row["InvoiceDate"], row["InvoiceNo"]
                of_client = invoices.setdefault(client, {})
                of_client[key] = of_client.get(key, 0) + pounds
    return ({client: sorted(all) for client, all in moments.items()},
            {client: sorted((*key, pounds) for key, pounds in all.items())
             for client, all in invoices.items()}, sums, countries)


def introduce(number, client, first, pounds, country):
    """Its name, what is known of it, and its manager, an hour after its first order."""
    when = str(datetime.datetime.fromisoformat(first) + datetime.timedelta(hours=1))
    owner = first_owners().get(client, OWNERS[number % len(OWNERS)])
    name = (f"{ADJECTIVES[number % len(ADJECTIVES)]} {NOUNS[number * 5 % len(NOUNS)]} "
            f"{TRADES[number * 3 % len(TRADES)]}")
    segment = "SEGMENT_CORPORATE" if pounds > 8000 else "SEGMENT_BUSINESS"
    known = {"name": name, "segment": segment, **details(number, country)}
    if pounds > 12000:
        known["key_account"] = True
    add(when, client, "ClientDetailsChanged", "BACK_OFFICE", "INTERNAL", details=known)
    add(when, client, "OwnerAssigned", "BACK_OFFICE", "INTERNAL", to_owner_id=owner,
        reason="OWNER_CHANGE_REASON_FIRST_OWNER")
    return Client(client, owner, name.lower().replace(" ", "-") + ".example")


def main():
    moments, invoices, sums, countries = read_orders()
    for plot in PLOTS:
        plot()
    for number, client in enumerate(sorted(moments)):
        first = moments[client][0]
        met = introduce(number, client, first, sums[client], countries[client])
        often = len(moments[client]) >= 8
        if client not in first_owners() and len(moments[client]) >= 4:
            meet(met, number, first, often)
        if client not in first_owners() and often:
            daily_business(met, number, moments[client])
            goods_and_money(met, number, invoices[client], sums[client])
            if sums[client] > 4000:
                reviews(met, number)
        if len({moment[:10] for moment in moments[client]}) == 1 and sums[client] < 200:
            if first < "2011-09-01":
                written_off(met, number)
        if client in PRESENT:
            PRESENT[client](met)
    events.sort(key=lambda event: (event["time"], event["id"]))
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    (HERE / "story.ndjson.gz").write_bytes(
        gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))


main()

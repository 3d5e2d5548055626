"""The daily business of clients who order often: who they are, calls, promises, complaints, goods
and money on their way."""
import datetime

from story_client import TODAY, day

FIRST_NAMES = ["Alice", "Martin", "Nora", "Peter", "Joan", "Callum", "Beatrice", "Owen", "Harriet",
               "Simon", "Edith", "Raj", "Maureen", "Leo", "Fiona", "Graham", "Yasmin", "Hugh",
               "Carol", "Dominic", "Sally", "Neil", "Iris", "Victor", "Pauline", "Adam", "Gwen",
               "Frank", "Molly"]
SURNAMES = ["Whitcombe", "Harding", "Ellery", "Marsh", "Pettigrew", "Lowell", "Brandreth",
            "Cawthorn", "Dunning", "Everett", "Farrow", "Gillespie", "Holloway", "Ingle",
            "Jessop", "Kershaw", "Langley", "Mistry", "Nettleton", "Ogden", "Prentice", "Quarmby",
            "Rushton", "Sedgwick", "Thorne", "Underhill", "Vickers", "Wainwright", "Yardley",
            "Ashworth", "Blakemore"]
ROLES = ["owner", "owner of the shop", "managing director", "head of buying"]
HELPERS = [("buyer", "INFLUENCER"), ("shop manager", "INFLUENCER"), ("warehouse", "USER"),
           ("accounts", "GATEKEEPER")]
SHOPS = ["gift shop", "homeware shop", "online shop", "garden centre", "interior designer",
         "museum shop", "florist", "tea room with a shop"]
# Language and time zone, where they are not those of the United Kingdom.
ABROAD = {"France": ("fr", "Europe/Paris"), "Germany": ("de", "Europe/Berlin"),
          "Belgium": ("nl", "Europe/Brussels"), "Portugal": ("pt", "Europe/Lisbon"),
          "Austria": ("de", "Europe/Vienna"), "Japan": ("ja", "Asia/Tokyo"),
          "Denmark": ("da", "Europe/Copenhagen"), "Israel": ("he", "Asia/Jerusalem"),
          "Switzerland": ("de", "Europe/Zurich"), "Spain": ("es", "Europe/Madrid"),
          "Australia": ("en", "Australia/Sydney"), "Norway": ("nb", "Europe/Oslo"),
          "Canada": ("en", "America/Toronto"), "USA": ("en", "America/New_York"),
          "Bahrain": ("ar", "Asia/Bahrain"), "Sweden": ("sv", "Europe/Stockholm")}
PROMISES = ["samples of the new tins", "price labels in their colours", "a pallet in two parts",
            "a date for the missing mugs", "pictures for their web shop"]
COMPLAINTS = [("PRODUCT_QUALITY", "LOW", "Four of the mugs came chipped.", "four mugs sent"),
              ("DELIVERY", "MEDIUM", "The parcel stood in the rain.", "the goods were replaced"),
              ("BILLING", "LOW", "The discount is not on the invoice.", "credit note sent"),
              ("REQUEST_NOT_CARRIED_OUT", "MEDIUM", "We had asked for one delivery, not three.",
               "freight for two of them given back")]
REVIEWS = ["video", "at the client's"]
MINUTES = ["Tins and mugs go well, clocks do not. Fewer colours next time.",
           "Happy with the deliveries. Would take more if freight were free.",
           "Wants to see new things a month earlier. Two boxes came back, both replaced."]
NOTES = ["Does not like to be called at noon.", "Their own buyers ask for more colour.",
         "Stock is small: orders often, and little.", "Sells half of it through the web shop.",
         "Wants the catalogue on paper."]
NEEDS = [("More that fits into a parcel.", "packaging"), ("Things for under ten pounds.", "gifts"),
         ("Something for the garden.", "garden")]
PAYS_WITHIN = datetime.timedelta(days=14)
# Of whom the latest invoice that is due is not paid; half of it at the latter.
UNPAID = {"18223", "13983", "17243", "13993", "17613", "13113", "15093", "16873", "14543", "15993"}
HALF_PAID = {"17613"}


def moment(text):
    return datetime.datetime.fromisoformat(text)


def details(number, country):
    """What is known of any client beside its name."""
    language, zone = ABROAD.get(country, ("en", "Europe/London"))
    preference = {"time_zone": zone, "channels": [
        ["CHANNEL_PHONE", "CHANNEL_E_MAIL"], ["CHANNEL_E_MAIL", "CHANNEL_PHONE"],
        ["CHANNEL_E_MAIL"]][number % 3]}
    if number % 4 != 3:
        preference["from_hour"], preference["until_hour"] = [(8, 11), (9, 17), (14, 18)][number % 3]
    return {"language": language, "contact_preference": preference,
            "industry": SHOPS[number % len(SHOPS)]}


def meet(client, number, first, often):
    """Who decides at the client, and of every second one who orders often, somebody else."""
    decides = f"{FIRST_NAMES[number % 29]} {SURNAMES[number * 7 % 31]}"
    helps = f"{FIRST_NAMES[(number * 3 + 11) % 29]} {SURNAMES[(number * 5 + 3) % 31]}"
    # 01632 is a code without a town, whose numbers 960000 to 960999 are kept for fiction.
    client.person(str(moment(first) + datetime.timedelta(hours=2)), decides,
                  ROLES[number % len(ROLES)], phone=f"+441632960{2 * number:03}",
                  e_mail=client.e_mail(decides))
    client.people = [decides]
    if often and number % 2 == 1:
        role, influence = HELPERS[number // 2 % len(HELPERS)]
        client.person(str(moment(first) + datetime.timedelta(hours=2, minutes=5)), helps, role,
                      influence, phone=f"+441632960{2 * number + 1:03}",
                      e_mail=client.e_mail(helps))
        client.people.append(helps)
    if number % 3 == 0:
        client.agrees(str(moment(first) + datetime.timedelta(hours=3)), "marketing",
                      "E_MAIL" if number % 2 else "E_MAIL PHONE")


def daily_business(client, number, moments):
    """A call some days after each third order; here and there a score, a promise or a deal."""
    for place, ordered in enumerate(moments[::3]):
        after = moment(ordered) + datetime.timedelta(days=4 + number % 5)
        when = after.replace(hour=9 + number % 7, minute=number % 60, second=0)
        if when > datetime.datetime(2011, 12, 8):
            continue
        client.call_out(str(when), "did all arrive?", 3 + number % 9,
                        people=[client.people[place % len(client.people)]])
        if place % 2 == 1:
            client.scores(str(when + datetime.timedelta(hours=3)), 4 + number % 2)
        if place == 1 and number % 3 == 1:
            promise(client, number, when)
        if place == 2 and number % 4 == 2:
            question(client, when)
        if place == 1 and number % 5 == 2:
            client.note(str(when + datetime.timedelta(minutes=15)), NOTES[number % len(NOTES)])
        if place > 0 and number % 6 == 1:
            client.call_out(str(when - datetime.timedelta(days=1)), "did all arrive?", 0,
                            ["NO_ANSWER", "VOICEMAIL", "BUSY"][place % 3])
    if number % 3 == 0:
        usual_deal(client, number)
    if number % 5 == 4:
        complaint(client, number, moment(moments[2]) + datetime.timedelta(days=5))


def reviews(client, number):
    for quarter, months_ago in ((2, 6), (3, 2)):
        starts = datetime.datetime(2011, 12 - months_ago, 3 + number % 20, 10 + number % 5)
        review(client, number, quarter, starts)


def promise(client, number, when):
    """Kept, by every fourth client two days late."""
    due = when + datetime.timedelta(days=8)
    kept = due + datetime.timedelta(days=2 if number % 4 == 0 else -2)
    client.promise(str(when), "from the call", PROMISES[number % len(PROMISES)], str(due))
    if kept.date() < TODAY:
        client.kept(str(kept), "from the call", "done")


def question(client, when):
    """A mail, answered within hours."""
    asks = client.people[-1]
    client.mail_in(str(when + datetime.timedelta(days=2)), "boxes", "Sizes of the boxes",
                   "How many fit on a pallet?", asks)
    client.mail_out(str(when + datetime.timedelta(days=2, hours=3)), "boxes",
                    "Re: Sizes of the boxes", "48 of the small ones, 24 of the large ones.", asks)


def review(client, number, quarter, starts):
    """A meeting that was planned two weeks before."""
    name = f"review {quarter}"
    client.plan(str(starts - datetime.timedelta(days=14)), name, str(starts),
                "Review of the quarter", "What sells\nWhat came back\nWhat is next",
                REVIEWS[number % 2], 60, client.people)
    client.held(str(starts), name, "Review of the quarter", MINUTES[(number + quarter) % 3], 55,
                client.people, ["MEETING", "FIELD_VISIT"][number % 2], REVIEWS[number % 2])


def usual_deal(client, number):
    stages = ["CONTACTED", "MEETING_SET", "NEEDS_IDENTIFIED", "PRESENTED", "OBJECTIONS",
              "NEGOTIATION"][:number % 7]
    opened = datetime.datetime(2011, 10, 3, 9, 0) + datetime.timedelta(days=number % 20)
    steps = [(str(opened + datetime.timedelta(days=6 * (i + 1))), stage)
             for i, stage in enumerate(stages)]
    title = ["Spring range", "Garden range", "Second shop", "Christmas window"][number % 4]
    client.deal(str(opened), "deal", title, 800 + 150 * (number % 23), steps,
                ["UPSELL", "CROSS_SELL"][number % 2], closes=f"2012-0{1 + number % 6}-15 12:00")
    if number % 7 >= 3:
        statement, area = NEEDS[number % len(NEEDS)]
        client.need(steps[2][0], "of the deal", statement, area, "deal")
    if number % 7 == 6:
        client.won("2011-12-06 09:00", "deal", 800 + 150 * (number % 23))
    elif number % 21 == 0:
        client.lost("2011-12-07 09:00", "deal", "PRICE", "ten percent too dear")


def complaint(client, number, when):
    """A small one, over after three days; one of three had no ground."""
    category, severity, statement, resolution = COMPLAINTS[number // 5 % len(COMPLAINTS)]
    when = when.replace(hour=10, minute=number % 60, second=0)
    over = str(when + datetime.timedelta(days=3))
    client.complains(str(when), "small one", category, severity, statement,
                     answer_due=str(when + datetime.timedelta(days=4)))
    if number % 3 == 0:
        client.rejected(over, "small one", "the count in our warehouse shows that it was complete")
    else:
        client.settled(over, "small one", resolution, 5 + number % 20)


def written_off(client, number):
    """Small, and ordered on one day only: the manager went through these one afternoon."""
    client.writes_off(day(-60 - 7 * (number % 5), f"16:{number % 60:02}"), "NOT_WORTH_IT",
                      "one small order, long ago")


def goods_and_money(client, number, invoices, pounds):
    """Of the latest orders: `invoices` are (moment, number, pounds)."""
    for ordered, order, _ in invoices:
        placed = moment(ordered)
        if ordered < "2011-11-15" or placed.date() > TODAY - datetime.timedelta(days=2):
            continue
        promised = placed.replace(hour=17, minute=0) + datetime.timedelta(days=2)
        late = datetime.timedelta(days=1 if number % 11 == 3 else -1)
        if (promised + late).date() < TODAY:
            client.ships(str(promised + late - datetime.timedelta(hours=2)), order, str(promised))
    if pounds < 2500:
        return
    billed = [invoice for invoice in invoices if "2011-10-15" < invoice[0] < "2011-12-08"][-3:]
    last_due = [order for ordered, order, _ in billed
                if (moment(ordered) + PAYS_WITHIN).date() < TODAY][-1:]
    for ordered, order, amount in billed:
        due = (moment(ordered) + PAYS_WITHIN).replace(hour=17, minute=0)
        paid = due + datetime.timedelta(days=4 if number % 4 == 2 else -3)
        unpaid = client.number in UNPAID and [order] == last_due
        client.bills(str(moment(ordered) + datetime.timedelta(hours=1)), order, amount, str(due))
        if paid.date() < TODAY and not unpaid:
            client.pays(str(paid), order, amount)
        elif unpaid and client.number in HALF_PAID:
            client.pays(str(due), order, amount / 2)

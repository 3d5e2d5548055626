"""What goes on when the story ends: whatever is open, due, late or just over, of clients of each
manager. Moments are told by days from TODAY."""
from story_client import EMMA, day


def rosewood_garden(c):
    """A key account whose spring is being planned."""
    c.person_is("2010-12-04 09:30", "Helen Barrow", phone="+441632960990",
                e_mail=c.e_mail("Helen Barrow"), note="Decides alone, wants figures first.")
    c.person_is("2010-12-04 09:31", "Jack Tully", phone="+441632960991",
                e_mail=c.e_mail("Jack Tully"), note="Twins at school: never at three o'clock.")
    c.knows(day(-200, "10:00"), employee_count=48, industry="garden shops",
            website="https://" + c.site,
            long_term_goals={"texts": ["Ten shops in the north", "A range of their own"]},
            current_tasks={"texts": ["Third garden shop opens in spring"]},
            marketing_strategy="Garden shows, and a printed catalogue twice a year",
            financial_figures={"annual_revenue": {"minor_units": 240000000, "currency_code": "GBP"},
                               "share_of_wallet_permille": 310, "credit_grade": "B1"})
    c.plan(day(-20, "09:10"), "stock review", day(-12, "14:00"), "Stock for the new shop",
           "Lead times\nPallets or parcels\nWho signs for deliveries", people=["Jack Tully"])
    c.move_meeting(day(-13, "11:00"), "stock review", day(-11, "10:00"),
                   "Jack is at the builder's that day")
    c.held(day(-11, "10:00"), "stock review", "Stock for the new shop",
           "Wants one delivery per shop and week. Mugs and planters first. We send a plan of "
           "deliveries; Jack tells Helen.", 45, ["Jack Tully"])
    c.promise(day(-11, "10:40"), "delivery plan", "plan of deliveries for the third shop",
              day(-6, "17:00"), meeting="stock review")
    c.move_promise(day(-7, "09:00"), "delivery plan", day(-4, "17:00"),
                   "the carrier's prices come later", True)
    c.kept(day(-4, "15:20"), "delivery plan", "sent to Jack")
    c.deal(day(-40, "09:00"), "garden", "Garden range for three shops", 9800,
           [(day(-36, "10:00"), "CONTACTED"), (day(-30, "10:00"), "MEETING_SET"),
            (day(-24, "15:30"), "NEEDS_IDENTIFIED"), (day(-9, "16:00"), "PRESENTED")],
           "CROSS_SELL", closes=day(24, "12:00"), areas=["garden", "planters"])
    c.worth(day(-9, "16:05"), "garden", 12500, "planters came on top", day(24, "12:00"))
    c.need(day(-24, "15:40"), "garden range", "Something for gardens that fits into a parcel.",
           "garden", "garden")
    c.need(day(-11, "10:50"), "own label", "Boxes with our own name on them.", "packaging")
    c.objects(day(-9, "16:20"), "breakage", "Half of the planters of last year broke.", "garden")
    c.convinced(day(-5, "11:00"), "breakage", "new boxes; we pay what breaks", "garden")
    c.next_step(day(-5, "11:10"), "garden", "Send Helen the corrected offer", day(0, "16:00"))
    c.plan(day(-5, "11:15"), "quarterly review", day(2, "10:00"), "Quarterly review",
           "Deliveries since the last review\nGarden range: the offer\nWhat spring needs",
           "at the client's", 90, ["Helen Barrow", "Jack Tully"], "garden")
    c.mail_in(day(-1, "17:02"), "december", "Delivery dates for December",
              "Which days do you still deliver before the holidays? Jack", "Jack Tully")
    c.scores(day(-10, "12:00"), 9, "Quick when it matters.", "NPS")
    c.note(day(-4, "15:30"), "Helen compares us with Bramley & Sons on planters alone. Price is "
           "not the point, breakage is.", "garden")


def saffron_bird(c):
    c.next_step(day(-8, "09:30"), "deal", "Call Saffron Bird about the window", day(-1, "12:00"))
    c.deal(day(-26, "10:00"), "weddings", "Wedding favours", 2600,
           [(day(-22, "10:00"), "CONTACTED"), (day(-16, "10:00"), "PRESENTED"),
            (day(-6, "10:00"), "NEGOTIATION")], closes=day(9, "12:00"), areas=["weddings"])
    c.objects(day(-6, "10:10"), "minimum", "Two hundred of a colour are too many for us.",
              "weddings")
    c.next_step(day(-6, "10:15"), "weddings", "Ask the warehouse for half boxes", day(1, "12:00"))
    c.plan(day(-4, "10:00"), "favours", day(0, "13:30"), "Colours for the wedding favours",
           "Samples\nHalf boxes", "video", 30, c.people[:1], "weddings")


def hazel_button(c):
    c.takes_on(day(-6, "10:00"), "I call this week")
    c.call_out(day(-5, "10:15"), "what keeps them from ordering?", 0, "VOICEMAIL")


def velvet_mill(c):
    c.call_in(day(-10, "11:20"), "asks for spring prices", 6, people=c.people[:1])
    c.promise(day(-10, "11:25"), "prices", "price list for the spring range", day(-1, "17:00"))
    c.note(day(-10, "11:30"), "Opens a stall at the spring fair; wants prices before she books it.")


def golden_barn(c):
    c.complains(day(-12, "09:40"), "frames", "PRODUCT_QUALITY", "LOW",
                "Two of the frames have a crack.", day(-10, "17:00"))
    c.settled(day(-10, "12:00"), "frames", "two new ones are sent, freight is ours", 12)
    c.promise(day(-10, "12:02"), "new frames", "replacement for two broken frames",
              day(0, "17:00"), complaint="frames")


def old_bakehouse(c):
    c.call_out("2011-10-10 11:00", "are we too dear?", 18, people=c.people[:1])
    c.has_acted("2011-10-12 09:00", "SAVED", "orders again once the stock is counted")
    c.promise(day(-9, "14:10"), "candles", "word on when the candles are back", day(3, "17:00"))
    c.promise(day(-30, "14:00"), "catalogue", "ten printed catalogues", day(-20, "17:00"))
    c.move_promise(day(-21, "09:00"), "catalogue", day(-15, "17:00"), "the printer is late", False)
    c.kept(day(-16, "10:00"), "catalogue", "sent by post")


def juniper_door(c):
    c.mail_out(day(-15, "10:00"), "tins", "The tins that you asked for", "Three sizes, see below.",
               c.people[0])
    c.hung_up(day(0, "06:42"), 55, c.people[:1])


def golden_bakehouse(c):
    c.complains(day(-2, "10:25"), "late parcel", "DELIVERY", "MEDIUM",
                "The parcel was to come two days ago. My shelves are empty.", day(1, "12:00"),
                "580911")
    c.call_out(day(-1, "11:00"), "the carrier looks for it", 4, people=c.people[:1])


def yellow_door(c):
    c.contract(day(-310, "12:00"), "frame", day(-310, "00:00"), day(55, "00:00"),
               day(25, "00:00"), 4200, product_areas=["kitchen"])
    c.deal(day(-18, "09:00"), "renewal", "Renewal of the frame contract", 4600,
           [(day(-12, "10:00"), "CONTACTED"), (day(-5, "10:00"), "PRESENTED")], "RENEWAL",
           closes=day(20, "12:00"))
    c.next_step(day(-5, "10:05"), "renewal", "Hear what they say to the new terms",
                day(5, "12:00"))


def merry_barn(c):
    c.contract(day(-320, "12:00"), "frame", day(-320, "00:00"), day(45, "00:00"),
               day(40, "00:00"), 5200, auto_renewal=True, product_areas=["kitchen", "garden"])
    c.deal(day(-33, "09:00"), "mothers", "Mother's Day range", 1900,
           [(day(-28, "09:00"), "CONTACTED"), (day(-17, "09:00"), "PRESENTED")])
    c.won(day(-3, "11:00"), "mothers", 2050)
    c.person(day(-38, "10:00"), "Wilma Carrow", "accounts", "GATEKEEPER",
             e_mail=c.e_mail("Wilma Carrow"))
    c.left(day(-38, "10:05"), c.people[1], "has another shop in the group", "Wilma Carrow")
    c.mail_in(day(-3, "16:30"), "tape", "Printed tape", "Could the parcels have our tape?",
              c.people[0])
    c.mail_out(day(-2, "09:00"), "tape", "Re: Printed tape", "Yes, from 200 parcels on.",
               c.people[0])
    c.mail_in(day(-2, "15:45"), "tape", "Re: Printed tape", "200 a month or a year?", c.people[0])


def juniper_acorn(c):
    c.orders(day(-5, "11:30"), "T-4101", 186.40, 7, day(-2, "17:00"))
    c.ships(day(-3, "15:00"), "T-4101", day(-2, "17:00"), complete=False)
    c.call_in(day(-1, "15:10"), "where is the rest of the order?", 3, people=c.people[:1])


def willow_parcel(c):
    """Perhaps the same firm as Hazel Parcel Interiors: one person buys for both."""
    c.person(day(-70, "10:00"), "Sylvia Grantley", "buyer", "INFLUENCER",
             e_mail=c.e_mail("Sylvia Grantley"))
    c.mail_of_two(day(-6, "09:20"), "one invoice", "One invoice, please",
                  "Can both shops get one invoice?", "Sylvia Grantley", "15473")
    c.mail_out(day(-6, "11:00"), "one invoice", "Re: One invoice, please",
               "We look into it.", "Sylvia Grantley")


def hazel_parcel(c):
    c.person(day(-30, "10:00"), "Sylvia Grantley", "buyer", "INFLUENCER",
             e_mail="sylvia.grantley@willow-parcel-gifts.example")


def willow_mill(c):
    c.deal(day(-4, "09:00"), "easter", "Easter window", 1400, source="CAMPAIGN",
           closes=day(60, "12:00"))
    c.next_step(day(-4, "09:05"), "easter", "First call: who buys for Easter?", day(2, "12:00"))


def saffron_lantern(c):
    c.deal(day(-2, "09:00"), "start", "Starter shelf", 900, source="EVENT", closes=day(50, "12:00"))


def blue_bird(c):
    """Asked for a second shop, heard nothing, and has given notice."""
    c.contract(day(-330, "12:00"), "frame", day(-330, "00:00"), day(35, "00:00"),
               day(5, "00:00"), 6500)
    c.ends_contract(day(-8, "09:00"), "frame", day(35, "00:00"), "CLIENT_CANCELLED",
                    "nobody came back to us about the second shop")
    c.letter_in(day(-8, "09:00"), "2011-118", "notice of the frame contract")


def north_ribbon(c):
    c.plan(day(-9, "09:00"), "catch up", day(-1, "15:00"), "What kept them from ordering?",
           place="video", minutes=30, people=c.people[:1])


def ivory_acorn(c):
    """Ben's largest: a contract to renew, and a deal that should be closed by now."""
    c.contract(day(-345, "12:00"), "frame", day(-345, "00:00"), day(50, "00:00"),
               day(20, "00:00"), 11000, product_areas=["candles", "kitchen"])
    c.plan(day(-25, "09:00"), "renewal talk", day(-12, "11:00"), "Terms of the next year",
           "Prices\nFreight", "at the client's", 60, c.people)
    c.held(day(-12, "11:00"), "renewal talk", "Terms of the next year",
           "They stay if freight is free from 250 pounds on. We answer within two weeks.", 70,
           c.people, "FIELD_VISIT", "at the client's")
    c.promise(day(-12, "12:05"), "freight", "an answer about free freight", day(0, "16:00"),
              meeting="renewal talk")
    c.deal(day(-60, "09:00"), "own label", "Candles with their own label", 7400,
           [(day(-50, "10:00"), "NEEDS_IDENTIFIED"), (day(-35, "10:00"), "PRESENTED"),
            (day(-20, "10:00"), "NEGOTIATION")], closes=day(-6, "12:00"), areas=["candles"])
    c.objects(day(-19, "10:30"), "label price", "The labels cost more than the wax.", "own label")
    c.next_step(day(-12, "12:10"), "own label", "Send the draft contract", day(-2, "12:00"))
    c.plan(day(-3, "10:00"), "own label", day(4, "14:00"), "Sign the own label", "", "video", 30,
           c.people[:1], "own label")
    c.mail_in(day(-1, "16:20"), "freight", "Free freight?", "The two weeks are nearly over.",
              c.people[0])
    c.scores(day(-12, "15:00"), 8, "", "NPS")


def velvet_orchard(c):
    c.contract(day(-300, "12:00"), "frame", day(-300, "00:00"), day(65, "00:00"),
               day(50, "00:00"), 9500, auto_renewal=True)
    c.deal(day(-70, "09:00"), "shelves", "Shelves for the second floor", 3100,
           [(day(-60, "09:00"), "PRESENTED")], closes=day(-35, "12:00"))
    c.won(day(-38, "09:00"), "shelves", 2950)
    c.stage(day(-30, "09:00"), "shelves", "SUPPORT")
    c.call_out(day(-14, "10:30"), "do the shelves stand?", 6, people=c.people[:1])
    c.scores(day(-13, "12:00"), 6, "All in one call.", "CES")
    c.hung_up(day(0, "06:51"), 80, c.people[:1])


def quiet_button(c):
    c.deal(day(-120, "09:00"), "corner", "Children's corner", 4200,
           [(day(-100, "09:00"), "MEETING_SET"), (day(-90, "09:00"), "PRESENTED")])
    c.won(day(-75, "09:00"), "corner", 4400)
    c.stage(day(-50, "09:00"), "corner", "SUPPORT")
    c.stage(day(-12, "09:00"), "corner", "REFERRAL")
    c.note(day(-12, "09:10"), "Would gladly name us to the museum shop next door. Ask after the "
           "holidays.", "corner")
    c.complains(day(-4, "09:30"), "double", "BILLING", "LOW", "The same invoice came twice.",
                day(2, "17:00"), "580997")


def blue_chest(c):
    c.next_step(day(-7, "10:00"), "deal", "Offer for the second shop", day(1, "12:00"))
    c.promise(day(-7, "10:02"), "offer", "the offer for the second shop", day(1, "12:00"),
              deal="deal")
    c.need(day(-35, "10:20"), "second shop", "Shelves that can be set up in a day.", "shelves",
           "deal")


def merry_parcel(c):
    c.promise(day(-14, "11:00"), "samples", "samples of the glass range", day(-1, "12:00"))
    c.plan(day(-10, "10:00"), "glass", day(1, "09:30"), "The glass range", "Samples", "video", 30,
           c.people[:1])


def little_button(c):
    c.orders(day(-6, "10:15"), "T-4102", 142.75, 5, day(-3, "17:00"))
    c.orders(day(-28, "10:05"), "T-4093", 98.20, 4, day(-25, "17:00"))
    c.ships(day(-26, "15:00"), "T-4093", day(-25, "17:00"))


def willow_garden_interiors(c):
    c.deal(day(-6, "09:00"), "first frame", "First frame contract", 5600, kind="NEW_BUSINESS",
           source="COLD_CALL", closes=day(45, "12:00"))
    c.stage(day(-3, "10:00"), "first frame", "CONTACTED")
    c.next_step(day(-3, "10:05"), "first frame", "Ask who signs contracts", day(4, "12:00"))


def paper_cart(c):
    c.puts_off(day(-3, "15:00"), day(5, "09:00"), "back from abroad then")


def ivory_attic(c):
    c.call_out("2011-11-03 11:00", "what would bring them back?", 14, people=c.people[:1])
    c.has_acted("2011-11-05 10:00", "SAVED", "a first order for the new year is agreed")


def velvet_fox(c):
    c.deal(day(-90, "09:00"), "lamps", "Lamps for the tea room", 2300,
           [(day(-75, "09:00"), "PRESENTED"), (day(-60, "09:00"), "OBJECTIONS")])
    c.competitor(day(-40, "10:00"), "Hartley Wholesale", "they have the lamps in stock", "lamps")
    c.lost(day(-31, "09:00"), "lamps", "COMPETITOR", "they deliver within two days",
           "Hartley Wholesale")


def thistle_fox(c):
    """Clara's largest, ordering to the last day."""
    c.contract(day(-160, "12:00"), "frame", day(-160, "00:00"), day(205, "00:00"),
               day(175, "00:00"), 12500, product_areas=["kitchen", "lights"])
    c.deal(day(-45, "09:00"), "christmas", "Next Christmas, ordered early", 9800,
           [(day(-40, "10:00"), "CONTACTED"), (day(-31, "10:00"), "NEEDS_IDENTIFIED"),
            (day(-8, "10:00"), "PRESENTED")], closes=day(40, "12:00"), areas=["christmas"])
    c.next_step(day(-8, "10:10"), "christmas", "Show the samples in the shop", day(3, "12:00"))
    c.plan(day(-8, "10:15"), "samples", day(3, "10:00"), "Samples for next Christmas",
           "Lights\nPaper\nPrices for early orders", "at the client's", 90, c.people, "christmas")
    c.need(day(-31, "10:20"), "early", "Half of Christmas in summer, half in autumn.", "christmas",
           "christmas")
    c.promise(day(-8, "10:20"), "samples", "samples in the shop", day(3, "10:00"), deal="christmas")
    c.mail_in(day(-1, "18:10"), "pallet", "Pallet of this week",
              "One layer is missing, see picture.", c.people[0])
    for week in range(9):
        c.portal(day(-60 + 7 * week, "08:05"), "order status", "deliveries")


def red_bakehouse(c):
    c.contract(day(-337, "12:00"), "frame", day(-337, "00:00"), day(58, "00:00"),
               day(28, "00:00"), 7000)
    c.plan(day(-6, "09:40"), "renewal", day(5, "11:00"), "Renewal of the frame contract",
           "Turnover of the year\nWishes", "video", 60, c.people[:1])
    c.deal(day(-38, "09:00"), "garden", "Garden range", 3300,
           [(day(-30, "10:00"), "PRESENTED"), (day(-13, "10:00"), "OBJECTIONS")],
           closes=day(15, "12:00"), areas=["garden"])
    c.objects(day(-13, "10:10"), "season", "Too late in the year for gardens.", "garden")
    c.objects(day(-13, "10:12"), "room", "We have no room outside.", "garden")
    c.convinced(day(-4, "10:00"), "room", "a rack of a metre, lent by us", "garden")
    c.next_step(day(-4, "10:02"), "garden", "Offer to deliver in March", day(0, "15:00"))


def merry_chest(c):
    c.orders(day(-7, "14:00"), "T-4103", 410.00, 3, day(-1, "17:00"))
    c.call_in(day(-8, "13:40"), "orders by telephone, the shop page was down", 9)
    c.portal(day(-8, "13:20"), "order", "basket", 420, "FAILED")


def golden_garden(c):
    c.promise(day(-16, "11:00"), "returns", "a label for the returns", day(-9, "17:00"))
    c.move_promise(day(-10, "16:00"), "returns", day(-2, "17:00"), "the carrier changed", True)
    c.complains(day(-1, "09:15"), "returns", "REQUEST_NOT_CARRIED_OUT", "MEDIUM",
                "I still wait for the label for my returns.", day(1, "17:00"))


def quiet_ribbon(c):
    c.hung_up(day(0, "06:35"), 130, c.people[:1])


def rosewood_attic(c):
    c.chat(day(-5, "15:20"), "sizes of the hooks")
    c.deal(day(-1, "09:00"), "hooks", "Hooks and rails", 750, source="INBOUND",
           closes=day(30, "12:00"))


def red_chest(c):
    c.next_step(day(-20, "10:00"), "deal", "Ask again after the fair", day(-3, "12:00"))
    c.plan(day(-14, "10:00"), "fair", day(-4, "11:00"), "At the fair", place="fair, stand 12")
    c.cancel_meeting(day(-5, "17:00"), "fair", day(-4, "11:00"), "she has the flu")


def copper_chest(c):
    c.puts_off(day(-4, "16:30"), day(3, "09:00"), "the list of papers goes out before")


def copper_nest(c):
    c.bills(day(-30, "09:00"), "580630-A", 120.0, day(-8, "17:00"))
    c.contract(day(-355, "12:00"), "small", day(-355, "00:00"), day(10, "00:00"),
               day(8, "00:00"), 2400, auto_renewal=True)


def velvet_ribbon(c):
    """David's key account in the United Kingdom."""
    c.contract(day(-330, "12:00"), "frame", day(-330, "00:00"), day(65, "00:00"),
               day(35, "00:00"), 15000, product_areas=["kitchen", "bags"])
    c.deal(day(-30, "09:00"), "renewal", "Renewal for two years", 16000,
           [(day(-22, "10:00"), "PRESENTED"), (day(-7, "10:00"), "NEGOTIATION")], "RENEWAL",
           closes=day(18, "12:00"))
    c.worth(day(-7, "10:05"), "renewal", 15200, "two years for three per cent less",
            day(18, "12:00"))
    c.next_step(day(-7, "10:10"), "renewal", "Clear the discount with the director",
                day(0, "12:00"))
    c.objects(day(-7, "10:20"), "term", "Two years are long if you are late.", "renewal")
    c.plan(day(-7, "10:30"), "contract", day(6, "15:00"), "Draft of the renewal",
           "Term\nDiscount\nDeliveries in time", "video", 60, c.people, "renewal")
    c.promise(day(-7, "10:40"), "in time", "figures of deliveries in time", day(2, "17:00"),
              deal="renewal")
    c.hung_up(day(0, "06:38"), 25, c.people[:1])
    c.knows(day(-90, "11:00"), employee_count=75, website="https://" + c.site,
            long_term_goals={"texts": ["A shop in each county town"]},
            current_tasks={"texts": ["New warehouse in the north"]})


def ivory_bakehouse(c):
    """Abroad; Emma sells the bags."""
    c.contract(day(-65, "12:00"), "frame", day(-65, "00:00"), day(300, "00:00"),
               day(270, "00:00"), 14000)
    c.deal(day(-21, "09:00"), "bags", "Bags for the Nordic shops", 6800,
           [(day(-15, "09:00"), "CONTACTED"), (day(-5, "09:00"), "NEEDS_IDENTIFIED")],
           "CROSS_SELL", "REFERRAL", "12583", day(35, "12:00"), EMMA, ["bags"])
    c.next_step(day(-5, "09:10"), "bags", "Ask for the sizes of the shelves", day(-1, "15:00"))
    c.need(day(-5, "09:20"), "bags", "Bags that fold and carry our pattern.", "bags", "bags")
    c.mail_in(day(-4, "08:00"), "customs", "Customs papers", "Which code is it for the tins?",
              c.people[0])
    c.mail_out(day(-4, "09:30"), "customs", "Re: Customs papers", "It is on page two.", c.people[0])


def old_candle(c):
    c.complains(day(-3, "11:10"), "wax", "PRODUCT_QUALITY", "MEDIUM",
                "The candles of the last box drip.", day(0, "17:00"), "580615")
    c.promise(day(-3, "11:20"), "wax", "what the maker says about the wax", day(0, "17:00"),
              complaint="wax")
    c.mail_in(day(-1, "19:30"), "pictures", "Pictures of the candles", "As you asked for.",
              c.people[0])


def blue_kettle(c):
    c.next_step(day(-9, "10:00"), "deal", "Fix the date of the meeting", day(-1, "17:00"))
    c.withdraws(day(-18, "10:00"), "marketing", "PHONE")


def thistle_attic(c):
    c.objects(day(-25, "10:00"), "colour", "Nobody here buys yellow.", "deal")
    c.convinced(day(-9, "10:00"), "colour", "the same in blue", "deal")
    c.next_step(day(-9, "10:10"), "deal", "Send a sample in blue", day(4, "12:00"))
    c.promise(day(-9, "10:12"), "sample", "a sample in blue", day(4, "12:00"), deal="deal")


def copper_barn(c):
    c.orders(day(-8, "09:30"), "T-4104", 233.10, 6, day(-4, "17:00"))
    c.ships(day(-5, "15:00"), "T-4104", day(-4, "17:00"), complete=False)
    c.plan(day(-16, "09:00"), "new year", day(-2, "09:00"), "Plans for the new year",
           place="video", minutes=45, people=c.people[:1])


def velvet_bird(c):
    c.has_acted(day(-25, "14:00"), "LOST", "the shop is closed")


def copper_bakehouse(c):
    c.call_out("2011-11-24 10:00", "is the new supplier better?", 21, people=c.people[:1])
    c.has_acted("2011-11-25 09:00", "SAVED", "comes back, with a larger discount on tins")


def saffron_orchard(c):
    c.deal(day(-3, "09:00"), "again", "Back after the move", 1700, source="CAMPAIGN",
           closes=day(55, "12:00"))


def winter_harbour(c):
    """Emma's largest, with a contract renewed in time."""
    c.contract(day(-340, "12:00"), "frame", day(-340, "00:00"), day(-10, "00:00"),
               day(-30, "00:00"), 8000)
    c.contract(day(-42, "12:00"), "frame", day(-10, "00:00"), day(355, "00:00"),
               day(325, "00:00"), 9200, renewed=True)
    c.stage(day(-1, "09:00"), "deal", "SUPPORT")
    c.deal(day(-15, "09:00"), "tea", "Tea room in the second shop", 5400,
           [(day(-11, "09:00"), "CONTACTED"), (day(-4, "09:00"), "MEETING_SET")],
           closes=day(50, "12:00"), areas=["kitchen"])
    c.plan(day(-4, "09:05"), "tea", day(1, "14:00"), "What the tea room needs",
           "Room for sixty\nCups or mugs\nWhen it opens", "at the client's", 75, c.people, "tea")
    c.next_step(day(-4, "09:10"), "tea", "Bring the plan of the room", day(1, "14:00"))
    c.mail_in(day(-1, "15:15"), "tea", "Plan of the tea room", "Here is the plan as it stands.",
              c.people[0])
    c.scores(day(-20, "12:00"), 10, "", "NPS")


def merry_nest(c):
    c.takes_on(day(-5, "09:00"), "I go there in person, with the spring range")
    c.plan(day(-5, "09:30"), "visit", day(4, "11:00"), "What went wrong with the spring range",
           "Excuse\nThe range\nWhat we do from now on", "at the client's", 60,
           ["Colin Fairweather"])


def north_candle(c):
    c.contract(day(-350, "12:00"), "frame", day(-350, "00:00"), day(15, "00:00"),
               day(10, "00:00"), 4100, auto_renewal=True)
    c.promise(day(-5, "10:00"), "labels", "labels without a price", day(0, "12:00"))
    c.plan(day(-5, "10:05"), "new people", day(0, "10:30"), "Meet the new shop manager",
           "Who orders what\nHow they like to be called", "video", 30, c.people[:1])


def silver_attic(c):
    c.next_step(day(-6, "10:00"), "deal", "Call about the window", day(-1, "10:00"))
    c.competitor(day(-16, "10:20"), "Bramley & Sons", "they asked for more than we do", "deal")
    c.hung_up(day(0, "06:57"), 40, c.people[:1])


def silver_door(c):
    c.deal(day(-48, "09:00"), "summer", "Summer fair", 2100,
           [(day(-41, "09:00"), "CONTACTED"), (day(-34, "09:00"), "PRESENTED")],
           closes=day(-9, "12:00"))
    c.promise(day(-19, "10:00"), "tent", "a price for the tent", day(-1, "10:00"))
    c.plan(day(-10, "09:00"), "tent", day(-2, "16:00"), "The tent for the summer fair",
           place="video", minutes=30, people=c.people[:1], deal="summer")


def yellow_kettle(c):
    c.next_step(day(-8, "10:00"), "deal", "Meet in the shop", day(3, "12:00"))
    c.contract(day(-200, "12:00"), "old", day(-200, "00:00"), day(165, "00:00"),
               day(135, "00:00"), 1800)
    c.ends_contract(day(-30, "12:00"), "old", day(-30, "00:00"), "REPLACED", "by the larger one")
    c.contract(day(-30, "12:05"), "new", day(-30, "00:00"), day(335, "00:00"),
               day(305, "00:00"), 3000)


def winter_mill(c):
    c.complains(day(-1, "13:20"), "wrong advice", "INACCURATE_INFORMATION", "LOW",
                "You said that the mugs go into the dishwasher.", day(1, "12:00"), "580937", EMMA)
    c.call_out(day(-1, "16:00"), "we ask the maker", 5, people=c.people[:1])


def blue_candle(c):
    c.orders(day(-9, "16:00"), "T-4105", 164.90, 5, day(-3, "17:00"))
    c.orders(day(-40, "16:00"), "T-4090", 130.00, 4, day(-36, "17:00"))
    c.ships(day(-34, "10:00"), "T-4090", day(-36, "17:00"))
    c.promise(day(-33, "10:00"), "call", "a call when it leaves", day(-30, "17:00"))
    c.broken(day(-28, "10:00"), "call", "nobody called")


def willow_chest(c):
    c.deal(day(-5, "09:00"), "advent", "Advent calendars", 1250, source="EVENT",
           closes=day(70, "12:00"))


def yellow_garden(c):
    c.plan(day(-11, "09:00"), "shop tour", day(-3, "10:00"), "A walk through the shop",
           place="at the client's", people=c.people[:1])
    c.held(day(-3, "10:00"), "shop tour", "A walk through the shop",
           "Window is theirs, shelves need light. She takes lamps if they come on trial.", 50,
           c.people[:1], "FIELD_VISIT", "at the client's")
    c.need(day(-3, "10:40"), "light", "More light on the shelves.", "lights")
    c.promise(day(-3, "10:50"), "lamps", "two lamps on trial", day(5, "17:00"),
              meeting="shop tour")


PRESENT = {
    "16013": rosewood_garden, "18223": saffron_bird, "16393": velvet_mill, "15953": golden_barn,
    "17183": old_bakehouse, "14903": juniper_door, "14503": golden_bakehouse,
    "17593": yellow_door, "13013": merry_barn, "16283": juniper_acorn, "15113": willow_mill,
    "13763": saffron_lantern, "16713": blue_bird, "18173": north_ribbon,
    "16463": willow_parcel, "15473": hazel_parcel,
    "16523": ivory_acorn, "17243": velvet_orchard, "15023": quiet_button, "13183": blue_chest,
    "13993": merry_parcel, "16293": little_button, "17313": willow_garden_interiors,
    "12843": velvet_fox, "13113": thistle_fox, "16353": red_bakehouse, "16303": merry_chest,
    "17613": golden_garden, "17203": quiet_ribbon, "13953": rosewood_attic, "15033": red_chest,
    "12913": copper_nest, "16133": velvet_ribbon, "12433": ivory_bakehouse, "16873": old_candle,
    "15093": blue_kettle, "16923": thistle_attic, "15443": copper_barn, "17863": saffron_orchard,
    "14733": winter_harbour, "17173": north_candle, "14543": silver_attic, "15993": silver_door,
    "15373": yellow_kettle, "16143": winter_mill, "14493": blue_candle, "12633": willow_chest,
    "18283": yellow_garden, "17353": hazel_button, "15813": paper_cart, "13623": ivory_attic,
    "12383": copper_chest, "17553": velvet_bird, "13883": copper_bakehouse,
    "16843": merry_nest}

"""What the story is told with: a client's contacts with its manager, one call each, which become
touchpoints as CloudEvents in `events`."""
import datetime

OWNERS = ["anna.keller", "ben.okafor", "clara.jansen", "david.moreau", "emma.walsh"]
ANNA, BEN, CLARA, DAVID, EMMA = OWNERS
# The day after the last order. The story ends in its early morning, so an import that moves it to
# now makes this the day of the import, if that is after 7:00 UTC. Days of the week are not kept.
TODAY = datetime.date(2011, 12, 10)
LONG_AFTER = "2012-12-31 12:00"

events = []
counters = {}


def day(offset, time):
    """A moment so many days after TODAY, or before it."""
    return f"{TODAY + datetime.timedelta(days=offset)} {time}"


def utc(text):
    return datetime.datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def add(when, client, kind, channel, direction, agent="", people=(), /, **payload):
    """One touchpoint; `kind` as its message is called. `people`: ids of those who took part."""
    number = counters[client, kind] = counters.get((client, kind), 0) + 1
    field = "".join("_" + c.lower() if c.isupper() else c for c in kind).lstrip("_")
    data = {"channel": "CHANNEL_" + channel, "direction": "DIRECTION_" + direction}
    if agent:
        data["agent_id"] = agent
    if people:
        data["stakeholder_ids"] = list(people)
    data[field] = payload
    events.append({"specversion": "1.0", "id": f"{client}/{field}/{number}", "source": "demo-story",
                   "type": "rapport.touchpoint.v1." + kind, "subject": client, "time": utc(when),
                   "data": data})


def money(pounds):
    return {"minor_units": round(pounds * 100), "currency_code": "GBP"}


def channels(names):
    return ["CHANNEL_" + name for name in names.split()]


class Client:
    """The contacts of one client with its manager. What belongs together goes by a name; `people`
    are names, too."""

    def __init__(self, number, owner, site=""):
        self.number, self.owner, self.site = number, owner, site

    def id(self, name):
        return f"{self.number}-" + name.lower().replace(" ", "-").replace(".", "")

    def e_mail(self, name):
        return f"{name.lower().replace(' ', '.')}@{self.site}" if self.site and name else ""

    def add(self, when, kind, channel, direction, people=(), /, **payload):
        ids = [self.id(name) for name in people]
        add(when, self.number, kind, channel, direction, self.owner, ids, **payload)

    def books(self, when, kind, channel, direction, /, **payload):
        """What the manager has no part in."""
        add(when, self.number, kind, channel, direction, **payload)

    # Contacts.

    def call_in(self, when, purpose, minutes=5, outcome="ANSWERED", wait=20, people=()):
        self.add(when, "CallCompleted", "PHONE", "INBOUND", people, purpose=purpose,
                 wait_seconds=wait, talk_seconds=minutes * 60, outcome="CALL_OUTCOME_" + outcome)

    def hung_up(self, when, wait, people=()):
        self.call_in(when, "", 0, "ABANDONED", wait, people)

    def call_out(self, when, purpose, minutes=8, outcome="ANSWERED", people=()):
        self.add(when, "CallCompleted", "PHONE", "OUTBOUND", people, purpose=purpose,
                 talk_seconds=minutes * 60, outcome="CALL_OUTCOME_" + outcome,
                 effective=outcome == "ANSWERED")

    def mail(self, when, direction, thread, subject, excerpt="", person=""):
        """`thread`: mails of one thread answer each other."""
        place = counters[self.number, thread] = counters.get((self.number, thread), 0) + 1
        name = f"{thread}-{self.number}"
        more = {"in_reply_to": f"<{name}-{place - 1}@example.com>"} if place > 1 else {}
        if self.e_mail(person):
            more["client_e_mail"] = self.e_mail(person)
        self.add(when, "EmailExchanged", "E_MAIL", direction, [person] if person else [],
                 subject=subject, excerpt=excerpt, message_id=f"<{name}-{place}@example.com>",
                 thread_id=name, **more)

    def mail_of_two(self, when, thread, subject, excerpt, person, other):
        """The writer's address is known of the client `other`, too."""
        self.mail_in(when, thread, subject, excerpt, person)
        identifier = {"kind": "IDENTIFIER_KIND_E_MAIL", "value": self.e_mail(person)}
        events[-1]["data"]["contradictions"] = [
            {"other_client_id": other, "identifiers": [identifier]}]

    def mail_in(self, when, thread, subject, excerpt="", person=""):
        self.mail(when, "INBOUND", thread, subject, excerpt, person)

    def mail_out(self, when, thread, subject, excerpt="", person=""):
        self.mail(when, "OUTBOUND", thread, subject, excerpt, person)

    def chat(self, when, topic, first_answer=40):
        """`first_answer`: None when nobody answered."""
        answered = first_answer is not None
        given = {"first_answer_seconds": first_answer} if answered else {}
        self.add(when, "ChatExchanged", "CHAT", "INBOUND", conversation_id=self.id("chat " + topic),
                 client_message_count=3, agent_message_count=4 if answered else 0,
                 duration_seconds=360 if answered else 90, topic=topic, **given)

    def letter_in(self, when, reference, topic, pages=1):
        self.add(when, "LetterExchanged", "LETTER", "INBOUND", letter_reference=reference,
                 page_count=pages, topic=topic)

    def portal(self, when, action, feature, seconds=240, outcome="DONE"):
        self.add(when, "PortalUsed", "PORTAL", "INBOUND", action=action, feature=feature,
                 duration_seconds=seconds, outcome="PORTAL_OUTCOME_" + outcome)

    def meeting(self, when, agenda, minutes=60, channel="MEETING", place="video"):
        number = counters.get((self.number, "MeetingHeld"), 0) + 1
        self.add(when, "MeetingHeld", channel, "OUTBOUND",
                 meeting_id=f"meeting-{self.number}-{number}",
                 agenda=agenda, duration_minutes=minutes, place=place, agent_ids=[self.owner])

    def plan(self, when, name, starts, purpose, agenda="", place="video", minutes=60, people=(),
             deal=""):
        self.add(when, "MeetingPlanned", "MEETING", "OUTBOUND", people, meeting_id=self.id(name),
                 planned_at=utc(starts), duration_minutes=minutes, purpose=purpose, agenda=agenda,
                 place=place, agent_ids=[self.owner], deal_id=self.id(deal) if deal else "")

    def move_meeting(self, when, name, starts, reason, by_client=True):
        self.add(when, "MeetingMoved", "PHONE", "INBOUND" if by_client else "OUTBOUND",
                 meeting_id=self.id(name), planned_at=utc(starts), by_client=by_client,
                 reason=reason)

    def cancel_meeting(self, when, name, planned, reason, by_client=True):
        self.add(when, "MeetingCancelled", "PHONE", "INBOUND" if by_client else "OUTBOUND",
                 meeting_id=self.id(name), planned_at=utc(planned), by_client=by_client,
                 reason=reason)

    def held(self, when, name, agenda, minutes, length=60, people=(), channel="MEETING",
             place="video"):
        """A meeting that was planned; `minutes` are what was said."""
        self.add(when, "MeetingHeld", channel, "OUTBOUND", people, meeting_id=self.id(name),
                 agenda=agenda, minutes=minutes, duration_minutes=length, place=place,
                 agent_ids=[self.owner])

    def note(self, when, text, deal=""):
        self.add(when, "NoteTaken", "BACK_OFFICE", "INTERNAL", text=text,
                 deal_id=self.id(deal) if deal else "")

    # Service.

    def complains(self, when, name, category, severity, statement, answer_due="", order="",
                  about=""):
        more = {"answer_due_at": utc(answer_due)} if answer_due else {}
        if order:
            more["order_id"] = order
        if about:
            more["about_agent_id"] = about
        self.add(when, "ComplaintOpened", "PHONE", "INBOUND", complaint_id=self.id(name),
                 category="COMPLAINT_CATEGORY_" + category, statement=statement,
                 severity="COMPLAINT_SEVERITY_" + severity, **more)

    def settled(self, when, name, resolution, pounds=0):
        given = {"compensation": money(pounds)} if pounds else {}
        self.add(when, "ComplaintSettled", "PHONE", "OUTBOUND", complaint_id=self.id(name),
                 resolution=resolution, **given)

    def rejected(self, when, name, reason):
        self.add(when, "ComplaintRejected", "PHONE", "OUTBOUND", complaint_id=self.id(name),
                 reason=reason)

    def promise(self, when, name, statement, due, by="", **belongs_to):
        """`belongs_to`: deal, complaint or meeting, by their names."""
        self.add(when, "CommitmentMade", "PHONE", "OUTBOUND", commitment_id=self.id(name),
                 statement=statement, promised_by_agent_id=by or self.owner, due_at=utc(due),
                 **{f"{what}_id": self.id(name) for what, name in belongs_to.items()})

    def kept(self, when, name, note=""):
        self.add(when, "CommitmentKept", "PHONE", "OUTBOUND", commitment_id=self.id(name),
                 note=note)

    def broken(self, when, name, reason):
        self.add(when, "CommitmentBroken", "PHONE", "INBOUND", commitment_id=self.id(name),
                 reason=reason)

    def move_promise(self, when, name, due, reason, agreed):
        self.add(when, "CommitmentMoved", "PHONE" if agreed else "BACK_OFFICE", "OUTBOUND",
                 commitment_id=self.id(name), due_at=utc(due), reason=reason,
                 agreed_by_client=agreed)

    def scores(self, when, score, comment="", scale="CSAT"):
        question = {"CSAT": "How content are you with us?",
                    "NPS": "How likely are you to recommend us?",
                    "CES": "How easy was it to get this done?"}[scale]
        self.add(when, "SatisfactionScored", "SURVEY", "INBOUND", score=score, comment=comment,
                 scale="SATISFACTION_SCALE_" + scale, question=question)

    # People and facts.

    def knows(self, when, **details):
        self.add(when, "ClientDetailsChanged", "BACK_OFFICE", "INTERNAL", details=details)

    def person(self, when, name, role, influence="DECISION_MAKER", **more):
        """`more`: phone, e_mail, language, note."""
        self.add(when, "StakeholderAdded", "BACK_OFFICE", "INTERNAL", stakeholder={
            "stakeholder_id": self.id(name), "name": name, "role": role,
            "influence": "INFLUENCE_" + influence, **more})

    def person_is(self, when, name, **changed):
        self.add(when, "StakeholderChanged", "BACK_OFFICE", "INTERNAL",
                 stakeholder={"stakeholder_id": self.id(name), **changed})

    def left(self, when, name, reason, successor=""):
        more = {"successor_stakeholder_id": self.id(successor)} if successor else {}
        self.add(when, "StakeholderLeft", "E_MAIL", "INBOUND", stakeholder_id=self.id(name),
                 reason=reason, **more)

    def agrees(self, when, purpose, by="E_MAIL PHONE"):
        self.add(when, "ConsentGiven", "PORTAL", "INBOUND", purpose=purpose, channels=channels(by),
                 evidence_reference="web form")

    def withdraws(self, when, purpose, by="E_MAIL PHONE"):
        self.add(when, "ConsentWithdrawn", "E_MAIL", "INBOUND", purpose=purpose,
                 channels=channels(by), evidence_reference="mail")

    # Sales.

    def competitor(self, when, name, context, deal=""):
        self.add(when, "CompetitorMentioned", "PHONE", "INBOUND", competitor=name, context=context,
                 **({"deal_id": self.id(deal)} if deal else {}))

    def need(self, when, name, statement, area, deal=""):
        self.add(when, "NeedIdentified", "PHONE", "INBOUND", need_id=self.id(name),
                 statement=statement, product_area=area, deal_id=self.id(deal) if deal else "")

    def objects(self, when, name, statement, deal=""):
        self.add(when, "ObjectionRaised", "PHONE", "INBOUND", objection_id=self.id(name),
                 statement=statement, deal_id=self.id(deal) if deal else "")

    def convinced(self, when, name, resolution, deal=""):
        self.add(when, "ObjectionSettled", "PHONE", "OUTBOUND", objection_id=self.id(name),
                 resolution=resolution, deal_id=self.id(deal) if deal else "")

    def deal(self, when, name, title, pounds, stages=(), kind="UPSELL", source="INBOUND",
             referrer="", closes=LONG_AFTER, owner="", areas=()):
        """`stages`: (when, stage), after LEAD. `owner`: empty is the client's manager."""
        more = {"deal_owner_id": owner} if owner else {}
        if areas:
            more["product_areas"] = list(areas)
        self.add(when, "DealOpened", "BACK_OFFICE", "INTERNAL", deal_id=self.id(name), title=title,
                 kind="DEAL_KIND_" + kind, source="DEAL_SOURCE_" + source, amount=money(pounds),
                 referrer_client_id=referrer, expected_close_at=utc(closes), **more)
        for moment, stage in stages:
            self.stage(moment, name, stage)

    def stage(self, when, name, stage):
        self.add(when, "DealStageChanged", "BACK_OFFICE", "INTERNAL", deal_id=self.id(name),
                 to_stage="DEAL_STAGE_" + stage)

    def worth(self, when, name, pounds, reason, closes=""):
        more = {"expected_close_at": utc(closes)} if closes else {}
        self.add(when, "DealAmountChanged", "BACK_OFFICE", "INTERNAL", deal_id=self.id(name),
                 amount=money(pounds), reason=reason, **more)

    def next_step(self, when, name, step, due):
        self.add(when, "DealNextStepSet", "BACK_OFFICE", "INTERNAL", deal_id=self.id(name),
                 next_step=step, due_at=utc(due))

    def won(self, when, name, pounds, contract=""):
        self.add(when, "DealWon", "BACK_OFFICE", "INTERNAL", deal_id=self.id(name),
                 amount=money(pounds), contract_id=self.id(contract) if contract else "")

    def lost(self, when, name, reason, note, competitor=""):
        self.add(when, "DealLost", "BACK_OFFICE", "INTERNAL", deal_id=self.id(name), note=note,
                 reason="DEAL_LOSS_REASON_" + reason, competitor=competitor)

    # What the manager did about the first alert of the client.

    def takes_on(self, when, note):
        self.alert(when, "AlertAcknowledged", note=note)

    def puts_off(self, when, until, note):
        self.alert(when, "AlertSnoozed", snoozed_until=utc(until), note=note)

    def has_acted(self, when, outcome, note):
        self.alert(when, "AlertResolved", outcome="ALERT_OUTCOME_" + outcome, note=note)

    def writes_off(self, when, reason, note):
        self.alert(when, "AlertDismissed", reason="ALERT_DISMISSAL_REASON_" + reason, note=note)

    def alert(self, when, kind, **payload):
        self.add(when, kind, "BACK_OFFICE", "INTERNAL",
                 alert_id=f"retention/churn_risk/{self.number}/1", **payload)

    # Back office.

    def contract(self, when, name, start, end, renewal, pounds, renewed=False, **more):
        """`more`: auto_renewal, product_areas."""
        kind = "ContractRenewed" if renewed else "ContractSigned"
        self.add(when, kind, "BACK_OFFICE", "INTERNAL", contract_id=self.id(name),
                 terms={"starts_at": utc(start), "ends_at": utc(end),
                        "renewal_due_at": utc(renewal), "value": money(pounds), **more})

    def ends_contract(self, when, name, ends, reason, note):
        self.add(when, "ContractTerminated", "LETTER", "INBOUND", contract_id=self.id(name),
                 ends_at=utc(ends), reason="TERMINATION_REASON_" + reason, note=note)

    def orders(self, when, order, pounds, lines, promised):
        """By telephone; the shop's file does not have it."""
        self.books(when, "OrderPlaced", "PHONE", "INBOUND", order_id=order, amount=money(pounds),
                   line_count=lines, promised_at=utc(promised))

    def ships(self, when, order, promised, complete=True):
        number = counters[order] = counters.get(order, 0) + 1
        self.books(when, "OrderShipped", "BACK_OFFICE", "OUTBOUND", order_id=order,
                   shipment_id=f"{order}-{number}", promised_at=utc(promised), complete=complete)

    def bills(self, when, order, pounds, due):
        """The amount is that of the order, to which the tax comes."""
        self.books(when, "InvoiceIssued", "BACK_OFFICE", "OUTBOUND", invoice_id="R-" + order,
                   amount=money(pounds * 1.2), due_at=utc(due), order_id=order)

    def pays(self, when, order, pounds):
        self.books(when, "PaymentReceived", "BACK_OFFICE", "INBOUND", payment_id="P-" + order,
                   invoice_id="R-" + order, amount=money(pounds * 1.2))

import { useEffect, useRef, useState } from "react";
import { Button, type DragPreviewRenderer, useDrag } from "react-aria-components";
import { useClientName } from "../../api/deals";
import { usePersonName } from "../../api/staff";
import { Avatar, Money } from "../../components/basics";
import { Icon } from "../../components/icon";
import { SeverityShape } from "../../components/severity";
import { useFormattingLocale, useT } from "../../i18n";
import { type Deal, isOpenStage, isStuck, type Stage, stageOf } from "../../lib/board";
import { calendarDays, formatDay, timeOf } from "../../lib/dates";
import { formatMoney } from "../../lib/money";
import { takesFocus, titleOf } from "./actions";
import { dragging, pictureOf, useTouchDrag } from "./drag";
import { daysInStage, isPastClose } from "./filter";

/** Whether an element has been in sight; before, nothing is asked for its sake. */
function useSeen(element: { current: HTMLElement | null }): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !element.current) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element, seen]);
  return seen;
}

/** How long a deal has been in its stage, loud when it stands still. */
export function StageAge(props: { deal: Deal; now: number }) {
  const t = useT();
  const days = daysInStage(props.deal, props.now);
  const stage = stageOf(props.deal.stage);
  const stuck = isStuck(props.deal);
  if (!isOpenStage(stage)) return null;
  return (
    <span
      className={`age ${stuck ? "stuck" : ""}`}
      title={
        stuck
          ? t("pipeline.stuck_hint", { days, usual: props.deal.usual_stage_days ?? 0 })
          : undefined
      }
    >
      {stuck && <SeverityShape severity="critical" />}
      {t("days.count", { n: days })}
    </span>
  );
}

/** "No next step", or what is next and until when. */
export function NextStep(props: { deal: Deal; now: number }) {
  const t = useT();
  const locale = useFormattingLocale();
  const { deal, now } = props;
  if (!isOpenStage(stageOf(deal.stage))) return null;
  if (!deal.next_step) return <span className="c-medium cut">{t("pipeline.no_next_step")}</span>;
  const text = deal.next_step_due_at
    ? `${deal.next_step}, ${formatDay(deal.next_step_due_at, locale, { now })}`
    : deal.next_step;
  const late = deal.next_step_due_at !== undefined && Date.parse(deal.next_step_due_at) < now;
  return (
    <span className={`next-step ${late ? "c-critical" : "sec"}`} title={text}>
      {late && <Icon name="clock" />}
      <span className="cut">{text}</span>
    </span>
  );
}

// A day of these months needs no year on a card.
function isNear(time: number, now: number): boolean {
  const days = calendarDays(now, time);
  return days > -120 && days < 240;
}

export function DealCard(props: {
  deal: Deal;
  now: number;
  selected: boolean;
  unsent: boolean;
  mayMove: boolean;
  onOpen(): void;
  onMove(stage: Stage, clientName: string): void;
  dropped: { current: Stage | null };
}) {
  const t = useT();
  const locale = useFormattingLocale();
  const nameOf = usePersonName();
  const { deal, now, mayMove } = props;
  const card = useRef<HTMLElement>(null);
  const link = useRef<HTMLAnchorElement>(null);
  const client = useClientName(deal.client_id ?? "", deal.client_name, useSeen(card));
  const title = titleOf(deal);
  const preview = useRef<DragPreviewRenderer>((_items, show) => {
    if (!card.current) return;
    const picture = pictureOf(card.current);
    picture.classList.add("out-of-sight");
    document.body.append(picture);
    show(picture);
    // The browser has taken its picture by the next frame.
    requestAnimationFrame(() => picture.remove());
  });
  const { dragProps, dragButtonProps, isDragging } = useDrag({
    hasDragButton: true,
    isDisabled: !mayMove,
    preview,
    getItems: () => [{ "application/x-rapport-deal": deal.deal_id ?? "", "text/plain": title }],
    getAllowedDropOperations: () => ["move"],
    onDragStart: () => {
      props.dropped.current = null;
      dragging.start({
        deal,
        clientName: client,
        by: card.current?.querySelector(".grip:focus-visible") ? "keyboard" : "mouse",
      });
    },
    onDragEnd: () => {
      // The card goes to its new column only now: until its drag is over, it has to stay.
      const stage = props.dropped.current;
      props.dropped.current = null;
      dragging.end();
      if (stage) props.onMove(stage, client);
    },
  });
  useTouchDrag(card, {
    enabled: mayMove,
    onStart: () => dragging.start({ deal, clientName: client, by: "touch" }),
    onDrop: (stage) => props.onMove(stage, client),
  });
  useEffect(() => {
    if (!takesFocus(deal.deal_id ?? "")) return;
    link.current?.focus({ preventScroll: true });
    card.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [deal.deal_id]);
  const past = isOpenStage(stageOf(deal.stage)) && isPastClose(deal, now);
  const stuck = isStuck(deal);
  const owner = nameOf(deal.owner_id ?? "");
  const closes = timeOf(deal.expected_close_at);
  const close = Number.isNaN(closes)
    ? ""
    : formatDay(closes, locale, { now: isNear(closes, now) ? closes : now });
  const closeText = t(past ? "pipeline.was_to_close" : "pipeline.closes", { day: close });
  return (
    <article
      {...dragProps}
      ref={card}
      className={`card ${isDragging ? "ghost" : ""}`}
      data-deal={deal.deal_id}
      data-client-name={client}
      aria-current={props.selected || undefined}
    >
      <span className="l">
        <a
          ref={link}
          className="mid"
          href={`?deal=${encodeURIComponent(deal.deal_id ?? "")}`}
          draggable={false}
          aria-label={[
            title,
            client,
            formatMoney(deal.amount, locale),
            isOpenStage(stageOf(deal.stage)) && t("days.count", { n: daysInStage(deal, now) }),
          ]
            .filter(Boolean)
            .join(", ")}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            props.onOpen();
          }}
        >
          {title}
        </a>
        {deal.owner_id && (
          <span title={owner}>
            <Avatar name={owner} />
            <span className="vh">{owner}</span>
          </span>
        )}
      </span>
      <span className="sm sec cut" title={client}>
        {client || "\u00a0"}
      </span>
      <span className="l money">
        <span className="num mid">
          <Money money={deal.amount} />
        </span>
        {close && (
          <span className={`sm nw close ${past ? "c-critical" : "mut"}`} title={closeText}>
            {past && <Icon name="clock" />}
            <span aria-hidden="true">{close}</span>
            <span className="vh">{closeText}</span>
          </span>
        )}
      </span>
      <span className="l sm stay">
        <StageAge deal={deal} now={now} />
        {stuck && (
          <span className="mut nw">
            {t("pipeline.usual", { days: deal.usual_stage_days ?? 0 })}
          </span>
        )}
      </span>
      <span className="l sm">
        <NextStep deal={deal} now={now} />
        {props.unsent && <span className="c-medium nw">{t("pipeline.not_sent")}</span>}
      </span>
      {mayMove && (
        <Button
          {...dragButtonProps}
          className="grip"
          aria-label={t("pipeline.drag", { deal: title })}
        >
          <svg viewBox="0 0 16 16" className="i" aria-hidden="true" strokeWidth="2.2">
            <path d="M6 4h.1M10 4h.1M6 8h.1M10 8h.1M6 12h.1M10 12h.1" />
          </svg>
        </Button>
      )}
    </article>
  );
}

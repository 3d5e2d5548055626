import { useState } from "react";
import { movedTo } from "../../api/deals";
import { Choice, Sheet } from "../../components/sheet";
import { toast } from "../../components/toast";
import { useT } from "../../i18n";
import { type Deal, nameOfStage, openStages, stageOf } from "../../lib/board";
import { useDraft } from "../../lib/draft";
import { atHour, fromLocal, toLocal } from "../../lib/local-time";
import { TextField, usualMoments, WhenField } from "../../sheets/fields";
import { stageHeading, titleOf, useWriteDeal } from "./actions";

export type BulkKind = "move" | "next";

/** One change of several deals: each is written by itself, and has its own undo among what is done. */
export function BulkSheet(props: {
  kind: BulkKind;
  deals: readonly Deal[];
  onDone(): void;
  onClose(): void;
}) {
  const t = useT();
  const writeOf = useWriteDeal();
  // Those that were refused stay, to be tried again.
  const [deals, setDeals] = useState(props.deals);
  const [now] = useState(() => Date.now());
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [failed, setFailed] = useState(0);
  const move = props.kind === "move";
  const { fields, change, clear } = useDraft(`bulk.${props.kind}`, () => ({
    stage: stageOf(props.deals[0]?.stage),
    step: "",
    due: toLocal(atHour(now, 7, 12)),
  }));
  const step = fields.step.trim();
  const due = fromLocal(fields.due);
  const missing = !move && step === "";
  const badDue = !move && (due === null || Date.parse(due) <= now);
  const orderOf = (deal: Deal) => {
    const client = deal.client_name || (deal.client_id ?? "");
    if (move) {
      return {
        kind: "DealStageChanged",
        payload: {
          from_stage: nameOfStage(stageOf(deal.stage)),
          to_stage: nameOfStage(fields.stage),
        },
        text: t("pipeline.moved", {
          deal: titleOf(deal),
          client,
          stage: t(`stage.${fields.stage}`),
        }),
        deal: movedTo(deal, fields.stage),
        before: deal,
      };
    }
    return {
      kind: "DealNextStepSet",
      payload: { next_step: step, due_at: due },
      text: t("deal.next.done", { deal: titleOf(deal), step }),
      deal: { ...deal, next_step: step, ...(due ? { next_step_due_at: due } : {}) },
      before: deal,
    };
  };
  const submit = async () => {
    setTried(true);
    if (missing || badDue) return;
    setBusy(true);
    const refused: Deal[] = [];
    const about = deals.filter((deal) => !move || stageOf(deal.stage) !== fields.stage);
    for (const deal of about) {
      if (!(await writeOf(orderOf(deal)))) refused.push(deal);
    }
    setBusy(false);
    if (refused.length > 0) {
      setFailed(refused.length);
      setDeals(refused);
      return;
    }
    clear();
    toast.show(t("pipeline.bulk_done", { count: about.length }));
    props.onDone();
    props.onClose();
  };
  return (
    <Sheet
      title={t(move ? "pipeline.bulk_move" : "pipeline.bulk_next", { count: deals.length })}
      hint={deals.map(titleOf).join("; ")}
      submit={t(failed > 0 ? "act.retry" : "act.save")}
      busy={busy}
      error={failed > 0 ? t("alerts.some_failed", { count: failed }) : undefined}
      onSubmit={() => void submit()}
      onClose={props.onClose}
    >
      {move ? (
        <Choice
          label={t("pipeline.stage")}
          value={fields.stage}
          options={openStages.map((value) => ({ value, text: stageHeading(t, value) }))}
          onChange={(stage) => change({ stage })}
        />
      ) : (
        <>
          <TextField
            first
            label={t("deal.next.step")}
            value={fields.step}
            error={tried && missing ? t("sheet.needed") : undefined}
            onChange={(value) => change({ step: value })}
          />
          <WhenField
            label={t("sheet.due")}
            value={fields.due}
            usual={usualMoments(now)}
            now={now}
            error={tried && badDue ? t("sheet.bad_when_future") : undefined}
            onChange={(value) => change({ due: value })}
          />
        </>
      )}
    </Sheet>
  );
}

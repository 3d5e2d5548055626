import { ApiError } from "../../api/client";
import type { DealDetails } from "../../api/deals";
import { type DealOrder, movedTo, withdrawOfDeal, writeDeal } from "../../api/deals";
import { queryClient } from "../../api/query";
import type { Written } from "../../api/touchpoints";
import { useActor } from "../../app/session";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { useT } from "../../i18n";
import { type Deal, nameOfStage, type Stage, stageOf } from "../../lib/board";
import { newId } from "../../lib/ids";
import { createStore, useStore } from "../../lib/store";

export type DealSheetKind = "won" | "lost" | "next" | "amount" | "remove";

interface OpenDealSheet {
  kind: DealSheetKind;
  deal: Deal;
  clientName: string;
}

const sheet = createStore<OpenDealSheet | null>(null);

export function useOpenDealSheet(): OpenDealSheet | null {
  return useStore(sheet);
}

export function openDealSheet(kind: DealSheetKind, deal: Deal, clientName: string): void {
  sheet.set({ kind, deal, clientName });
}

export function closeDealSheet(): void {
  sheet.set(null);
}

export interface OpenMenu {
  deal: Deal;
  clientName: string;
  anchor: HTMLElement;
}

const menu = createStore<OpenMenu | null>(null);

export function useOpenMenu(): OpenMenu | null {
  return useStore(menu);
}

export function openMoveMenu(deal: Deal, clientName: string, anchor: HTMLElement): void {
  menu.set({ deal, clientName, anchor });
}

export function closeMoveMenu(): void {
  menu.set(null);
}

// The card that is to have the focus once it is drawn in its new column.
let awaited = "";

export function awaitFocus(dealId: string): void {
  awaited = dealId;
}

/** Whether the card of this deal is the one; it is so once. */
export function takesFocus(dealId: string): boolean {
  if (awaited !== dealId) return false;
  awaited = "";
  return true;
}

export function titleOf(deal: Deal): string {
  return deal.title || (deal.deal_id ?? "");
}

/** Writes of a deal, says what was done with a way back, and says why when it was refused. */
export function useWriteDeal(): (
  order: Omit<DealOrder, "touchpoint"> & { kind: string; payload: object; id?: string },
) => Promise<boolean> {
  const t = useT();
  const errorText = useErrorText();
  const actor = useActor();
  return async ({ kind, payload, id, ...order }) => {
    const { deal } = order;
    const dealId = deal.deal_id ?? "";
    const clientId = deal.client_id ?? "";
    const answer = writeDeal({
      ...order,
      touchpoint: {
        id: id ?? newId(),
        clientId,
        kind,
        time: new Date().toISOString(),
        channel: "CHANNEL_BACK_OFFICE",
        direction: "DIRECTION_INTERNAL",
        agentId: actor(deal.owner_id ?? ""),
        payload: { deal_id: dealId, ...payload },
      },
    });
    const undo = () => {
      answer
        .then((written: Written | null) =>
          written ? withdrawOfDeal(dealId, clientId, written) : undefined,
        )
        .catch((error: unknown) => toast.fail(errorText(error)));
    };
    toast.show(order.text, undo);
    try {
      const written = await answer;
      if (!written) toast.show(t("pipeline.unsent", { what: order.text }));
      return true;
    } catch (error) {
      const now = queryClient.getQueryData<DealDetails>(["deal", dealId]);
      if (error instanceof ApiError && error.status === 409 && now?.summary) {
        toast.fail(
          now.removed_at
            ? t("pipeline.conflict_removed", { deal: titleOf(deal) })
            : t("pipeline.conflict", {
                deal: titleOf(deal),
                stage: t(`stage.${stageOf(now.summary.stage)}`),
              }),
        );
      } else {
        toast.fail(t("pipeline.refused", { deal: titleOf(deal), why: errorText(error) }));
      }
      return false;
    }
  };
}

/** Brings a deal to another stage; an outcome asks first what has to be known of it. */
export function useMoveDeal(): (deal: Deal, stage: Stage, clientName: string) => void {
  const t = useT();
  const writeOf = useWriteDeal();
  return (deal, stage, clientName) => {
    const from = stageOf(deal.stage);
    if (from === stage) return;
    if (stage === "WON" || stage === "LOST") {
      openDealSheet(stage === "WON" ? "won" : "lost", deal, clientName);
      return;
    }
    void writeOf({
      kind: "DealStageChanged",
      payload: { from_stage: nameOfStage(from), to_stage: nameOfStage(stage) },
      text: t("pipeline.moved", {
        deal: titleOf(deal),
        client: clientName,
        stage: t(`stage.${stage}`),
      }),
      deal: movedTo(deal, stage),
    });
  };
}

import { ApiError } from "../api/client";
import type { NewTouchpoint, Written } from "../api/touchpoints";
import { writeShown } from "../api/writes";
import { useErrorText } from "../components/states";
import { toast } from "../components/toast";
import { useT } from "../i18n";
import { closeSheet, type OpenSheet, openSheet } from "./open";
import { takeBack } from "./undo";

/** What is written together with a touchpoint, after it. */
export interface Companion {
  touchpoint: NewTouchpoint;
  text: string;
  /** The sheet in which it is mended when the server refuses it. */
  sheet: OpenSheet;
  /** Puts into the draft of that sheet what was typed. */
  keep(): void;
}

function useRefusal(): (error: unknown) => void {
  const errorText = useErrorText();
  return (error) =>
    toast.fail(
      error instanceof ApiError && error.fields.size > 0
        ? [...error.fields].map(([field, why]) => `${field}: ${why}`).join("; ")
        : errorText(error),
    );
}

/**
 * Sends what a sheet has: the sheet closes at once, and the page goes on. What the server refuses
 * comes back with the sheet, in which all that was typed still stands.
 */
export function useSend(): (
  sheet: OpenSheet,
  touchpoint: NewTouchpoint,
  text: string,
  sent: () => void,
  companion?: Companion,
) => void {
  const t = useT();
  const refused = useRefusal();
  return (sheet, touchpoint, text, sent, companion) => {
    closeSheet();
    let undone = false;
    const undo = async () => {
      undone = true;
      if (companion) await takeBack(companion.touchpoint.id);
      await takeBack(touchpoint.id);
    };
    const told = companion ? `${text}; ${companion.text}` : text;
    toast.show(told, () => void undo().catch(refused));
    const goOn = async (written: Written | null) => {
      sent();
      if (!written) toast.show(t("outbox.kept", { what: told }));
      if (!companion || undone) return;
      try {
        await writeShown(companion.touchpoint, companion.text);
      } catch (error) {
        companion.keep();
        openSheet(companion.sheet);
        refused(error);
      }
    };
    writeShown(touchpoint, text).then(goOn, (error: unknown) => {
      openSheet(sheet);
      refused(error);
    });
  };
}

import { ApiError } from "../api/client";
import type { NewTouchpoint } from "../api/touchpoints";
import { writeShown } from "../api/writes";
import { useErrorText } from "../components/states";
import { toast } from "../components/toast";
import { useT } from "../i18n";
import { closeSheet, type OpenSheet, openSheet } from "./open";
import { takeBack } from "./undo";

/**
 * Sends what a sheet has: the sheet closes at once, and the page goes on. What the server refuses
 * comes back with the sheet, in which all that was typed still stands.
 */
export function useSend(): (
  sheet: OpenSheet,
  touchpoint: NewTouchpoint,
  text: string,
  sent: () => void,
) => void {
  const t = useT();
  const errorText = useErrorText();
  return (sheet, touchpoint, text, sent) => {
    closeSheet();
    const undo = () => takeBack(touchpoint.id).catch((error) => toast.fail(errorText(error)));
    toast.show(text, undo);
    writeShown(touchpoint, text).then(
      (written) => {
        sent();
        if (!written) toast.show(t("outbox.kept", { what: text }));
      },
      (error: unknown) => {
        openSheet(sheet);
        toast.fail(
          error instanceof ApiError && error.fields.size > 0
            ? [...error.fields].map(([field, why]) => `${field}: ${why}`).join("; ")
            : errorText(error),
        );
      },
    );
  };
}

import { Button, IconButton } from "../components/basics";
import type { IconName } from "../components/icon";
import { useErrorText } from "../components/states";
import { toast } from "../components/toast";
import { useT } from "../i18n";
import { type KeyBinding, useKeys } from "../lib/keys";
import { useAlertAction } from "./alert-sheets";
import { openSheet, type Subject } from "./open";

export interface ClientAction {
  key: string;
  text: string;
  icon?: IconName;
  main?: boolean;
  /** Why it cannot be done. */
  off?: string;
  run(): void;
}

/**
 * What can be done with a client, by key and by button: to contact it, and to act on its alert
 * where it has one.
 */
export function useClientActions(
  subject: Subject | null,
  options: { mayAct: boolean; callOff?: string; onActed?: () => void },
): { contact: ClientAction[]; alert: ClientAction[]; more: ClientAction[] } {
  const t = useT();
  const errorText = useErrorText();
  const act = useAlertAction();
  const off = options.mayAct ? undefined : t("act.off.role");
  const because = (why: string | undefined) => (why === undefined ? {} : { off: why });
  const contact: ClientAction[] = [];
  const alert: ClientAction[] = [];
  const more: ClientAction[] = [];
  if (subject) {
    contact.push(
      {
        key: "c",
        text: t("act.call"),
        icon: "call",
        main: true,
        ...because(off ?? options.callOff),
        run: () => {
          if (subject.phone) location.href = `tel:${subject.phone}`;
          openSheet({ kind: "call", subject });
        },
      },
      {
        key: "l",
        text: t("act.log"),
        ...because(off),
        run: () => openSheet({ kind: "log", subject }),
      },
      {
        key: "n",
        text: t("act.note"),
        ...because(off),
        run: () => openSheet({ kind: "note", subject }),
      },
      {
        key: "p",
        text: t("act.promise"),
        ...because(off),
        run: () => openSheet({ kind: "promise", subject }),
      },
    );
    more.push(
      {
        key: "i",
        text: t("act.complaint"),
        icon: "complaint",
        ...because(off),
        run: () => openSheet({ kind: "complaint", subject }),
      },
      {
        key: "f",
        text: t("act.heard"),
        icon: "chat",
        ...because(off),
        run: () => openSheet({ kind: "heard", subject }),
      },
      {
        key: "w",
        text: t("act.plan_meeting"),
        icon: "calendar",
        ...because(off),
        run: () => openSheet({ kind: "meeting", subject }),
      },
    );
    if (subject.alertId) {
      alert.push(
        {
          key: "a",
          text: t("act.take_on"),
          ...because(off),
          run: () => {
            act("acknowledge", subject, {}, t("done.take_on", { name: subject.clientName })).then(
              options.onActed,
              (error: unknown) => toast.fail(errorText(error)),
            );
          },
        },
        {
          key: "s",
          text: t("act.snooze"),
          ...because(off),
          run: () => openSheet({ kind: "snooze", subject }),
        },
        {
          key: "d",
          text: t("act.dismiss"),
          ...because(off),
          run: () => openSheet({ kind: "dismiss", subject }),
        },
        {
          key: "r",
          text: t("act.resolve"),
          ...because(off),
          run: () => openSheet({ kind: "resolve", subject }),
        },
      );
    }
  }
  const bindings: KeyBinding[] = [...contact, ...more, ...alert].map((action) => ({
    key: action.key,
    label: action.text,
    enabled: action.off === undefined,
    run: action.run,
  }));
  useKeys({ title: t("keys.client"), bindings });
  return { contact, alert, more };
}

/** What is done less often: a sign alone, its name and key in the tooltip. */
export function ActionIcon({ action }: { action: ClientAction }) {
  return (
    <IconButton
      plain
      icon={action.icon ?? "more"}
      label={`${action.off ?? action.text} (${action.key.toUpperCase()})`}
      aria-keyshortcuts={action.key.toUpperCase()}
      aria-disabled={action.off === undefined ? undefined : true}
      onClick={() => action.off === undefined && action.run()}
    />
  );
}

export function ActionButton(props: { action: ClientAction; plain?: boolean; withIcon?: boolean }) {
  const { action } = props;
  return (
    <Button
      kind={action.main ? "main" : props.plain ? "plain" : "usual"}
      keyCap={action.key}
      {...(props.withIcon && action.icon ? { icon: action.icon } : {})}
      {...(action.off === undefined ? {} : { off: action.off })}
      onClick={action.run}
    >
      {action.text}
    </Button>
  );
}

import { useCallback, useEffect, useRef, useState } from "react";
import { onSessionOver, type Schemas, signInAddress } from "../api/client";
import { queryClient } from "../api/query";
import { Button } from "../components/basics";
import { SeverityShape } from "../components/severity";
import { Field, Sheet } from "../components/sheet";
import { toast } from "../components/toast";
import { useT } from "../i18n";
import { useSession } from "./session";

// A session may end while somebody writes. The page stays as it is, with all that is typed, and
// asks on top of it. These requests go past api/client.ts: 401 is an answer here.

async function whoIsIn(): Promise<Schemas["Session"] | null> {
  const answer = await fetch("/v1/session");
  return answer.ok ? ((await answer.json()) as Schemas["Session"]) : null;
}

async function signIn(eMail: string, password: string): Promise<string | null> {
  const answer = await fetch("/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ e_mail: eMail, password }),
  });
  if (answer.ok) return null;
  const told = (await answer.json().catch(() => ({}))) as { message?: string };
  return told.message || String(answer.status);
}

function SignInSheet(props: { onSignedIn(): Promise<void>; onClose(): void }) {
  const t = useT();
  const [eMail, setEMail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      const refused = await signIn(eMail, password);
      if (refused === null) return await props.onSignedIn();
      setError(refused);
    } catch {
      setError(t("error.unreachable"));
    }
    setBusy(false);
  };
  return (
    <Sheet
      title={t("session.over")}
      hint={t("session.over_hint")}
      submit={t("session.sign_in")}
      busy={busy}
      error={error && <span lang="en">{error}</span>}
      onSubmit={() => void submit()}
      onClose={props.onClose}
    >
      <Field label={t("session.e_mail")}>
        {(field) => (
          <input
            {...field}
            type="email"
            required
            autoComplete="username"
            value={eMail}
            onChange={(event) => setEMail(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("session.password")}>
        {(field) => (
          <input
            {...field}
            type="password"
            required
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <p className="sm">
        <a className="link" href={signInAddress()} target="_blank" rel="noreferrer">
          {t("session.other_ways")}
        </a>
      </p>
    </Sheet>
  );
}

/** Asks whose session ended to sign in again, on top of what they were doing. */
export function SessionEnd() {
  const t = useT();
  const { personId } = useSession();
  const [over, setOver] = useState(false);
  const [asking, setAsking] = useState(false);
  const isOver = useRef(false);
  useEffect(
    () =>
      onSessionOver(() => {
        if (isOver.current) return;
        isOver.current = true;
        setOver(true);
        setAsking(true);
      }),
    [],
  );
  const goOn = useCallback(
    async (who: Schemas["Session"] | null) => {
      if (!who?.person_id) return;
      // What stands there is of another person's clients.
      if (personId && who.person_id !== personId) {
        location.reload();
        return;
      }
      isOver.current = false;
      setOver(false);
      setAsking(false);
      toast.show(t("session.back"));
      await queryClient.invalidateQueries();
    },
    [personId, t],
  );
  // They may have signed in on another tab.
  useEffect(() => {
    if (!over) return;
    const look = () => {
      if (!document.hidden) void whoIsIn().then(goOn, () => undefined);
    };
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
    return () => {
      removeEventListener("focus", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, [over, goOn]);
  if (!over) return null;
  return (
    <>
      <div className="banner session-over" role="alert">
        <SeverityShape severity="medium" />
        <span>{t("session.over_banner")}</span>
        <Button onClick={() => setAsking(true)}>{t("session.sign_in")}</Button>
      </div>
      {asking && (
        <SignInSheet
          onSignedIn={async () => goOn(await whoIsIn())}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

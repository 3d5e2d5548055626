import { type KeyboardEvent, useState } from "react";
import { useLocation } from "wouter";
import { KeyCap } from "../components/basics";
import { Icon } from "../components/icon";
import { Dialog } from "../components/sheet";
import { useT } from "../i18n";
import { namesOf, useKeys } from "../lib/keys";
import { routes } from "./routes";
import { useSession } from "./session";

// The key of each screen is its place: digits, and letters where there are more.
const keys = [..."123456789abcdefghi"];

function GoToDialog(props: { onClose(): void }) {
  const t = useT();
  const session = useSession();
  const [, navigate] = useLocation();
  const screens = routes.filter(
    (route) => route.nav && (!route.permission || session.may(route.permission)),
  );
  const go = (path: string | undefined) => {
    if (path === undefined) return;
    props.onClose();
    navigate(path);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const names = namesOf(event.nativeEvent);
    const index = keys.findIndex((key) => names.includes(key));
    if (index < 0) return;
    event.preventDefault();
    go(screens[index]?.path);
  };
  return (
    <Dialog label={t("keys.go_to")} className="palette go-to" onClose={props.onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: its buttons have the focus */}
      <div className="palette-list" onKeyDown={onKeyDown}>
        {screens.map((route, index) => (
          <button
            type="button"
            key={route.path}
            {...(index === 0 ? { "data-first": true } : {})}
            onClick={() => go(route.path)}
          >
            <Icon name={route.nav?.icon ?? "today"} />
            <span className="cut">{route.nav && t(route.nav.label)}</span>
            <KeyCap>{(keys[index] ?? "").toUpperCase()}</KeyCap>
          </button>
        ))}
      </div>
    </Dialog>
  );
}

/** Any screen by two keys: Q, and the one that stands beside its name. */
export function GoTo() {
  const t = useT();
  const [open, setOpen] = useState(false);
  useKeys({
    title: t("keys.everywhere"),
    bindings: [{ key: "q", label: t("keys.go_to"), run: () => setOpen(true) }],
  });
  return open ? <GoToDialog onClose={() => setOpen(false)} /> : null;
}

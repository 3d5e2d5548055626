import { type ReactNode, useEffect } from "react";
import type { Freshness } from "../api/watermark";
import { useT } from "../i18n";
import { FreshnessMark, StaleBanner } from "./freshness";

/** The head of a screen, its title in the tab, and what is said about its age. */
export function Screen(props: {
  title: string;
  /** In the tab, when it is another than that of the head. */
  tabTitle?: string;
  sub?: ReactNode;
  freshness?: Freshness;
  /** Since when a stream of its own is lost, in milliseconds; null: it is live. */
  lostAt?: number | null;
  onReadAgain?: () => void;
  actions?: ReactNode;
  /** In place of the usual head. */
  head?: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  const t = useT();
  const tabTitle = props.tabTitle ?? props.title;
  useEffect(() => {
    document.title = `${tabTitle} · ${t("app.name")}`;
  }, [tabTitle, t]);
  return (
    <div className={`screen ${props.className ?? ""}`}>
      {props.head ?? (
        <header className="head">
          <h1>{props.title}</h1>
          {props.sub && <span className="sub">{props.sub}</span>}
          <span className="end">
            {props.actions}
            <FreshnessMark freshness={props.freshness} lostAt={props.lostAt} />
          </span>
        </header>
      )}
      {props.freshness && props.onReadAgain && (
        <StaleBanner freshness={props.freshness} onReadAgain={props.onReadAgain} />
      )}
      {props.children}
    </div>
  );
}

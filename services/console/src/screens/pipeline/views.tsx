import { lazy, Suspense, useEffect, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { Segmented } from "../../components/basics";
import { useT } from "../../i18n";
import type { Stage } from "../../lib/board";
import { useOpenMenu } from "./actions";

/** Board and list: two views of the same deals, with the same filters. */
export function useViews(view: "board" | "list") {
  const t = useT();
  const [, navigate] = useLocation();
  const search = useSearch();
  return (
    <Segmented
      label={t("pipeline.view")}
      value={view}
      options={[
        { value: "board", text: t("pipeline.board") },
        { value: "list", text: t("pipeline.list") },
      ]}
      onChange={(to) =>
        navigate(`${to === "list" ? "/pipeline/list" : "/pipeline"}${search ? `?${search}` : ""}`)
      }
    />
  );
}

const loadMenu = () => import("./move-menu");
const StagesMenu = lazy(loadMenu);

/** Where a deal can go, by a menu. It comes after the screen, and is there before it is asked for. */
export function MoveMenu(props: { onMoved?: (dealId: string, stage: Stage) => void }) {
  const open = useOpenMenu();
  useEffect(() => void loadMenu(), []);
  return open ? (
    <Suspense>
      <StagesMenu open={open} onMoved={props.onMoved} />
    </Suspense>
  ) : null;
}

const narrow = "(max-width: 720px)";

/** Whether one column at a time is shown. */
export function useIsNarrow(): boolean {
  const [matches, setMatches] = useState(() => matchMedia(narrow).matches);
  useEffect(() => {
    const media = matchMedia(narrow);
    const follow = () => setMatches(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return matches;
}

import { Button } from "../components/basics";
import { Dialog } from "../components/sheet";
import { useT } from "../i18n";
import { useKeyGroups, useKeys } from "../lib/keys";
import { usePreferences } from "../lib/preferences";
import { createStore, useStore } from "../lib/store";

const open = createStore(false);

export function openKeysHelp(): void {
  open.set(true);
}

function shown(key: string): string[] {
  return key.split("+").map((part) => {
    if (part === "Control") return "Ctrl";
    if (part === "Escape") return "Esc";
    return part.length === 1 ? part.toUpperCase() : part;
  });
}

function KeysDialog() {
  const t = useT();
  const { singleKeys } = usePreferences();
  const groups = useKeyGroups();
  // Groups of the same heading stand together.
  const byTitle = new Map<string, { key: string; label: string }[]>();
  for (const group of groups) {
    for (const { key, label } of group.bindings) {
      if (!label) continue;
      const all = byTitle.get(group.title) ?? [];
      if (!all.some((other) => other.key === key)) all.push({ key, label });
      byTitle.set(group.title, all);
    }
  }
  const close = () => open.set(false);
  return (
    <Dialog label={t("keys.title")} className="keys-help" onClose={close}>
      <h2>{t("keys.title")}</h2>
      {!singleKeys && <p className="sec">{t("keys.single_off")}</p>}
      <div className="groups">
        {[...byTitle].map(([title, bindings]) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {bindings.map(({ key, label }) => (
                <div key={key}>
                  <dt>
                    {shown(key).map((part) => (
                      <kbd className="k" key={part}>
                        {part}
                      </kbd>
                    ))}
                  </dt>
                  <dd>{label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <footer>
        <Button kind="plain" keyCap="Esc" onClick={close}>
          {t("act.close")}
        </Button>
      </footer>
    </Dialog>
  );
}

/** All keys of the page, by "?". */
export function KeysHelp() {
  const t = useT();
  const isOpen = useStore(open);
  useKeys({
    title: t("keys.everywhere"),
    bindings: [{ key: "?", label: t("keys.help"), run: openKeysHelp }],
  });
  return isOpen ? <KeysDialog /> : null;
}

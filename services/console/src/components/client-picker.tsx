import { useId, useState } from "react";
import { useSearchHits } from "../api/search";
import { useT } from "../i18n";
import { KeyCap } from "./basics";
import { Field } from "./sheet";

/** A client is picked and never typed: what is written of an unknown one would make a nameless client. */
export function ClientPicker(props: {
  label: string;
  chosen: string;
  name: string;
  error: string | undefined;
  onPick(clientId: string, name: string, ownerId: string): void;
}) {
  const t = useT();
  const list = useId();
  const [typed, setTyped] = useState("");
  const [current, setCurrent] = useState(0);
  const hits = useSearchHits(props.chosen ? "" : typed.trim());
  const found = typed.trim()
    ? [...new Map((hits.data ?? []).map((hit) => [hit.clientId, hit])).values()].slice(0, 8)
    : [];
  const pick = (index: number) => {
    const hit = found[index];
    if (hit) props.onPick(hit.clientId, hit.clientName, hit.ownerId);
  };
  const shown = props.chosen ? props.name : typed;
  return (
    <div className="client-picker">
      <Field label={props.label} hint={t("deal.new.client_hint")} error={props.error}>
        {(field) => (
          <input
            {...field}
            type="text"
            role="combobox"
            aria-expanded={found.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={found.length > 0 ? `${list}-${current}` : undefined}
            autoComplete="off"
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus={!props.chosen}
            value={shown}
            onChange={(event) => {
              if (props.chosen) props.onPick("", "", "");
              setTyped(event.target.value);
              setCurrent(0);
            }}
            onKeyDown={(event) => {
              if (found.length === 0) return;
              if (event.key === "ArrowDown") setCurrent((current + 1) % found.length);
              else if (event.key === "ArrowUp") {
                setCurrent((current + found.length - 1) % found.length);
              } else if (event.key === "Enter" && !props.chosen) pick(current);
              else return;
              event.preventDefault();
            }}
          />
        )}
      </Field>
      {found.length > 0 && !props.chosen && (
        <div id={list} role="listbox" aria-label={props.label} className="menu">
          {found.map((hit, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
            // biome-ignore lint/a11y/useFocusableInteractive: aria-activedescendant, the field has the focus
            <div
              key={hit.clientId}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === current}
              className={index === current ? "is-hover" : ""}
              onMouseMove={() => setCurrent(index)}
              onClick={() => pick(index)}
            >
              <span className="cut">{hit.clientName}</span>
              <span className="sm mut cut">{hit.clientId}</span>
              {index === current && <KeyCap>Enter</KeyCap>}
            </div>
          ))}
        </div>
      )}
      {typed.trim() !== "" &&
        !props.chosen &&
        hits.isSuccess &&
        !hits.isFetching &&
        found.length === 0 && (
          <p className="hint" role="status">
            {t("palette.nothing", { typed })}
          </p>
        )}
    </div>
  );
}

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, type Ref, useEffect, useRef } from "react";
import { useT } from "../i18n";
import { useKeys } from "../lib/keys";

/**
 * J and K (and the arrows) move the selection of a list, wherever the focus is; Enter opens what is
 * selected, Esc closes it. `selected` is -1 for none.
 */
export function useListKeys(props: {
  title: string;
  count: number;
  selected: number;
  onSelect(index: number): void;
  onOpen(index: number): void;
  onClose?(): void;
}): void {
  const t = useT();
  const { count, selected, onSelect, onOpen, onClose } = props;
  const move = (by: number) => {
    if (count === 0) return;
    onSelect(
      Math.max(0, Math.min(count - 1, selected < 0 ? (by > 0 ? 0 : count - 1) : selected + by)),
    );
  };
  const next = () => move(1);
  const previous = () => move(-1);
  useKeys({
    title: props.title,
    bindings: [
      { key: "j", label: t("keys.next"), run: next },
      { key: "k", label: t("keys.previous"), run: previous },
      { key: "ArrowDown", run: next },
      { key: "ArrowUp", run: previous },
      {
        key: "Enter",
        label: t("keys.open"),
        enabled: selected >= 0,
        run: () => onOpen(selected),
      },
      {
        key: "Escape",
        label: t("keys.close"),
        enabled: selected >= 0 && onClose !== undefined,
        run: () => onClose?.(),
      },
    ],
  });
}

/** Keeps the selected element of a list in sight, and the focus on it when it was in the list. */
export function useSelectedInSight(selected: string | null): Ref<HTMLDivElement> {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (selected === null) return;
    const row = list.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(selected)}"]`);
    row?.scrollIntoView({ block: "nearest" });
    if (
      list.current?.contains(document.activeElement) ||
      document.activeElement === document.body
    ) {
      row?.focus({ preventScroll: true });
    }
  }, [selected]);
  return list;
}

/**
 * A list of any length: only what is in sight is in the page. role=grid with the full count, so
 * that a screen reader knows it too.
 */
export function VirtualRows(props: {
  label: string;
  /** How many rows are known; those after them are asked for by `onEnd`. */
  count: number;
  /** How many there are in all; left out: `count`. */
  total?: number;
  /** Height of a row in pixels. */
  height: number;
  /** Whether more can be asked for. */
  hasMore?: boolean;
  onEnd?: () => void;
  /** Which rows are in the page, whenever others are. */
  onRange?: (first: number, last: number) => void;
  selected: number;
  rowKey(index: number): string;
  /** The cells; the row about them is drawn here. */
  children(index: number): ReactNode;
  onSelect(index: number): void;
  onOpen(index: number): void;
  rowClassName?: string;
  head?: ReactNode;
  /** What the list is about: of another one the first rows are shown. */
  about?: string;
}) {
  const { about, count, height, hasMore, onEnd, onRange, selected } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count,
    estimateSize: () => height,
    getScrollElement: () => scroller.current,
    getItemKey: props.rowKey,
    overscan: 12,
  });
  const shownAbout = useRef(about);
  useEffect(() => {
    if (shownAbout.current === about) return;
    shownAbout.current = about;
    scroller.current?.scrollTo({ top: 0 });
  }, [about]);
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    onRange?.(first, last);
  }, [onRange, first, last]);
  useEffect(() => {
    if (hasMore && last >= count - 20) onEnd?.();
  }, [hasMore, last, count, onEnd]);
  useEffect(() => {
    if (selected >= 0) rows.scrollToIndex(selected, { align: "auto" });
  }, [selected, rows]);
  // The focus goes with the selection when it was in the list.
  const drawn = selected >= first && selected <= last;
  useEffect(() => {
    const list = scroller.current;
    if (!drawn || !list?.contains(document.activeElement)) return;
    list
      .querySelector<HTMLElement>(`[aria-rowindex="${selected + 1}"]`)
      ?.focus({ preventScroll: true });
  }, [selected, drawn]);
  return (
    <div
      ref={scroller}
      className="list virtual"
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.total ?? (hasMore ? -1 : count)}
    >
      {props.head}
      <div role="rowgroup" style={{ height: rows.getTotalSize(), position: "relative" }}>
        {items.map((item) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the list do the same
          <div
            key={item.key}
            role="row"
            aria-rowindex={item.index + 1}
            aria-selected={item.index === selected}
            tabIndex={item.index === selected || (selected < 0 && item.index === 0) ? 0 : -1}
            className={`row ${props.rowClassName ?? ""}`}
            style={{
              position: "absolute",
              insetInline: 0,
              top: 0,
              height: item.size,
              transform: `translateY(${item.start}px)`,
            }}
            onClick={() => props.onSelect(item.index)}
            onDoubleClick={() => props.onOpen(item.index)}
            onFocus={() => {
              if (selected !== item.index && selected < 0) props.onSelect(item.index);
            }}
          >
            {props.children(item.index)}
          </div>
        ))}
      </div>
    </div>
  );
}

// The keys of a list move among its rows, and not among their cells.

export function Cell(props: { className?: string; children?: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: its row has the focus
    <span role="gridcell" {...(props.className ? { className: props.className } : {})}>
      {props.children}
    </span>
  );
}

export interface Column {
  id: string;
  text: string;
  className?: string;
  /** The list is sorted by it. */
  sorted?: "ascending" | "descending";
  /** Sorts the list by it. */
  onSort?: () => void;
  /** Its text is read out, and not shown. */
  silent?: boolean;
}

/** The names of the columns, above the rows. */
export function HeadRow(props: { columns: readonly Column[] }) {
  return (
    <div role="rowgroup" className="capsgroup">
      {/* biome-ignore lint/a11y/useFocusableInteractive: it has no keys */}
      <div className="caps" role="row">
        {props.columns.map((column) => (
          // biome-ignore lint/a11y/useFocusableInteractive: it has no keys
          <span
            role="columnheader"
            key={column.id}
            aria-sort={column.sorted}
            {...(column.className ? { className: column.className } : {})}
          >
            {column.onSort ? (
              <button type="button" className="sort" onClick={column.onSort}>
                {column.text}
                {column.sorted && (
                  <span aria-hidden="true">{column.sorted === "ascending" ? " ↑" : " ↓"}</span>
                )}
              </button>
            ) : column.silent ? (
              <span className="vh">{column.text}</span>
            ) : (
              column.text
            )}
          </span>
        ))}
      </div>
    </div>
  );
}

import { type RefObject, useEffect, useRef } from "react";
import type { Deal, Stage } from "../../lib/board";
import { createStore, useStore } from "../../lib/store";

/** The card in the hand. */
export interface Dragged {
  deal: Deal;
  clientName: string;
  by: "mouse" | "keyboard" | "touch";
  /** The column that is under a finger. */
  over: Stage | null;
}

const dragged = createStore<Dragged | null>(null);

export function useDragged(): Dragged | null {
  return useStore(dragged);
}

export const dragging = {
  get: dragged.get,
  start(one: Omit<Dragged, "over">): void {
    dragged.set({ ...one, over: null });
  },
  over(stage: Stage | null): void {
    dragged.set((one) => (one && one.over !== stage ? { ...one, over: stage } : one));
  },
  end(): void {
    dragged.set(null);
  },
};

/** How long a finger rests on a card before the card is in the hand; sooner, it scrolls. */
const hold = 300;
/** A finger that went further than this before was scrolling. */
const slack = 8;
/** A finger this near to the edge of the board scrolls it. */
const edge = 40;

/** A picture of the card that goes with the pointer. */
export function pictureOf(card: HTMLElement): HTMLElement {
  const picture = card.cloneNode(true) as HTMLElement;
  picture.classList.add("drag");
  picture.removeAttribute("data-deal");
  picture.style.width = `${card.offsetWidth}px`;
  return picture;
}

/**
 * Dragging by finger: the browser's own drag does not begin there, or only after its own time. What
 * is under the finger tells its stage by `data-stage`.
 */
export function useTouchDrag(
  card: RefObject<HTMLElement | null>,
  options: { enabled: boolean; onStart(): void; onDrop(stage: Stage): void },
): void {
  const current = useRef(options);
  current.current = options;
  useEffect(() => {
    const element = card.current;
    if (!element || !options.enabled) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let picture: HTMLElement | null = null;
    let start = { x: 0, y: 0 };
    let offset = { x: 0, y: 0 };
    const place = (x: number, y: number) => {
      if (!picture) return;
      picture.style.left = `${x - offset.x}px`;
      picture.style.top = `${y - offset.y}px`;
    };
    const lift = () => {
      const box = element.getBoundingClientRect();
      offset = { x: start.x - box.x, y: start.y - box.y };
      picture = pictureOf(element);
      picture.classList.add("in-hand");
      document.body.append(picture);
      place(start.x, start.y);
      current.current.onStart();
    };
    const putDown = () => {
      clearTimeout(timer);
      picture?.remove();
      picture = null;
      element.draggable = true;
      dragging.end();
    };
    const onStart = (event: TouchEvent) => {
      const touch = event.touches[0];
      if (!touch || event.touches.length > 1) {
        if (picture) putDown();
        clearTimeout(timer);
        return;
      }
      // The browser's own drag would take the finger away from the page.
      element.draggable = false;
      start = { x: touch.clientX, y: touch.clientY };
      timer = setTimeout(lift, hold);
    };
    const onMove = (event: TouchEvent) => {
      const touch = event.touches[0];
      if (!touch) return;
      if (!picture) {
        if (Math.hypot(touch.clientX - start.x, touch.clientY - start.y) > slack) {
          clearTimeout(timer);
        }
        return;
      }
      event.preventDefault();
      place(touch.clientX, touch.clientY);
      const board = element.closest<HTMLElement>(".board");
      if (board) {
        const box = board.getBoundingClientRect();
        if (touch.clientX > box.right - edge) board.scrollBy({ left: 12 });
        else if (touch.clientX < box.left + edge) board.scrollBy({ left: -12 });
      }
      const under = document
        .elementFromPoint(touch.clientX, touch.clientY)
        ?.closest<HTMLElement>("[data-stage]");
      dragging.over((under?.dataset.stage as Stage | undefined) ?? null);
    };
    const onEnd = (event: TouchEvent) => {
      const over = dragging.get()?.over ?? null;
      const held = picture !== null;
      putDown();
      if (!held) return;
      event.preventDefault();
      if (event.type === "touchend" && over) current.current.onDrop(over);
    };
    const onMenu = (event: Event) => {
      if (!element.draggable) event.preventDefault();
    };
    element.addEventListener("touchstart", onStart, { passive: true });
    element.addEventListener("touchmove", onMove, { passive: false });
    element.addEventListener("touchend", onEnd);
    element.addEventListener("touchcancel", onEnd);
    element.addEventListener("contextmenu", onMenu);
    return () => {
      if (picture) putDown();
      clearTimeout(timer);
      element.removeEventListener("touchstart", onStart);
      element.removeEventListener("touchmove", onMove);
      element.removeEventListener("touchend", onEnd);
      element.removeEventListener("touchcancel", onEnd);
      element.removeEventListener("contextmenu", onMenu);
    };
  }, [card, options.enabled]);
}

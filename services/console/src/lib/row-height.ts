import { useEffect, useState } from "react";
import { usePreferences } from "./preferences";

function measured(token: string): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue(token));
}

/** Pixels of a height in tokens.css, which depends on the density and on the screen. */
export function useRowHeight(token: "--row" | "--row-tall"): number {
  const { density } = usePreferences();
  const [height, setHeight] = useState(() => measured(token));
  // biome-ignore lint/correctness/useExhaustiveDependencies: another density is another height
  useEffect(() => {
    const measure = () => setHeight(measured(token));
    measure();
    const narrow = matchMedia("(pointer: coarse), (max-width: 720px)");
    narrow.addEventListener("change", measure);
    return () => narrow.removeEventListener("change", measure);
  }, [token, density]);
  return height;
}

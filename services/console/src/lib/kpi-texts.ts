import type { KpiDefinition, KpiSettings } from "../api/kpis";
import { hasText, type Translate } from "../i18n";

/** The name of a KPI in the language of the page; the server's own where this page does not know it. */
export function kpiName(t: Translate, code: string, definition?: KpiDefinition): string {
  const id = `kpi.${code}`;
  return hasText(id) ? t(id) : definition?.name || code;
}

/** How it is reckoned, in words, with the settings that were used. */
export function kpiFormula(
  t: Translate,
  definition: KpiDefinition,
  settings: KpiSettings | undefined,
): string {
  const id = `kpi.${definition.code}.formula`;
  if (!hasText(id)) return definition.formula ?? "";
  return t(id, {
    lost: settings?.lost_after_days ?? 0,
    fresh: settings?.new_client_days ?? 0,
    seconds: settings?.service_level_seconds ?? 0,
  });
}

const detailTexts: Record<string, (name: string) => string> = {
  stage: (name) => `stage.${name.toUpperCase()}`,
  source: (name) => `deal.source.${name.toUpperCase()}`,
  kind: (name) => `deal.kind.${name.toUpperCase()}`,
  reason: (name) => `deal.loss.${name.toUpperCase()}`,
  category: (name) => `complaint.category.${name.toUpperCase()}`,
  dismissal: (name) => `dismissal.${name.toUpperCase()}`,
};

/** What a detail of a KPI is called, such as a stage or a reason; "" is what nobody told. */
export function detailName(t: Translate, detail: string | undefined, name: string): string {
  if (name === "") return t("figures.untold");
  const id = detailTexts[detail ?? ""]?.(name) ?? "";
  return hasText(id) ? t(id) : name;
}

/** What a further figure beside a KPI is called. */
export function asideName(t: Translate, name: string): string {
  const id = `figures.aside.${name}`;
  return hasText(id) ? t(id) : name;
}

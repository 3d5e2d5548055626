import { useT } from "../i18n";

/** "key account", or what kind of client it is; "" when nobody told. */
export function useSegmentText(): (client: { segment?: string; key_account?: boolean }) => string {
  const t = useT();
  return ({ segment, key_account }) => {
    if (key_account) return t("client.key_account");
    switch (segment) {
      case "SEGMENT_PERSONAL":
        return t("segment.personal");
      case "SEGMENT_BUSINESS":
        return t("segment.business");
      case "SEGMENT_CORPORATE":
        return t("segment.corporate");
      default:
        return "";
    }
  };
}

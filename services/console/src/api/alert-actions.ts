import { api, body, type Schemas } from "./client";
import { queryClient } from "./query";
import { wrote } from "./touchpoints";

export const alertActions = ["acknowledge", "snooze", "dismiss", "resolve"] as const;
export type AlertAction = (typeof alertActions)[number];

/** Acts on an alert; throws ApiError. */
export async function actOnAlert(
  action: AlertAction,
  alertId: string,
  clientId: string,
  order: Schemas["AlertActionRequest"],
): Promise<void> {
  const options = { params: { path: { id: alertId } }, body: order };
  const answer = await body(
    action === "acknowledge"
      ? api.POST("/v1/alerts/{id}/acknowledge", options)
      : action === "snooze"
        ? api.POST("/v1/alerts/{id}/snooze", options)
        : action === "dismiss"
          ? api.POST("/v1/alerts/{id}/dismiss", options)
          : api.POST("/v1/alerts/{id}/resolve", options),
  );
  if (answer.position) wrote(clientId, answer.position);
  void queryClient.invalidateQueries({ queryKey: ["alerts"] });
}

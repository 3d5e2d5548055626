import { Component, type ReactNode } from "react";
import { Button } from "../components/basics";
import { Empty } from "../components/states";
import { translate } from "../i18n";

/** A screen that fails takes nothing else with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Empty
        title={translate("error.unexpected")}
        icon="complaint"
        action={<Button onClick={() => location.reload()}>{translate("act.reload")}</Button>}
      >
        {translate("error.unexpected_hint")}
      </Empty>
    );
  }
}

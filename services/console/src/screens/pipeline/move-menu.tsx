import { useMemo } from "react";
import { Menu, MenuItem, Popover } from "react-aria-components";
import { useT } from "../../i18n";
import { type Stage, stageOf, stages } from "../../lib/board";
import { closeMoveMenu, type OpenMenu, titleOf, useMoveDeal } from "./actions";

/** Where a deal can go: what a drag does, by a menu. */
export default function StagesMenu(props: {
  open: OpenMenu;
  onMoved?: ((dealId: string, stage: Stage) => void) | undefined;
}) {
  const t = useT();
  const { open } = props;
  const move = useMoveDeal();
  const anchor = useMemo(() => ({ current: open.anchor }), [open]);
  const from = stageOf(open.deal.stage);
  return (
    <Popover
      isOpen
      triggerRef={anchor}
      placement="bottom start"
      className="floating"
      aria-label={t("pipeline.move_to")}
      onOpenChange={(isOpen) => {
        if (!isOpen) closeMoveMenu();
      }}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the menu's letters are not the page's */}
      <div onKeyDown={(event) => event.stopPropagation()}>
        <Menu
          className="menu"
          aria-label={t("pipeline.move_of", { deal: titleOf(open.deal) })}
          autoFocus="first"
          disabledKeys={[from]}
          onAction={(key) => {
            const stage = key as Stage;
            closeMoveMenu();
            props.onMoved?.(open.deal.deal_id ?? "", stage);
            move(open.deal, stage, open.clientName);
          }}
          onClose={closeMoveMenu}
        >
          {stages.map((stage) => (
            <MenuItem
              key={stage}
              id={stage}
              textValue={t(`stage.${stage}`)}
              className={({ isFocused, isDisabled }) =>
                `item ${isFocused ? "is-hover" : ""} ${isDisabled ? "is-off" : ""}`
              }
            >
              <span>{t(`stage.${stage}`)}</span>
              {stage === from && <span className="sm mut">{t("pipeline.is_here")}</span>}
            </MenuItem>
          ))}
        </Menu>
      </div>
    </Popover>
  );
}

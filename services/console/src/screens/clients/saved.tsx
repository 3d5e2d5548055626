import { useState } from "react";
import { useLocation } from "wouter";
import { Chip, IconButton } from "../../components/basics";
import { Icon } from "../../components/icon";
import { Field, Sheet } from "../../components/sheet";
import { toast } from "../../components/toast";
import { useT } from "../../i18n";
import { useSavedFilters } from "../../lib/saved-filters";

function SaveSheet(props: { query: string; onClose(): void }) {
  const t = useT();
  const { keep } = useSavedFilters("clients");
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  return (
    <Sheet
      title={t("clients.save_filter")}
      hint={t("clients.save_filter_hint")}
      submit={t("act.save")}
      onSubmit={() => {
        setTried(true);
        if (!name.trim()) return;
        if (!keep({ name: name.trim(), query: props.query })) {
          toast.fail(t("clients.filter_not_kept"));
        }
        props.onClose();
      }}
      onClose={props.onClose}
    >
      <Field
        label={t("clients.filter_name")}
        {...(tried && !name.trim() ? { error: t("clients.filter_name_needed") } : {})}
      >
        {(field) => (
          <input
            {...field}
            type="text"
            autoComplete="off"
            // biome-ignore lint/a11y/noAutofocus: a dialog gives the focus to its first field
            autoFocus
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </Sheet>
  );
}

/** Filters that somebody kept, and keeping the present one. `query`: that of the URL; "": none. */
export function SavedFilters(props: { query: string }) {
  const t = useT();
  const [, navigate] = useLocation();
  const { saved, keep, drop } = useSavedFilters("clients");
  const [saving, setSaving] = useState(false);
  const current = saved.find((filter) => filter.query === props.query);
  return (
    <>
      {saved.map((filter) => (
        <Chip
          key={filter.name}
          pressed={filter === current}
          onPress={() => navigate(`/clients${filter === current ? "" : filter.query}`)}
        >
          {filter.name}
        </Chip>
      ))}
      {current ? (
        <IconButton
          plain
          icon="close"
          label={t("clients.drop_filter", { name: current.name })}
          onClick={() => {
            drop(current.name);
            toast.show(t("clients.filter_dropped", { name: current.name }), () => {
              keep(current);
            });
          }}
        />
      ) : (
        props.query !== "" && (
          <Chip dashed onPress={() => setSaving(true)}>
            <Icon name="plus" />
            {t("clients.save_filter")}
          </Chip>
        )
      )}
      {saving && <SaveSheet query={props.query} onClose={() => setSaving(false)} />}
    </>
  );
}

import { api } from "../../api/client";
import { queryClient } from "../../api/query";
import { useSession } from "../../app/session";
import { Button, Moment, Segmented } from "../../components/basics";
import { Screen } from "../../components/screen";
import { Field } from "../../components/sheet";
import { useErrorText } from "../../components/states";
import { toast } from "../../components/toast";
import { useFormattingLocale, useLocale, useT } from "../../i18n";
import { type Locale, localeNames, locales } from "../../i18n/locales";
import { formatRelative } from "../../lib/dates";
import { nameOfId } from "../../lib/people";
import { preferences, usePreferences } from "../../lib/preferences";
import { browserZone } from "../../lib/zone";

async function signOut(): Promise<void> {
  const { data } = await api.DELETE("/v1/session");
  queryClient.clear();
  location.assign(data?.provider_url || "/sign-in?return_to=%2F");
}

export default function SettingsScreen() {
  const t = useT();
  const errorText = useErrorText();
  const locale = useLocale();
  const formatting = useFormattingLocale();
  const session = useSession();
  const chosen = usePreferences();
  return (
    <Screen title={t("nav.settings")} sub={t("settings.sub")}>
      <div className="settings">
        <section>
          <h2>{t("settings.look")}</h2>
          <div className="setting">
            <span className="lab">{t("settings.theme")}</span>
            <Segmented
              label={t("settings.theme")}
              value={chosen.theme}
              options={(["system", "light", "dark"] as const).map((value) => ({
                value,
                text: t(`settings.theme.${value}`),
              }))}
              onChange={(theme) => preferences.change({ theme })}
            />
          </div>
          <div className="setting">
            <span className="lab">{t("settings.density")}</span>
            <Segmented
              label={t("settings.density")}
              value={chosen.density}
              options={(["usual", "roomy"] as const).map((value) => ({
                value,
                text: t(`settings.density.${value}`),
              }))}
              onChange={(density) => preferences.change({ density })}
            />
          </div>
          <Field label={t("settings.language")}>
            {(field) => (
              <select
                {...field}
                value={locale}
                onChange={(event) => preferences.change({ locale: event.target.value as Locale })}
              >
                {locales.map((value) => (
                  <option key={value} value={value} lang={value}>
                    {localeNames[value]}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label={t("settings.zone")} hint={t("settings.zone_hint")}>
            {(field) => (
              <select
                {...field}
                value={chosen.zone}
                onChange={(event) => preferences.change({ zone: event.target.value })}
              >
                <option value="">{t("settings.zone_browser", { zone: browserZone() })}</option>
                {Intl.supportedValuesOf("timeZone").map((name) => (
                  <option key={name} value={name}>
                    {name.replaceAll("_", " ")}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </section>
        <section>
          <h2>{t("settings.keys")}</h2>
          <label className="check">
            <input
              type="checkbox"
              checked={chosen.singleKeys}
              onChange={(event) => preferences.change({ singleKeys: event.target.checked })}
            />
            {t("settings.single_keys")}
          </label>
          <p className="hint">{t("settings.single_keys_hint")}</p>
        </section>
        <section>
          <h2>{t("settings.session")}</h2>
          {session.personId ? (
            <>
              <p className="sec">
                {t("settings.signed_in", { name: session.name || session.personId })}{" "}
                {session.roles.length > 0
                  ? t("settings.roles", {
                      roles: session.roles.map((role) => t(`role.${role}`)).join(", "),
                    })
                  : t("state.no_role")}{" "}
                {session.seesAllClients && session.may("read_clients")
                  ? t("settings.sees_all")
                  : session.ownerIds.length > 0 && session.may("read_clients")
                    ? t("settings.sees", { names: session.ownerIds.map(nameOfId).join(", ") })
                    : t("settings.sees_none")}
                {session.endsAt && (
                  <>
                    {" "}
                    <Moment at={session.endsAt}>
                      {t("settings.ends", { ago: formatRelative(session.endsAt, formatting) })}
                    </Moment>
                  </>
                )}
              </p>
              <Button
                icon="out"
                onClick={() => signOut().catch((error) => toast.fail(errorText(error)))}
              >
                {t("act.sign_out")}
              </Button>
            </>
          ) : (
            <Field label={t("settings.acting_as")} hint={t("settings.acting_as_hint")}>
              {(field) => (
                <input
                  {...field}
                  type="text"
                  value={chosen.actingAs}
                  autoComplete="off"
                  onChange={(event) => preferences.change({ actingAs: event.target.value.trim() })}
                />
              )}
            </Field>
          )}
        </section>
      </div>
    </Screen>
  );
}

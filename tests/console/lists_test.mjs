// The lists of the console in a browser: clients, alerts, promises, complaints and people, against all
// services with the sample's data.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  findings, locales, openPage, pictures, show, startBrowser, startRapport, themesOf,
} from "./support.mjs";

const screens = [
  { name: "clients", path: "/clients", ready: "[role=row] a" },
  { name: "alerts", path: "/alerts", ready: "[role=row][aria-rowindex]", open: true },
  { name: "commitments", path: "/commitments", ready: "[data-row]", open: true },
  { name: "complaints", path: "/complaints", ready: "[data-row]", open: true },
  { name: "people", path: "/people", ready: "[data-row]" },
  { name: "people-open", path: "/people", ready: "[data-row]", open: true },
];

const staff = {
  units: [
    { unit_id: "north", name: "North", kind: "branch", lead_id: "dora" },
    { unit_id: "a", name: "Team A", kind: "team", parent_unit_id: "north" },
    { unit_id: "b", name: "Team B", kind: "team", parent_unit_id: "north" },
  ],
  people: [
    ["ben.okafor", "Ben Okafor", "a", ["relationship_manager"]],
    ["david.moreau", "David Moreau", "a", ["relationship_manager", "lead"]],
    ["emma.walsh", "Emma Walsh", "a", ["relationship_manager"]],
    ["clara.jansen", "Clara Jansen", "b", ["relationship_manager"]],
    ["anna.keller", "Anna Keller", "b", ["relationship_manager"]],
    ["dora", "Dora Nord", "north", ["director", "administrator"]],
  ].map(([person_id, name, unit_id, roles]) => ({
    person_id,
    name,
    unit_id,
    roles,
    e_mail: `${person_id}@firm.example`,
  })),
};

let rapport;
let browser;

async function api(path, options) {
  const answer = await fetch(rapport.address + path, options);
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

before(async () => {
  [rapport, browser] = await Promise.all([startRapport(), startBrowser()]);
  const known = await api("/v1/staff?limit=500");
  if (known.people.length === 0) {
    await api("/v1/staff", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(staff),
    });
  }
});

after(async () => {
  await browser?.close();
  await rapport?.stop();
});

async function showScreen(page, screen) {
  await show(page, rapport.address + screen.path);
  await page.waitForSelector(screen.ready);
  if (screen.open) {
    await page.keyboard.press("j");
    await page.waitForSelector(".panel .acts");
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  }
}

const by = (name) => screens.find((screen) => screen.name === name);

describe("each list", () => {
  for (const locale of locales) {
    for (const theme of themesOf(locale)) {
      it(`in ${locale}, ${theme}: axe finds nothing, and it has a picture`, async () => {
        const page = await openPage(browser, rapport.address, { locale, theme });
        for (const screen of screens) {
          await showScreen(page, screen);
          await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-${theme}.png` });
          assert.deepEqual([screen.name, await findings(page)], [screen.name, []]);
        }
        assert.deepEqual(page.problems, []);
        await page.context().close();
      });
    }
    it(`in ${locale} on a phone: nothing is wider than the page`, async () => {
      const page = await openPage(browser, rapport.address, {
        locale, width: 360, height: 800, context: { hasTouch: true, isMobile: true },
      });
      for (const screen of screens) {
        await showScreen(page, screen);
        await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-phone.png` });
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.deepEqual([screen.name, over], [screen.name, 0]);
      }
      await page.context().close();
    });
  }
});

describe("clients", () => {
  it("are narrowed by what stands in the URL, and the filter can be kept", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients?owner=anna.keller&q=harb`);
    await page.waitForSelector("[role=row] a:has-text('Paper Harbour Gifts')");
    const { count } = await api("/v1/clients?owner=anna.keller&q=harb&count=true");
    await page.waitForSelector(`.head .sub:has-text('${count} client')`);
    await page.click("text=Keep this filter");
    await page.keyboard.type("Harbours");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".chip[aria-pressed=true]:has-text('Harbours')");
    await show(page, `${rapport.address}/clients`);
    await page.click(".chip:has-text('Harbours')");
    await page.waitForURL("**/clients?owner=anna.keller&q=harb");
    await page.context().close();
  });

  it("have at most 200 rows in the page, however far one scrolls", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients`);
    await page.waitForSelector("[role=row] a");
    const total = Number((await api("/v1/clients?count=true&limit=1")).count);
    await page.waitForSelector(`[role=grid][aria-rowcount="${total}"]`);
    for (let last = 0; last < total; ) {
      await page.evaluate(() => {
        const list = document.querySelector(".list.virtual");
        list.scrollTop = list.scrollHeight;
      });
      await page.waitForFunction(
        (before) => {
          const rows = [...document.querySelectorAll("[role=row][aria-rowindex]")];
          return Number(rows.at(-1)?.getAttribute("aria-rowindex")) > before;
        },
        last,
      );
      last = await page.evaluate(() =>
        Number([...document.querySelectorAll("[role=row][aria-rowindex]")].at(-1)
          .getAttribute("aria-rowindex")),
      );
      assert.ok((await page.locator("[role=row]").count()) <= 200);
    }
    await page.context().close();
  });

  it("begin with the first row when something else is looked for", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients`);
    await page.waitForSelector("[role=row] a");
    await page.evaluate(() => {
      const list = document.querySelector(".list.virtual");
      list.scrollTop = list.scrollHeight;
    });
    await page.waitForFunction(
      () => document.querySelector("[role=row][aria-rowindex]")?.getAttribute("aria-rowindex") > 100,
    );
    await page.fill("input[type=search]", "g");
    await page.waitForURL("**/clients?*q=g*");
    await page.waitForSelector("[role=row][aria-rowindex='1'] a");
    await page.context().close();
  });

  it("go to another of ours by keys alone, once it is told who does", async () => {
    const page = await openPage(browser, rapport.address);
    const { clients } = await api("/v1/clients?owner=ben.okafor&limit=2");
    await show(page, `${rapport.address}/clients?owner=ben.okafor`);
    await page.waitForSelector("[role=row] a");
    for (const key of ["j", "x", "j", "x", "h"]) await page.keyboard.press(key);
    await page.waitForSelector("dialog select option[value='anna.keller']", { state: "attached" });
    await page.keyboard.type("Anna");
    await page.waitForSelector("dialog .preview:has-text('2 clients go to Anna Keller')");
    assert.deepEqual(
      await page.locator("dialog .preview li > :first-child").allTextContents(),
      clients.map((client) => client.name),
    );
    await page.keyboard.press("Tab");
    await page.keyboard.type("new portfolios");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".toast:has-text('2 clients handed over to Anna Keller')");
    for (const { client_id } of clients) {
      await page.waitForFunction(
        async (id) => (await (await fetch(`/v1/clients/${id}`)).json()).owner_id === "anna.keller",
        client_id,
      );
    }
    await page.keyboard.press("z");
    await page.waitForSelector(".toast:has-text('are Ben Okafor’s again')");
    await page.context().close();
  });
});

describe("alerts", () => {
  it("are put off together, and each has an answer of its own", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    let refused = 0;
    await page.route("**/snooze", (route) => {
      refused += 1;
      if (refused === 2) {
        return route.fulfill({ status: 409, json: { code: 9, message: "it is closed" } });
      }
      return route.continue();
    });
    await showScreen(page, by("alerts"));
    for (const key of ["x", "j", "x", "s"]) await page.keyboard.press(key);
    await page.waitForSelector("dialog h2:has-text('Snooze 2 alerts')");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector("dialog .preview:has-text('1 was not done')");
    assert.match(await page.textContent("dialog .preview ol"), /it is closed/);
    await page.click("dialog button[type=submit]:has-text('Try 1 again')");
    await page.waitForSelector("dialog", { state: "detached" });
    assert.equal(await page.locator("[role=row] .c-state:has-text('until ')").count(), 2);
    await page.context().close();
  });

  it("are taken on and closed by keys, and the next row is selected", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/alerts`);
    await page.waitForSelector("[role=row][aria-rowindex]");
    for (const key of ["j", "j", "j"]) await page.keyboard.press(key);
    await page.waitForSelector("[aria-rowindex='3'][aria-selected=true]");
    const name = await page.textContent("[aria-rowindex='3'] .two .mid");
    await page.keyboard.press("r");
    await page.waitForSelector(`dialog h2:has-text('How it ended for ${name}')`);
    await page.keyboard.press("Enter");
    await page.waitForSelector("[aria-rowindex='4'][aria-selected=true]");
    await page.waitForSelector("[aria-rowindex='3'] .c-state:has-text('resolved')");
    await page.keyboard.press("a");
    await page.waitForSelector("[aria-rowindex='4'] .c-state:has-text('taken on')");
    await page.waitForSelector("[aria-rowindex='5'][aria-selected=true]");
    await page.context().close();
  });

  it("that are new wait above the list, and move nothing", async () => {
    const page = await openPage(browser, rapport.address);
    const step = {
      change: "ALERT_CHANGE_RAISED", alert_id: "retention/churn_risk/new/1", client_id: "12347",
      at: new Date().toISOString(), severity: "SEVERITY_HIGH", score: 800, reasons: [],
    };
    let asked = 0;
    await page.route("**/v1/alerts/stream*", (route) => {
      asked += 1;
      return route.fulfill({
        contentType: "text/event-stream",
        body: asked === 1 ? `id: 0-9\nevent: alert\ndata: ${JSON.stringify(step)}\n\n` : ": ping\n\n",
      });
    });
    await show(page, `${rapport.address}/alerts`);
    await page.waitForSelector("[role=row][aria-rowindex]");
    const first = await page.textContent("[aria-rowindex='1'] .two .mid");
    await page.waitForSelector(".fresh-rows:has-text('1 new')");
    assert.equal(await page.textContent("[aria-rowindex='1'] .two .mid"), first);
    await page.waitForSelector(".fresh.old:has-text('Not live since')");
    await page.keyboard.press("u");
    await page.waitForSelector(".fresh-rows", { state: "detached" });
    await page.context().close();
  });

  it("tell how they came there, with the reasons of that time", async () => {
    const page = await openPage(browser, rapport.address);
    const id = "retention/churn_risk/16553/1";
    await show(page, `${rapport.address}/alerts?severity=high&open=${encodeURIComponent(id)}`);
    const { steps } = await api(`/v1/alerts/${encodeURIComponent(id)}`);
    await page.waitForSelector(".panel .step");
    assert.equal(await page.locator(".panel .step").count(), steps.length);
    await page.click(".panel .step:last-child summary");
    await page.waitForSelector(".panel .step:last-child .then li");
    assert.equal(
      await page.locator(".panel .step:last-child .then li").count(),
      steps[0].reasons.length,
    );
    await page.context().close();
  });
});

describe("promises and complaints", () => {
  it("are kept by keys alone, counted by the server, and taken back", async () => {
    const page = await openPage(browser, rapport.address);
    const count = async () =>
      Number((await api("/v1/agenda?kind=promise&until=2200-01-01T00:00:00Z")).sections[0].count);
    const before = await count();
    await showScreen(page, by("commitments"));
    await page.waitForSelector(`.head .sub:has-text('${before} open')`);
    await page.keyboard.press("r");
    await page.waitForSelector("dialog");
    await page.keyboard.type("sent today");
    await page.keyboard.press("Enter");
    await page.waitForSelector(`.head .sub:has-text('${before - 1} open')`);
    assert.equal(await count(), before - 1);
    await page.keyboard.press("z");
    await page.waitForSelector(`.head .sub:has-text('${before} open')`);
    await page.context().close();
  });

  it("asks whether the client agreed when one is moved", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, by("commitments"));
    await page.keyboard.press("m");
    await page.waitForSelector("dialog legend:has-text('Did the client agree?')");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    await page.context().close();
  });

  it("keeps a complaint open until it is said what was done", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, by("complaints"));
    const rows = await page.locator("[data-row]").count();
    await page.keyboard.press("r");
    await page.waitForSelector("dialog");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog .hint.bad");
    await page.keyboard.type("money back");
    await page.keyboard.press("Enter");
    await page.waitForFunction(
      (count) => document.querySelectorAll("[data-row]").length === count - 1,
      rows,
    );
    await page.context().close();
  });

  it("says what there is when nothing is due", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/commitments?owner=dora`);
    assert.match(await page.textContent(".void"), /No promise is open/);
    await page.context().close();
  });
});

describe("people", () => {
  it("stand in the tree of their units, and what they may is said in words", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/people?open=clara.jansen`);
    await page.waitForSelector(".panel h2:has-text('Clara Jansen')");
    const { units } = await api("/v1/units");
    assert.equal(await page.locator(".sect.unit").count(), units.length);
    assert.match(await page.textContent(".panel .roles"), /their own clients/);
    // Nobody signs in here: there is nothing to end, and the button says why.
    assert.match(
      await page.getAttribute(".panel .acts .is-off", "title"),
      /Nobody has to sign in here/,
    );
    await page.keyboard.press("h");
    await page.waitForSelector("dialog h2:has-text('Hand over all clients of Clara Jansen')");
    await page.context().close();
  });

  it("says which roles may hand over, to whoever may not", async () => {
    const page = await openPage(browser, rapport.address);
    await page.route("**/v1/session", (route) =>
      route.fulfill({
        json: {
          person_id: "ben.okafor", name: "Ben Okafor", roles: ["relationship_manager"],
          owner_ids: ["ben.okafor"], access_controlled: true,
        },
      }),
    );
    await show(page, `${rapport.address}/people?open=clara.jansen`);
    await page.waitForSelector(".panel .acts .is-off");
    assert.match(
      await page.getAttribute(".panel .acts .is-off >> nth=0", "title"),
      /head of department, director/,
    );
    await page.context().close();
  });
});

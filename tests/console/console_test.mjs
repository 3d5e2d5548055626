// The console in a browser, against all services with the sample's data.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  findings, locales, openPage, packedSizes, pictures, show, startBrowser, startRapport, themesOf,
} from "./support.mjs";

const screens = [
  { name: "today", path: "/" },
  { name: "today-open", path: "/", open: true },
  { name: "clients", path: "/clients" },
  { name: "client", path: "/clients/16333" },
  { name: "pipeline", path: "/pipeline" },
  { name: "pipeline-list", path: "/pipeline/list" },
  { name: "alerts", path: "/alerts" },
  { name: "commitments", path: "/commitments" },
  { name: "complaints", path: "/complaints" },
  { name: "sources", path: "/sources" },
  { name: "operations", path: "/operations" },
  { name: "settings", path: "/settings" },
];

let rapport;
let browser;

before(async () => {
  [rapport, browser] = await Promise.all([startRapport(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await rapport?.stop();
});

// A screen as it is looked at: with a row open, where it has rows.
async function showScreen(page, screen) {
  await show(page, rapport.address + screen.path);
  if (screen.open) {
    await page.waitForSelector("[data-row]");
    await page.keyboard.press("j");
    await page.waitForSelector(".panel .acts");
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  }
}

async function api(path, options) {
  const answer = await fetch(rapport.address + path, options);
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

describe("the shell", () => {
  it("loads without a violation of its policy, an error or another host", async () => {
    const page = await openPage(browser, rapport.address);
    for (const screen of screens) await showScreen(page, screen);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("has at most 200 KiB of script and 10 of style, packed, before its first screen", async () => {
    const page = await openPage(browser, rapport.address);
    const sizes = await packedSizes(page, () => show(page, `${rapport.address}/`));
    assert.ok(sizes.script > 0 && sizes.script <= 200 * 1024, `${sizes.script} bytes of script`);
    assert.ok(sizes.stylesheet <= 10 * 1024, `${sizes.stylesheet} bytes of style`);
    await page.context().close();
  });

  it("sends whoever is not signed in to the sign-in page, and back", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await page.route("**/v1/session", (route) =>
      route.fulfill({ status: 401, json: { code: 16, message: "sign in" } }),
    );
    await page.goto(`${rapport.address}/clients/16333?filter=phone`);
    await page.waitForURL("**/sign-in?return_to=%2Fclients%2F16333%3Ffilter%3Dphone");
    await page.context().close();
  });

  it("says which roles may see what the caller's may not", async () => {
    const page = await openPage(browser, rapport.address);
    await page.route("**/v1/session", (route) =>
      route.fulfill({
        json: { person_id: "ada", name: "Ada", roles: ["analyst"], access_controlled: true },
      }),
    );
    await show(page, `${rapport.address}/`);
    const told = await page.textContent(".void");
    assert.match(told, /analyst/);
    assert.match(told, /relationship manager/);
    await page.context().close();
  });

  it("says that there is no such screen", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/nothing/here`);
    assert.match(await page.textContent(".void"), /There is no such page/);
    await page.context().close();
  });

  it("finds a client by its name, by keys alone", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/settings`);
    await page.keyboard.press("/");
    await page.keyboard.type("paper harb");
    await page.waitForSelector("dialog.palette [role=option]:has-text('Paper Harbour Gifts')");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/clients/16333");
    await page.context().close();
  });

  it("has all keys behind a question mark, and none of single letters when they are off", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/`);
    await page.waitForSelector("[data-row]");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog.keys-help");
    await page.keyboard.press("Escape");
    await page.evaluate(() =>
      localStorage.setItem("rapport.preferences", JSON.stringify({ locale: "en", singleKeys: false })),
    );
    await show(page, `${rapport.address}/`);
    await page.waitForSelector("[data-row]");
    const current = () => page.getAttribute("[data-row][aria-current=true]", "data-row");
    const first = await current();
    await page.keyboard.press("?");
    await page.keyboard.press("j");
    assert.equal(await page.locator("dialog").count(), 0);
    assert.equal(await current(), first);
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(
      (before) =>
        document.querySelector("[data-row][aria-current=true]")?.getAttribute("data-row") !== before,
      first,
    );
    await page.context().close();
  });
});

describe("each screen", () => {
  for (const locale of locales) {
    for (const theme of themesOf(locale)) {
      it(`in ${locale}, ${theme}: axe finds nothing, and it has a picture`, async () => {
        const page = await openPage(browser, rapport.address, { locale, theme });
        for (const screen of screens) {
          await showScreen(page, screen);
          assert.equal(await page.getAttribute("html", "lang"), locale);
          await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-${theme}.png` });
          assert.deepEqual([screen.name, await findings(page)], [screen.name, []]);
        }
        assert.deepEqual(page.problems, []);
        await page.context().close();
      });
    }
    it(`in ${locale}: nothing has to be moved sideways on 320 pixels`, async () => {
      const page = await openPage(browser, rapport.address, { locale, width: 320, height: 640 });
      for (const screen of screens.filter(({ open }) => !open)) {
        await showScreen(page, screen);
        await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-phone.png` });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= 320, `${screen.name} is ${wide} pixels wide`);
      }
      await page.context().close();
    });
  }
});

describe("freshness", () => {
  it("says with a banner how old the data is, and keeps it", async () => {
    const page = await openPage(browser, rapport.address);
    const old = new Date(Date.now() - 14 * 60_000).toISOString();
    await page.route("**/v1/retention/at-risk?*", async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      for (const partition of body.watermark.partitions) partition.clock = old;
      body.watermark.missing_partitions = [2];
      await route.fulfill({ json: body });
    });
    await show(page, `${rapport.address}/`);
    const told = await page.textContent(".banner");
    assert.match(told, /14 minutes ago/);
    assert.match(told, /Partition 2 of 4 is missing/);
    assert.ok((await page.locator("[data-row]").count()) > 5);
    await page.context().close();
  });

  it("says on every screen since when nothing is heard of changes", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await page.route("**/v1/changes/stream*", (route) => route.abort());
    for (const path of ["/", "/clients", "/clients/16333", "/pipeline", "/commitments", "/people"]) {
      await show(page, rapport.address + path);
      await page.waitForSelector(".fresh.old:has-text('Not live since')");
    }
    await page.unroute("**/v1/changes/stream*");
    await page.waitForSelector(".fresh.old", { state: "detached" });
    await page.context().close();
  });

  it("keeps what it has when the server fails, and tells what failed", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await show(page, `${rapport.address}/`);
    const rows = await page.locator("[data-row]").count();
    await page.route("**/v1/agenda*", (route) =>
      route.fulfill({ status: 500, json: { code: 13, message: "the disk is full" } }),
    );
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.clock.install();
    await page.clock.fastForward(60_000);
    await page.waitForSelector(".banner.bad:has-text('the disk is full')");
    assert.equal(await page.locator("[data-row]").count(), rows);
    await page.context().close();
  });
});

describe("writing", () => {
  async function lastOf(client, kind) {
    const { touchpoints } = await api(`/v1/clients/${client}/timeline?details=true&kind=${kind}&limit=1`);
    return touchpoints[0];
  }

  // The row of the first client at risk has the selection; the strokes that it took.
  async function selectFirstAtRisk(page) {
    await page.waitForSelector('[data-row^="risk."]');
    // Sections are numbered, in the order in which they stand.
    const section = await page.evaluate(() =>
      [...document.querySelectorAll(".list section")].findIndex((one) =>
        one.querySelector('[data-row^="risk."]'),
      ),
    );
    await page.keyboard.press(String(section + 1));
    await page.waitForSelector('[data-row^="risk."][aria-current=true]');
    const strokes = 1;
    const key = await page.getAttribute("[data-row][aria-current=true]", "data-row");
    return { strokes, client: key.replace("risk.", "") };
  }

  it("takes at most 12 strokes from the page to a logged call", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/`);
    const { strokes, client } = await selectFirstAtRisk(page);
    await page.waitForSelector(".panel .acts");
    await page.keyboard.press("c");
    await page.waitForSelector("dialog.sheet");
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await page.keyboard.press("Enter");
    const { position } = await (await answer).json();
    assert.ok(strokes + 2 <= 12, `${strokes + 2} strokes`);
    await api(`/v1/clients/${client}?wait_for=${position}`);
    const call = await lastOf(client, "call_completed");
    assert.equal(call.source, "console");
    assert.equal(call.touchpoint.call_completed.outcome, "CALL_OUTCOME_ANSWERED");
    // The work goes on at the next row, and what was done stands below.
    await page.waitForSelector(`[data-row][aria-current=true]:not([data-row="risk.${client}"])`);
    await page.waitForSelector(".row.done");
    assert.deepEqual(page.problems, []);
    // The same key that the toast shows takes it back.
    const withdrawn = page.waitForResponse((response) => response.url().endsWith("/withdraw"));
    await page.keyboard.press("z");
    assert.equal((await withdrawn).status(), 202);
    await page.waitForSelector(".row.done s");
    await page.context().close();
  });

  it("works on a keyboard with Greek letters", async () => {
    const page = await openPage(browser, rapport.address, { locale: "el" });
    await show(page, `${rapport.address}/clients/16333`);
    await page.waitForSelector(".acts-row");
    // Where the Latin layout has an N, the Greek one has a ν.
    await page.evaluate(() =>
      document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key: "ν", code: "KeyN", bubbles: true, cancelable: true }),
      ),
    );
    await page.waitForSelector("dialog.sheet textarea");
    await page.context().close();
  });

  it("keeps a draft through a reload, and what the server refuses with its reason", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await show(page, `${rapport.address}/clients/16333`);
    await page.keyboard.press("n");
    await page.keyboard.type("asks for the spring range");
    await page.reload();
    await page.waitForSelector(".acts-row");
    await page.keyboard.press("n");
    assert.equal(await page.inputValue("dialog textarea"), "asks for the spring range");
    await page.route("**/v1/clients/16333/touchpoints", (route) =>
      route.fulfill({ status: 404, json: { code: 5, message: "there is no client '16333'" } }),
    );
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".toast:has-text(\"there is no client '16333'\")");
    assert.equal(await page.inputValue("dialog textarea"), "asks for the spring range");
    await page.unroute("**/v1/clients/16333/touchpoints");
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await page.keyboard.press("Control+Enter");
    const { position } = await (await answer).json();
    await api(`/v1/clients/16333?wait_for=${position}`);
    const note = await lastOf("16333", "note_taken");
    assert.equal(note.touchpoint.note_taken.text, "asks for the spring range");
    await page.waitForSelector(".ev-row:has-text('asks for the spring range')");
    await page.context().close();
  });

  it("keeps what cannot be sent, through a reload, and sends it once", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await show(page, `${rapport.address}/clients/18073`);
    await page.route("**/v1/clients/18073/touchpoints", (route) =>
      route.fulfill({
        status: 503,
        headers: { "retry-after": "600" },
        json: { code: 14, message: "the log is away" },
      }),
    );
    await page.keyboard.press("p");
    await page.keyboard.type("a new crate of lanterns");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".banner:has-text('1 not sent')");
    await page.reload();
    await page.waitForSelector(".banner:has-text('1 not sent')");
    await page.unroute("**/v1/clients/18073/touchpoints");
    const answer = page.waitForResponse(
      (response) => response.request().method() === "POST" && response.status() === 202,
    );
    await page.click(".banner .b");
    const { position } = await (await answer).json();
    await page.waitForSelector(".banner:has-text('1 not sent')", { state: "detached" });
    const client = await api(`/v1/clients/18073?wait_for=${position}`);
    const promises = client.commitments.filter(
      ({ statement }) => statement === "a new crate of lanterns",
    );
    assert.equal(promises.length, 1);
    await page.context().close();
  });

  it("acts on an alert, and shows the state of it", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/18073`);
    await page.waitForSelector(".acts-row .b:has-text('Take on')");
    const answer = page.waitForResponse((response) => response.url().endsWith("/acknowledge"));
    await page.keyboard.press("a");
    assert.equal((await answer).status(), 202);
    await page.waitForSelector(".toast:has-text('Took on')");
    await page.context().close();
  });
});

describe("the client", () => {
  it("shows the touchpoint behind a line, and the state of an earlier day", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/18073`);
    await page.click(".ev-row .what >> nth=0");
    await page.waitForSelector(".evidence pre:has-text('event_id')");
    const score = await page.textContent(".chead .v");
    await page.focus("input[type=range]");
    await page.keyboard.press("Home");
    await page.waitForFunction(
      (now) => document.querySelector(".chead .v")?.textContent !== now,
      score,
    );
    assert.match(page.url(), /at=/);
    await page.context().close();
  });

  it("tells day by day what came and went of the risk, by arrow keys", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/16333`);
    await page.focus(".risk-chart [role=slider]");
    const told = new Set();
    for (let i = 0; i < 14; ++i) {
      await page.keyboard.press("ArrowLeft");
      told.add(await page.textContent(".risk-chart .told"));
    }
    assert.ok(told.size > 10);
    assert.ok([...told].some((text) => text.includes("came: ")));
    await page.context().close();
  });
});


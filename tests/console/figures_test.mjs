// Figures, team, forecast and bonus in a browser, against all services with the sample's data: what
// is shown is what the API tells, and each number opens down to the contacts that make it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  findings, locales, openPage, pictures, show, startBrowser, startRapport, themesOf,
} from "./support.mjs";

const month = new Date().toISOString().slice(0, 7);
const year = month.slice(0, 4);

const screens = [
  { name: "figures", path: "/figures?scope=firm&period=year", ready: ".figures-table .name" },
  {
    name: "figures-open",
    path: "/figures?scope=firm&period=year&open=revenue",
    ready: ".figure-panel .parts-list .part",
  },
  {
    name: "figures-touchpoints",
    path: "/figures?scope=owner:anna.keller&period=year&open=revenue&client=*",
    ready: ".figure-panel .behind .part",
  },
  { name: "team", path: "/team?scope=branch:north&period=year", ready: ".team-table [data-row]" },
  { name: "forecast", path: "/forecast?scope=firm", ready: ".forecast-table" },
  {
    name: "bonus",
    path: `/bonus?person=anna.keller&from=${month}-01`,
    ready: ".statement, .void",
  },
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
    from_at: `${year - 2}-01-01T00:00:00Z`,
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
  await api("/v1/staff", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(staff),
  });
});

after(async () => {
  await browser?.close();
  await rapport?.stop();
});

async function showScreen(page, screen) {
  await show(page, rapport.address + screen.path);
  await page.waitForSelector(screen.ready);
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
}

// "£1,234.50" and "−£3.00" of minor units, as the page writes pounds in English.
function pounds(minor) {
  const text = (Math.abs(Number(minor)) / 100).toLocaleString("en-GB", {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  return `${Number(minor) < 0 ? "−" : ""}£${text}`;
}

// The amount; what it was when it was reported is read out before it.
function minorOf(text) {
  const amount = text.split(": ").at(-1);
  const digits = Number(amount.replace(/[^\d]/g, ""));
  return /[−-]/.test(amount) ? -digits : digits;
}

describe("each screen of figures", () => {
  for (const locale of locales) {
    for (const theme of themesOf(locale)) {
      it(`in ${locale}, ${theme}: axe finds nothing, and it has a picture`, async () => {
        const page = await openPage(browser, rapport.address, { locale, theme });
        page.on("response", (response) => {
          if (response.status() >= 400) page.problems.push(`${response.status()} ${response.url()}`);
        });
        for (const screen of screens) {
          await showScreen(page, screen);
          await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-${theme}.png` });
          assert.deepEqual([screen.name, await findings(page)], [screen.name, []]);
        }
        assert.deepEqual(page.problems.filter((one) => !/bonus|404/.test(one)), []);
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

describe("figures", () => {
  it("show every KPI that the server has a figure of, and what it tells of each", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, screens[0]);
    const { kpis } = await api("/v1/kpis");
    const rows = await page.locator(".figures-table .name").count();
    assert.ok(rows >= kpis.length, `${rows} rows of ${kpis.length} KPIs`);
    const { series } = await api(
      `/v1/kpis/values?kpi=revenue&scope=firm&from=${year}-01-01&to=${year}-12-31`,
    );
    const told = await page
      .locator("tr:has([data-row^='revenue.']) td >> nth=0")
      .textContent();
    assert.ok(told.includes(pounds(series[0].total.numerator)), told);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("open from a number to managers, to a client, to contacts, each adding up to it", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, screens[1]);
    const head = minorOf(await page.textContent(".figure-panel .big .v .figure"));
    const rows = async () => {
      const texts = await page
        .locator(".parts-list .part .num, .behind .part .num")
        .allTextContents();
      return texts.map(minorOf);
    };
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    assert.equal(sum(await rows()), head);
    // One manager's part.
    await page.click(".parts-list button.part >> nth=0");
    await page.waitForURL(/part=owner/);
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    await page.waitForSelector(".crumbs button >> nth=1");
    const part = minorOf(await page.textContent(".figure-panel .big .v .figure"));
    assert.ok(part > 0 && part <= head);
    while (await page.locator(".figure-panel .b:has-text('Show more')").count()) {
      const before = await page.locator(".parts-list .part").count();
      await page.click(".figure-panel .b:has-text('Show more')");
      await page.waitForFunction(
        (count) => document.querySelectorAll(".parts-list .part").length > count,
        before,
      );
    }
    assert.equal(sum(await rows()), part);
    // One client of theirs, and its contacts.
    const client = minorOf(await page.textContent(".parts-list .part .num >> nth=0"));
    await page.click(".parts-list button.part >> nth=0");
    await page.waitForSelector(".behind .part");
    const figure = minorOf(await page.textContent(".figure-panel .adds-up .figure"));
    assert.equal(figure, client);
    while (await page.locator(".figure-panel .b:has-text('Show more')").count()) {
      const before = await page.locator(".behind .part").count();
      await page.click(".figure-panel .b:has-text('Show more')");
      await page.waitForFunction(
        (count) => document.querySelectorAll(".behind .part").length > count,
        before,
      );
    }
    assert.equal(sum(await rows()), client);
    // And each of them stands in the client's timeline.
    await page.click(".behind a.part >> nth=0");
    await page.waitForURL(/\/clients\/.+touchpoint=/);
    await page.waitForSelector(".evidence pre:has-text('event_id')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("have the chart's numbers in the table beside it, and steps that add up", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, screens[1]);
    const head = minorOf(await page.textContent(".figure-panel .big .v .figure"));
    const steps = await page.locator("table.steps tbody tr td:nth-child(2)").allTextContents();
    assert.equal(
      steps.map((text) => (/\d/.test(text) ? minorOf(text) : 0)).reduce((a, b) => a + b, 0),
      head,
    );
    assert.equal(await page.locator(".step-chart rect").count() > 0, true);
    await page.context().close();
  });

  it("are walked, opened and closed by keys alone", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, screens[0]);
    await page.keyboard.press("j");
    await page.waitForSelector(".figure-panel");
    await page.keyboard.press("j");
    await page.waitForSelector(".figures-table tr.is-current [aria-current=true]");
    await page.keyboard.press("t");
    await page.waitForURL(/client=/);
    await page.keyboard.press("Escape");
    await page.waitForURL((url) => !url.searchParams.has("client"));
    await page.keyboard.press("Escape");
    await page.waitForSelector(".figure-panel", { state: "detached" });
    await page.keyboard.press("ArrowLeft");
    await page.waitForURL(new RegExp(`from=${year - 1}-01-01`));
    await page.keyboard.press("g");
    assert.equal(await page.evaluate(() => document.activeElement.type), "date");
    await page.context().close();
  });

  it("stand in the URL, and come again as they were", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, screens[0]);
    await page.selectOption(".filters select >> nth=0", "team:a");
    await page.waitForURL(/scope=team%3Aa|scope=team:a/);
    await page.selectOption(".filters select >> nth=1", "quarter");
    await page.waitForURL(/period=quarter/);
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    const told = await page.textContent(".figures-table");
    await page.reload();
    await page.waitForSelector(".figures-table .name");
    await page.waitForFunction((text) => document.querySelector(".figures-table")?.textContent === text, told);
    await page.goBack();
    await page.waitForURL(/period=year/);
    await page.context().close();
  });

  it("tell beside what was reported what is known now", async () => {
    const page = await openPage(browser, rapport.address);
    // In the sample all came in time: a day before anything was known has other figures.
    await show(page, `${rapport.address}/figures?scope=firm&period=year&reported=${year}-03-31`);
    await page.waitForSelector(".figures-table .name");
    const head = await page.locator(".figures-table thead th").allTextContents();
    assert.ok(head.some((text) => /^Reported 31 Mar/.test(text)), head.join("|"));
    assert.ok(head.includes("Known now") && head.includes("Difference"));
    await page.context().close();
  });

  it("are downloaded as CSV", async () => {
    const page = await openPage(browser, rapport.address);
    await showScreen(page, screens[0]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.keyboard.press("y"),
    ]);
    assert.match(download.suggestedFilename(), /^figures-firm-.+\.csv$/);
    await page.context().close();
  });

  it("are none while a part is missing, and say which", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await page.route("**/v1/kpis/values?*", async (route) => {
      const answer = await route.fetch();
      const body = await answer.json();
      body.watermark.missing_partitions = [2];
      await route.fulfill({ json: body });
    });
    await show(page, rapport.address + screens[0].path);
    await page.waitForSelector(".void:has-text('Partition 2')");
    assert.equal(await page.locator(".figures-table").count(), 0);
    await page.unroute("**/v1/kpis/values?*");
    await page.route("**/v1/kpis/values?*", (route) =>
      route.fulfill({ status: 503, json: { code: 14, message: "partition 3 is missing" } }),
    );
    await show(page, rapport.address + screens[0].path);
    await page.waitForSelector(".void:has-text('partition 3 is missing')");
    await page.context().close();
  });

  it("say which roles may see them to whom may not", async () => {
    const page = await openPage(browser, rapport.address);
    await page.route("**/v1/session", (route) =>
      route.fulfill({
        json: { person_id: "ada", name: "Ada", roles: ["operator"], access_controlled: true },
      }),
    );
    await show(page, `${rapport.address}/figures`);
    assert.match(await page.textContent(".void"), /head of department/);
    await page.context().close();
  });

  it("keep what is shown when the server fails, and tell what failed", async () => {
    const page = await openPage(browser, rapport.address, { expectFailedRequests: true });
    await showScreen(page, screens[0]);
    const rows = await page.locator(".figures-table .name").count();
    await page.route("**/v1/kpis/values?*", (route) =>
      route.fulfill({ status: 500, json: { code: 13, message: "the disk is full" } }),
    );
    await page.clock.install();
    await page.clock.fastForward(130_000);
    await page.waitForSelector(".banner.bad:has-text('the disk is full')");
    assert.equal(await page.locator(".figures-table .name").count(), rows);
    await page.context().close();
  });
});

describe("the team", () => {
  it("stands side by side, sorts, and opens each one's figures by keys", async () => {
    const page = await openPage(browser, rapport.address);
    const screen = screens.find(({ name }) => name === "team");
    await showScreen(page, screen);
    await page.click(".team-table thead .sort:has-text('Revenue')");
    await page.waitForSelector("th[aria-sort=descending]:has-text('Revenue')");
    const revenues = async () =>
      (await page.locator(".team-table tbody tr:has([data-row]) td:nth-child(2)").allTextContents())
        .map(minorOf);
    const down = await revenues();
    assert.deepEqual(down, [...down].sort((a, b) => b - a));
    await page.keyboard.press("j");
    await page.waitForSelector(".team-table tr.is-current");
    const name = await page.textContent(".team-table tr.is-current th");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/figures\?scope=owner/);
    await page.waitForSelector(`.head .sub:has-text("${name}")`);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});

describe("the forecast", () => {
  it("is what the server tells, and why it moved adds up", async () => {
    const page = await openPage(browser, rapport.address);
    const screen = screens.find(({ name }) => name === "forecast");
    await showScreen(page, screen);
    const { currencies } = await api("/v1/kpis/forecast?scope=firm");
    const told = await page.textContent(".forecast-table tr.sum td >> nth=0");
    assert.equal(told, pounds(currencies[0].total.weighted));
    const moves = await page.locator(".moves dd").allTextContents();
    if (moves.length > 0) {
      const numbers = moves.map(minorOf);
      const end = numbers.pop();
      assert.equal(numbers.reduce((a, b) => a + b, 0), end);
    }
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});

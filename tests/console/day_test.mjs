// The days of those who work with the console, step by step, by keys alone: each step is at most
// three strokes away from the one before.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPage, show, startBrowser, startRapport } from "./support.mjs";

let rapport;
let browser;

before(async () => {
  [rapport, browser] = await Promise.all([startRapport(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await rapport?.stop();
});

async function api(path) {
  const answer = await fetch(rapport.address + path);
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

// Presses keys, at most three, and waits for what the step is about.
async function step(page, keys, there) {
  assert.ok(keys.length <= 3, `${keys}`);
  for (const key of keys) {
    await page.keyboard.press(key);
    // A sheet, a menu and a screen have to be there before the next key is for them.
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  }
  await page.waitForSelector(there);
}

// Sends the sheet that is open and gives what the server made of it.
async function send(page, client) {
  const answer = page.waitForResponse(
    (response) =>
      response.request().method() === "POST" && response.url().endsWith(`${client}/touchpoints`),
  );
  await page.keyboard.press("Control+Enter");
  const response = await answer;
  assert.equal(response.status(), 202, await response.text());
  await page.waitForSelector("dialog", { state: "detached" });
  const { position } = await response.json();
  return api(`/v1/clients/${client}/timeline?details=true&limit=1&wait_for=${position}`).then(
    ({ touchpoints }) => touchpoints[0],
  );
}

const client = "16333";

describe("a reason", () => {
  it("leads to the touchpoint behind it, however old", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/16333`);
    // Signed ten months ago: not among what the timeline shows first.
    await page.click("a.ev:has-text('Signed contract')");
    await page.waitForURL(/touchpoint=.+until=/);
    await page.waitForSelector(".evidence pre:has-text('contract_signed')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});

describe("from the address", () => {
  it("to a call that is made and an answer that is promised by a day: at most 12 strokes", async () => {
    const page = await openPage(browser, rapport.address);
    await page.goto(rapport.address);
    await page.waitForSelector("[data-row][aria-current=true]");
    let strokes = 0;
    const press = async (key) => {
      strokes += 1;
      await page.keyboard.press(key);
    };
    // The third section is of those who may leave.
    await press("3");
    await page.waitForSelector('[data-row^="risk."][aria-current=true]');
    const row = await page.getAttribute("[data-row][aria-current=true]", "data-row");
    const called = row.replace("risk.", "");
    await page.waitForSelector(".panel .acts");
    await press("c");
    await page.waitForSelector("dialog.sheet");
    await press("Tab");
    // The first letters of a day choose it: the last one that is offered, in a week, is a date.
    const chips = await page.locator("dialog .when .chip").allTextContents();
    const day = chips.at(-2);
    for (const letter of day.slice(0, 3)) await press(letter);
    await page.waitForSelector(`dialog .chip:has(:checked):has-text("${day}")`);
    await press("Enter");
    await page.waitForSelector(".toast:has-text('promised by')");
    assert.ok(strokes <= 12, `${strokes} strokes`);
    await page.waitForFunction(async (id) => {
      const told = await (await fetch(`/v1/clients/${id}`)).json();
      return told.commitments.some((one) => one.statement === "An answer");
    }, called);
    const { touchpoints } = await api(
      `/v1/clients/${called}/timeline?kind=call_completed&kind=commitment_made&limit=2`,
    );
    assert.deepEqual(
      touchpoints.map(({ kind, source }) => `${kind} ${source}`).sort(),
      ["call_completed console", "commitment_made console"],
    );
    // Both are taken back by one key.
    await page.keyboard.press("z");
    await page.waitForFunction(() => document.querySelectorAll(".row.done s").length === 2);
    await page.context().close();
  });
});

describe("the day of a relationship manager", () => {
  it("has each of its steps at most three strokes away", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/settings`);
    await step(page, ["q", "1"], ".today [data-row][aria-current=true]");
    // Who waits, what is due, and whom to call before they call, are the first sections.
    for (const [key, kind] of [["1", "UNANSWERED."], ["2", "PROMISE."], ["3", "risk."]]) {
      await step(page, [key], `[data-row^="${kind}"][aria-current=true]`);
    }
    await step(page, ["Enter"], ".client .acts-row");
    await step(page, ["w"], "dialog.sheet h2:has-text('Plan a meeting')");
    await step(page, ["Escape"], ".client .acts-row");
    await step(page, ["f"], "dialog.sheet h2:has-text('What')");
    await step(page, ["Escape"], ".client .acts-row");
    await step(page, ["p"], "dialog.sheet h2:has-text('Promise')");
    await step(page, ["Escape"], ".client .acts-row");
    await step(page, ["i"], "dialog.sheet h2:has-text('Complaint')");
    await step(page, ["Escape"], ".client .acts-row");
    await step(page, ["q", "6"], ".panel .acts, [data-row]");
    await step(page, ["j", "r"], "dialog.sheet h2:has-text('Complaint settled')");
    await step(page, ["Escape"], "[data-row]");
    await step(page, ["q", "5"], "[data-row]");
    await step(page, ["j", "m"], "dialog.sheet h2:has-text('Move the promise')");
    await step(page, ["Escape"], "[data-row]");
    await step(page, ["q", "4"], "[role=row][aria-rowindex]");
    await step(page, ["j", "r"], "dialog.sheet h2:has-text('How it ended')");
    await step(page, ["Escape"], "[role=row][aria-rowindex]");
    // Whoever is looked for by name is three strokes away, and the name.
    await step(page, ["/"], "dialog.palette");
    await page.keyboard.type("paper harb");
    await step(page, ["Enter"], ".client h1:has-text('Paper Harbour Gifts')");
    await page.context().close();
  });

  it("writes what a meeting brought: who came, needs, objections, competitors, people", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/${client}`);
    await page.waitForSelector(".acts-row");
    await page.keyboard.press("l");
    await page.keyboard.type("quarterly review");
    await page.click("dialog .chip:has-text('Meeting')");
    await page.click("dialog .chip:has-text('Amy Boone')");
    const held = await send(page, client);
    assert.equal(held.kind, "meeting_held");
    assert.deepEqual(held.touchpoint.stakeholder_ids, ["16333-amy-boone"]);
    for (const [chip, kind] of [["Mail", "email_exchanged"], ["Letter", "letter_exchanged"]]) {
      await page.keyboard.press("l");
      await page.keyboard.type("the minutes");
      await page.click(`dialog .chip:has-text('${chip}')`);
      await page.click("dialog .chip:has-text('The client')");
      const written = await send(page, client);
      assert.equal(written.kind, kind);
      assert.equal(written.direction, "DIRECTION_INBOUND");
    }
    for (const [chip, kind] of [["Need", "need_identified"], ["Objection", "objection_raised"]]) {
      await page.keyboard.press("f");
      await page.keyboard.type(`${chip} of the day`);
      await page.click(`dialog .chip:has-text('${chip}')`);
      assert.equal((await send(page, client)).kind, kind);
      await page.waitForSelector(`.right .person:has-text('${chip} of the day')`);
    }
    await page.click(".right .person:has-text('Objection of the day') .b");
    await page.keyboard.type("a smaller first order");
    assert.equal((await send(page, client)).kind, "objection_settled");
    await page.keyboard.press("f");
    await page.click("dialog .chip:has-text('Competitor')");
    await page.fill("dialog .fields > div:last-child input", "Moss & Sons");
    assert.equal((await send(page, client)).kind, "competitor_mentioned");
    await page.click("text=Add a person");
    await page.keyboard.type("Ines Duarte");
    await page.click("dialog .chip:has-text('decision maker')");
    const added = await send(page, client);
    assert.equal(added.kind, "stakeholder_added");
    await page.waitForSelector(".right .person:has-text('Ines Duarte'):has-text('decision maker')");
    await page.click(".right .person:has-text('Ines Duarte') .ib");
    await page.waitForSelector("dialog h2:has-text('Ines Duarte left')");
    assert.equal((await send(page, client)).kind, "stakeholder_left");
    await page.context().close();
  });

  it("plans a meeting, moves it, and holds it", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/${client}`);
    await page.waitForSelector(".acts-row");
    await page.keyboard.press("w");
    await page.keyboard.type("renewal of the frame");
    const planned = await send(page, client);
    assert.equal(planned.kind, "meeting_planned");
    const row = ".right .person:has-text('renewal of the frame')";
    await page.click(`${row} .b:has-text('Move')`);
    await page.keyboard.type("their fair");
    await page.focus("dialog .when input");
    await page.keyboard.press("ArrowRight");
    const moved = await send(page, client);
    assert.equal(moved.kind, "meeting_moved");
    assert.equal(moved.touchpoint.meeting_moved.by_client, true);
    await page.click(`${row} .b:has-text('Held')`);
    assert.equal(await page.inputValue("dialog input"), "renewal of the frame");
    const held = await send(page, client);
    assert.equal(held.kind, "meeting_held");
    assert.equal(
      held.touchpoint.meeting_held.meeting_id,
      planned.touchpoint.meeting_planned.meeting_id,
    );
    await page.waitForSelector(row, { state: "detached" });
    await page.context().close();
  });
});

describe("the day of a key-account manager", () => {
  it("has each of its steps at most three strokes away", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/`);
    // Three to ten accounts, those not met for long first; who decides there; the next review.
    await step(page, ["q", "2", "e"], ".clients .tag");
    await step(page, ["o"], ".clients [aria-sort] :text('Last')");
    await page.waitForURL("**/clients?*key=1*");
    await step(page, ["j", "Enter"], ".client .acts-row");
    await step(page, ["w"], "dialog.sheet h2:has-text('Plan a meeting')");
    await step(page, ["Escape"], ".client .acts-row");
    await step(page, ["n"], "dialog.sheet textarea");
    await page.context().close();
  });
});

describe("the day of a head of department", () => {
  it("has each of its steps at most three strokes away", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/`);
    // Where the funnel stops, the claims, clients in danger, whose clients they are.
    await step(page, ["q", "3"], ".pipeline [data-deal], .pipeline .card");
    await step(page, ["q", "6"], "[data-row]");
    await step(page, ["q", "4"], "[role=row][aria-rowindex]");
    await step(page, ["q", "2"], "[role=row] a");
    await step(page, ["j", "x", "h"], "dialog.sheet h2:has-text('Hand over')");
    await step(page, ["Escape"], "[role=row] a");
    // Plan and fact, who works how, what will come, the system.
    await step(page, ["q", "7"], "h1:has-text('Figures')");
    await step(page, ["q", "8"], "h1:has-text('Team')");
    await step(page, ["q", "9"], "h1:has-text('Forecast')");
    await step(page, ["q", "d"], "h1:has-text('Operations')");
    await page.context().close();
  });
});

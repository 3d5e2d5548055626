// What people type and paste, and what they do in the middle of it: nothing is lost, nothing is run,
// and what cannot be is said in a sentence.
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

const client = "16333";
const hostile = `<script>window.ran = 1</script><img src=x onerror="window.ran = 1">`;

async function post(events) {
  const answer = await fetch(`${rapport.address}/v1/clients/${client}/touchpoints`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents-batch+json" },
    body: JSON.stringify(
      events.map(([type, field, payload], index) => ({
        specversion: "1.0", id: `${type}/${index}/${Date.now()}`, source: "console",
        type: `rapport.touchpoint.v1.${type}`, subject: client, time: new Date().toISOString(),
        data: { direction: "DIRECTION_INTERNAL", [field]: payload },
      })),
    ),
  });
  assert.equal(answer.status, 202, await answer.text());
}

async function openNote(page) {
  await show(page, `${rapport.address}/clients/${client}`);
  await page.waitForSelector(".acts-row");
  await page.keyboard.press("n");
  await page.waitForSelector("dialog.sheet textarea");
}

// As a paste does it: all of it in one input event.
async function paste(page, text) {
  await page.evaluate((pasted) => {
    const field = document.querySelector("dialog textarea");
    const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
    set.call(field, pasted);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, text);
}

async function save(page) {
  const answer = page.waitForResponse((response) => response.request().method() === "POST");
  await page.keyboard.press("Control+Enter");
  return answer;
}

describe("what is typed", () => {
  it("is shown as it is: tags are text, emoji and right-to-left text keep to their place", async () => {
    const page = await openPage(browser, rapport.address);
    await openNote(page);
    const text = `${hostile} 👩‍👩‍👧‍👦🇬🇷 שלום \u202Egnp.exe مرحبا`;
    await paste(page, text);
    assert.equal((await save(page)).status(), 202);
    await page.waitForSelector(".ev-row .what:has-text('window.ran')");
    const shown = await page.textContent(".ev-row .what >> nth=0");
    assert.ok(shown.includes(text), shown);
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("runs nowhere, were it a name", async () => {
    const name = `Aa ${hostile} \u202Egnp.exe`;
    await post([
      ["ClientDetailsChanged", "client_details_changed", { details: { name } }],
      ["StakeholderAdded", "stakeholder_added", { stakeholder: { stakeholder_id: "x", name } }],
    ]);
    const page = await openPage(browser, rapport.address);
    for (const path of ["/", "/clients", `/clients/${client}`, "/alerts", "/pipeline"]) {
      await show(page, rapport.address + path);
    }
    await show(page, `${rapport.address}/clients?q=aa`);
    const cell = page.locator("[role=row] a:has-text('window.ran')");
    await cell.waitFor();
    // What turns the direction of a name does not turn that of its row.
    assert.equal(
      await cell.evaluate((element) => getComputedStyle(element).unicodeBidi),
      "isolate",
    );
    await page.keyboard.press("/");
    await page.keyboard.type("window");
    await page.waitForSelector("dialog [role=option]:has-text('window.ran')");
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("may be a note of many lines, of which the timeline shows the first until it is opened", async () => {
    const page = await openPage(browser, rapport.address);
    await openNote(page);
    await paste(page, "a line of it\n".repeat(5000));
    assert.equal((await save(page)).status(), 202);
    const row = page.locator(".ev-row:has-text('a line of it') >> nth=0");
    await row.waitFor();
    const height = () => row.evaluate((element) => element.getBoundingClientRect().height);
    assert.ok((await height()) < 200);
    await row.locator(".what").click();
    await page.waitForSelector(".ev-row .evidence");
    await page.context().close();
  });

  it("stays, however long it is, with how much of it is too much", async () => {
    const page = await openPage(browser, rapport.address);
    await openNote(page);
    const novel = "It was a dark and stormy night. 🌩\n".repeat(10_000);
    await paste(page, novel);
    await page.waitForSelector("dialog .hint.bad:has-text('too long')");
    let sent = 0;
    page.on("request", (request) => {
      if (request.method() === "POST") sent += 1;
    });
    await page.keyboard.press("Control+Enter");
    assert.equal(await page.inputValue("dialog textarea"), novel);
    assert.equal(sent, 0);
    await page.keyboard.press("Escape");
    await page.reload();
    await openNote(page);
    assert.equal(await page.inputValue("dialog textarea"), novel);
    await page.fill("dialog textarea", "It was night.");
    assert.equal((await save(page)).status(), 202);
    await page.context().close();
  });

  it("is mended where half of a character was cut off", async () => {
    const page = await openPage(browser, rapport.address);
    await openNote(page);
    await paste(page, "half a \ud83c");
    assert.equal((await save(page)).status(), 202);
    await page.waitForSelector(".ev-row:has-text('half a \ufffd')");
    await page.context().close();
  });

  it("cannot be a day before 1970, nor a year of two digits", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients/${client}`);
    await page.waitForSelector(".acts-row");
    await page.keyboard.press("l");
    for (const when of ["1969-12-31T12:00", "0026-11-30T12:00"]) {
      await page.fill("dialog .pair input[type=datetime-local]", when);
      await page.click("dialog button[type=submit]");
      await page.waitForSelector("dialog .hint.bad:has-text('1970')");
    }
    await show(page, `${rapport.address}/clients/${client}?until=1969-12-31`);
    await page.waitForSelector(".void");
    await show(page, `${rapport.address}/clients/${client}?until=nonsense`);
    await page.waitForSelector(".ev-row");
    await page.context().close();
  });
});

describe("in the middle of a sheet", () => {
  it("the back button goes back, and what was typed stays", async () => {
    const page = await openPage(browser, rapport.address);
    await show(page, `${rapport.address}/clients`);
    await page.waitForSelector("[role=row] a");
    await openNote(page);
    await page.keyboard.type("half a thought");
    await page.goBack();
    await page.waitForURL("**/clients");
    await page.waitForSelector("[role=row] a");
    assert.equal(await page.locator("dialog").count(), 0);
    await page.goForward();
    await page.waitForSelector(".acts-row");
    await page.keyboard.press("n");
    await page.waitForFunction(
      () => document.querySelector("dialog textarea")?.value === "half a thought",
    );
    await page.context().close();
  });
});

describe("two tabs of one person", () => {
  it("send what waits once, and both know it", async () => {
    const first = await openPage(browser, rapport.address, { expectFailedRequests: true });
    const second = await first.context().newPage();
    second.setDefaultTimeout(120_000);
    const away = (route) => route.fulfill({ status: 503, json: { code: 14, message: "away" } });
    await first.context().route("**/v1/clients/*/touchpoints", away);
    await openNote(first);
    await first.keyboard.type("written once, of two tabs");
    await first.keyboard.press("Control+Enter");
    await first.waitForSelector(".banner:has-text('1 not sent')");
    await show(second, `${rapport.address}/clients/${client}`);
    await second.waitForSelector(".banner:has-text('1 not sent')");
    await first.context().unroute("**/v1/clients/*/touchpoints", away);
    // At once, in both: the one that is not in front draws nothing meanwhile.
    const press = (page) => page.evaluate(() => document.querySelector(".banner .b")?.click());
    await Promise.all([press(first), press(second)]);
    for (const page of [first, second]) {
      await page.bringToFront();
      await page.waitForSelector(".banner:has-text('1 not sent')", { state: "detached" });
      await page.waitForSelector(".ev-row:has-text('written once, of two tabs')");
    }
    const answer = await fetch(
      `${rapport.address}/v1/clients/${client}/timeline?kind=note_taken&q=written+once&limit=10`,
    );
    assert.equal((await answer.json()).touchpoints.length, 1);
    await first.context().close();
  });
});

// The pipeline in a browser: deals that are moved by mouse, keys, menu and finger, by two people at
// once, and what is asked before one is won or lost. RAPPORT_CONSOLE_URL names a server that is
// there already; without it one is started.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  findings, locales, openPage, pictures, show, startBrowser, startRapport, themesOf,
} from "./support.mjs";

const given = process.env.RAPPORT_CONSOLE_URL;
let rapport;
let browser;
let address;

before(async () => {
  [rapport, browser] = await Promise.all([given ? null : startRapport(), startBrowser()]);
  address = given ?? rapport.address;
});

after(async () => {
  await browser?.close();
  await rapport?.stop();
});

async function api(path, options) {
  const answer = await fetch(address + path, options);
  assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok ? "" : await answer.text()}`);
  return answer.json();
}

async function stageOf(deal) {
  return (await api(`/v1/deals/${deal}`)).summary.stage;
}

let written = 0;

/** What another person writes, and the folds have, so that the page can meet it. */
async function write(client, kind, payload) {
  written += 1;
  const field = kind.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  const { position } = await api(`/v1/clients/${client}/touchpoints`, {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify({
      specversion: "1.0",
      id: `pipeline-test-${process.pid}-${written}`,
      source: "console",
      type: `rapport.touchpoint.v1.${kind}`,
      subject: client,
      time: new Date().toISOString(),
      data: { agent_id: "anna.keller", direction: "DIRECTION_INTERNAL", [field]: payload },
    }),
  });
  await api(`/v1/clients/${client}?wait_for=${position}`);
  await api(`/v1/pipeline/board?limit=0&wait_for=${position}`);
}

let opened = 0;

/** A deal of its own for each test, in the stage CONTACTED. */
async function newDeal(title, stage = "DEAL_STAGE_CONTACTED") {
  opened += 1;
  const deal = `test-${process.pid}-${opened}`;
  await write("13983", "DealOpened", {
    deal_id: deal,
    title,
    stage,
    amount: { minor_units: "100000", currency_code: "GBP" },
    expected_close_at: "2030-03-15T12:00:00Z",
  });
  return deal;
}

function card(page, deal) {
  return page.locator(`.board .card[data-deal="${deal}"]`);
}

function lane(page, stage) {
  return page.locator(`.board .lane[data-stage="${stage}"]`);
}

// Large enough that nothing has to be scrolled between taking a card and letting it go.
const large = { width: 2200, height: 2400 };

async function openBoard(options = {}, query = "") {
  const page = await openPage(browser, address, { ...large, ...options });
  await show(page, `${address}/pipeline${query}`);
  await page.waitForSelector(".board .card:visible");
  return page;
}

/** Waits for the answer to the page's next write. */
function nextWrite(page) {
  return page.waitForResponse((response) => response.request().method() === "POST");
}

async function inStage(page, deal, stage) {
  await page.waitForSelector(`.lane[data-stage="${stage}"] .card[data-deal="${deal}"]`);
}

describe("the board", () => {
  it("moves a card by mouse, at once, reads no card again but its own, and takes it back", async () => {
    const deal = await newDeal("Moved by mouse");
    const page = await openBoard();
    const boards = [];
    page.on("request", (request) => {
      if (request.url().includes("/v1/pipeline/board")) boards.push(request.url());
    });
    const count = () => lane(page, "PRESENTED").locator("header .sums .num").first().textContent();
    const before = Number(await count());
    const answer = nextWrite(page);
    await card(page, deal).dragTo(lane(page, "PRESENTED"));
    await inStage(page, deal, "PRESENTED");
    assert.equal((await answer).status(), 202);
    const sent = (await answer).request().postDataJSON();
    assert.equal(sent.data.deal_stage_changed.from_stage, "DEAL_STAGE_CONTACTED");
    // The count is the server's, and comes by itself.
    await page.waitForFunction(
      (wanted) =>
        document.querySelector('.lane[data-stage="PRESENTED"] header .num')?.textContent === wanted,
      String(before + 1),
    );
    assert.ok(boards.every((url) => url.includes("limit=0")), boards.join(" "));
    const withdrawn = page.waitForResponse((response) => response.url().endsWith("/withdraw"));
    await page.keyboard.press("z");
    assert.equal((await withdrawn).status(), 202);
    await inStage(page, deal, "CONTACTED");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("moves a card by keys: Enter on its grip, Tab to the column, Enter", async () => {
    const deal = await newDeal("Moved by keys");
    const page = await openBoard();
    await card(page, deal).locator("a").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".drag-hint");
    for (let i = 0; i < 12; ++i) {
      if (await page.locator('.lane.over[data-stage="NEGOTIATION"]').count()) break;
      await page.keyboard.press("Tab");
    }
    const answer = nextWrite(page);
    await page.keyboard.press("Enter");
    assert.equal((await answer).status(), 202);
    await inStage(page, deal, "NEGOTIATION");
    // The focus goes with it.
    await page.waitForFunction(
      (id) => document.activeElement?.closest(".card")?.dataset.deal === id,
      deal,
    );
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("lets go of a card by Esc, and nothing is written", async () => {
    const deal = await newDeal("Let go");
    const page = await openBoard();
    await card(page, deal).locator("a").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".drag-hint", { state: "detached" });
    await inStage(page, deal, "CONTACTED");
    assert.equal(await stageOf(deal), "DEAL_STAGE_CONTACTED");
    await page.context().close();
  });

  it("moves a card by the menu, which is M", async () => {
    const deal = await newDeal("Moved by menu");
    const page = await openBoard();
    await card(page, deal).locator("a").focus();
    await page.keyboard.press("m");
    await page.waitForSelector("[role=menu]");
    assert.deepEqual(await findings(page), []);
    const answer = nextWrite(page);
    await page.click("[role=menuitem]:has-text('Needs known')");
    assert.equal((await answer).status(), 202);
    await inStage(page, deal, "NEEDS_IDENTIFIED");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("takes a card that a finger has held, and lets a quick one scroll", async () => {
    const deal = await newDeal("Moved by finger");
    const page = await openBoard({ context: { hasTouch: true } });
    const touch = await page.context().newCDPSession(page);
    const send = (type, x, y) =>
      touch.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: type === "touchEnd" ? [] : [{ x, y }],
      });
    await card(page, deal).scrollIntoViewIfNeeded();
    const box = await card(page, deal).boundingBox();
    const to = await lane(page, "MEETING_SET").boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await send("touchStart", x, y);
    await send("touchMove", x, y - 40);
    await send("touchEnd");
    assert.equal(await page.locator(".card.in-hand").count(), 0);
    const again = await card(page, deal).boundingBox();
    const [startX, startY] = [again.x + again.width / 2, again.y + again.height / 2];
    await send("touchStart", startX, startY);
    await page.waitForSelector(".card.in-hand");
    await send("touchMove", startX + 30, startY);
    await send("touchMove", to.x + 60, startY);
    await page.waitForSelector('.lane.over[data-stage="MEETING_SET"]');
    const answer = nextWrite(page);
    await send("touchEnd");
    assert.equal((await answer).status(), 202);
    await inStage(page, deal, "MEETING_SET");
    await page.context().close();
  });

  it("puts a card where somebody else has moved it meanwhile, and says so", async () => {
    const deal = await newDeal("Moved by two");
    const page = await openPage(browser, address, { ...large, expectFailedRequests: true });
    // The page does not hear of it before it moves the card itself.
    await page.route("**/v1/changes/stream*", (route) => route.abort());
    await show(page, `${address}/pipeline`);
    await page.waitForSelector(`.card[data-deal="${deal}"]:visible`);
    await write("13983", "DealStageChanged", { deal_id: deal, to_stage: "DEAL_STAGE_OBJECTIONS" });
    const answer = nextWrite(page);
    await card(page, deal).dragTo(lane(page, "PRESENTED"));
    assert.equal((await answer).status(), 409);
    await page.waitForSelector(".toast:has-text('Somebody has moved Moved by two')");
    await inStage(page, deal, "OBJECTIONS");
    assert.equal(await stageOf(deal), "DEAL_STAGE_OBJECTIONS");
    await page.context().close();
  });

  it("puts a card back that the server does not take, with the reason", async () => {
    const deal = await newDeal("Refused");
    const page = await openBoard({ expectFailedRequests: true });
    await page.route("**/v1/clients/*/touchpoints", (route) =>
      route.fulfill({ status: 403, json: { code: 7, message: "not your client" } }),
    );
    await card(page, deal).dragTo(lane(page, "PRESENTED"));
    await page.waitForSelector(".toast:has-text('not your client')");
    await inStage(page, deal, "CONTACTED");
    await page.context().close();
  });

  it("keeps a move that cannot be sent, marks the card, and sends it once", async () => {
    const deal = await newDeal("Kept here");
    const page = await openBoard({ expectFailedRequests: true });
    await page.route("**/v1/clients/*/touchpoints", (route) =>
      route.fulfill({ status: 503, headers: { "retry-after": "600" }, json: { code: 14, message: "away" } }),
    );
    await card(page, deal).dragTo(lane(page, "PRESENTED"));
    await page.waitForSelector(`.lane[data-stage="PRESENTED"] .card[data-deal="${deal}"]:has-text("not sent")`);
    await page.unroute("**/v1/clients/*/touchpoints");
    const answer = page.waitForResponse((response) => response.request().method() === "POST");
    await page.click(".banner .b");
    assert.equal((await answer).status(), 202);
    await page.waitForSelector(`.card[data-deal="${deal}"]:has-text("not sent")`, { state: "detached" });
    await inStage(page, deal, "PRESENTED");
    await page.context().close();
  });

  it("asks what a won deal is worth before anything is written", async () => {
    const deal = await newDeal("To be won");
    const page = await openBoard();
    await card(page, deal).dragTo(lane(page, "WON"));
    await page.waitForSelector("dialog.sheet");
    assert.deepEqual(await findings(page), []);
    await page.keyboard.press("Escape");
    await inStage(page, deal, "CONTACTED");
    assert.equal(await stageOf(deal), "DEAL_STAGE_CONTACTED");
    await card(page, deal).dragTo(lane(page, "WON"));
    await page.fill("dialog input >> nth=0", "1,234.50");
    const answer = nextWrite(page);
    await page.keyboard.press("Enter");
    assert.equal((await answer).status(), 202);
    const { position } = await (await answer).json();
    const told = await api(`/v1/deals/${deal}?wait_for=${position}`);
    assert.equal(told.summary.stage, "DEAL_STAGE_WON");
    assert.equal(told.summary.amount.minor_units, "123450");
    await page.context().close();
  });

  it("wants a reason for a lost deal", async () => {
    const deal = await newDeal("To be lost");
    const page = await openBoard();
    await card(page, deal).dragTo(lane(page, "LOST"));
    await page.waitForSelector("dialog.sheet");
    await page.click("dialog footer .main-act");
    await page.waitForSelector("dialog [role=alert]");
    await page.click("dialog .chip:has-text('price')");
    const answer = nextWrite(page);
    await page.click("dialog footer .main-act");
    const { position } = await (await answer).json();
    const told = await api(`/v1/deals/${deal}?wait_for=${position}`);
    assert.equal(told.loss_reason, "DEAL_LOSS_REASON_PRICE");
    await page.context().close();
  });

  it("says what a filter hides, and takes cards in a stage that is hidden", async () => {
    const deal = await newDeal("Of March");
    const page = await openBoard({}, "?closing=2030-03");
    await page.waitForSelector('.lane[data-stage="MEETING_SET"]:has-text("The filter hides")');
    const answer = nextWrite(page);
    await card(page, deal).dragTo(lane(page, "MEETING_SET"));
    assert.equal((await answer).status(), 202);
    await inStage(page, deal, "MEETING_SET");
    await page.click('.lane[data-stage="MEETING_SET"] button:has-text("Show all")');
    await page.waitForURL((url) => !url.search.includes("closing"));
    await page.context().close();
  });

  it("has the open deal in the address, and closes it by Esc", async () => {
    const deal = await newDeal("Opened");
    const page = await openBoard();
    await card(page, deal).locator("a").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.searchParams.get("deal") === deal);
    await page.waitForSelector(".deal-panel h2:has-text('Opened')");
    await page.keyboard.press("t");
    await page.keyboard.type("Send the price list");
    const answer = nextWrite(page);
    await page.keyboard.press("Enter");
    assert.equal((await answer).status(), 202);
    await page.waitForSelector(".deal-panel .next:has-text('Send the price list')");
    await page.waitForSelector(`.card[data-deal="${deal}"]:has-text('Send the price list')`);
    await page.keyboard.press("Escape");
    await page.waitForSelector(".deal-panel", { state: "detached" });
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("opens a new deal of a client that is picked", async () => {
    const page = await openBoard();
    await page.keyboard.press("n");
    await page.waitForSelector("dialog.sheet");
    await page.keyboard.type("little bird");
    await page.waitForSelector("dialog [role=option]:has-text('Little Bird Gifts')");
    await page.keyboard.press("Enter");
    await page.fill("dialog input[type=text] >> nth=1", "Summer range");
    const answer = nextWrite(page);
    await page.click("dialog footer .main-act");
    assert.equal((await answer).status(), 202);
    await page.waitForSelector(".deal-panel h2:has-text('Summer range')");
    await page.waitForSelector('.lane[data-stage="LEAD"] .card:has-text("Summer range")');
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("shows one column at a time on a phone, which is picked by its name", async () => {
    const page = await openBoard({ width: 390, height: 844, context: { hasTouch: true } });
    assert.equal(await page.locator(".board .lane:visible").count(), 1);
    await page.click(".stage-picker button:has-text('Negotiation')");
    await page.waitForURL((url) => url.searchParams.get("stage") === "NEGOTIATION");
    await page.waitForSelector('.lane[data-stage="NEGOTIATION"] .card:visible');
    await page.context().close();
  });
});

describe("the list", () => {
  it("is sorted by each column, and moves the deal that is selected", async () => {
    const deal = await newDeal("Aardvark");
    const page = await openPage(browser, address);
    await show(page, `${address}/pipeline/list?sort=deal`);
    await page.waitForSelector(".deals .row:has-text('Aardvark')");
    const first = () => page.locator(".deals .row .r-deal").first().textContent();
    assert.equal(await first(), "Aardvark");
    await page.keyboard.press("j");
    await page.waitForSelector(".deal-panel h2:has-text('Aardvark')");
    await page.keyboard.press("m");
    const answer = nextWrite(page);
    await page.click("[role=menuitem]:has-text('Presented')");
    assert.equal((await answer).status(), 202);
    await page.waitForSelector(".deals .row:has-text('Aardvark'):has-text('Presented')");
    await page.click("[role=columnheader] button:has-text('Deal')");
    await page.waitForFunction(
      () => document.querySelector(".deals .row .r-deal")?.textContent !== "Aardvark",
    );
    assert.equal(deal.length > 0, true);
    await page.context().close();
  });
});

describe("a list that is long", () => {
  it("is read page by page, in the server's order, until its end", async () => {
    const page = await openPage(browser, address);
    let pages = 0;
    await page.route("**/v1/pipeline/deals?*", (route) => {
      pages += 1;
      const url = new URL(route.request().url());
      url.searchParams.set("limit", "7");
      return route.continue({ url: url.href });
    });
    await show(page, `${address}/pipeline/list?sort=-amount`);
    const answer = await fetch(
      `${address}/v1/pipeline/deals?limit=1&${["lead", "contacted", "meeting_set",
        "needs_identified", "presented", "objections", "negotiation"]
        .map((stage) => `stage=${stage}`).join("&")}`,
    );
    const { count } = await answer.json();
    await page.waitForFunction(
      (all) => {
        const list = document.querySelector(".list.virtual");
        list.scrollTop = list.scrollHeight;
        return list.getAttribute("aria-rowcount") === all;
      },
      count,
    );
    assert.ok(pages >= Math.ceil(Number(count) / 7), `${pages} pages of ${count} deals`);
    await page.context().close();
  });

  it("is changed in bulk, and each deal has its own undo", async () => {
    const page = await openPage(browser, address);
    const names = ["Bulk one", "Bulk two"];
    for (const name of names) await newDeal(name);
    await show(page, `${address}/pipeline/list?sort=deal`);
    for (const name of names) {
      await page.click(`.deals .row:has-text('${name}') input[type=checkbox]`);
    }
    await page.waitForSelector(".list-foot.chosen:has-text('2 deals selected')");
    await page.keyboard.press("m");
    await page.waitForSelector("dialog h2:has-text('Move 2 deals')");
    await page.click("dialog .chip:has-text('Negotiation')");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".toast:has-text('2 deals changed')");
    for (const name of names) {
      await page.waitForSelector(`.deals .row:has-text('${name}'):has-text('Negotiation')`);
    }
    await page.context().close();
  });
});

describe("each screen", () => {
  const screens = [
    { name: "pipeline", path: "/pipeline" },
    { name: "pipeline-deal", path: "/pipeline?deal=13983-deal" },
    { name: "pipeline-list", path: "/pipeline/list" },
  ];
  for (const locale of locales) {
    for (const theme of themesOf(locale)) {
      it(`in ${locale}, ${theme}: axe finds nothing, and it has a picture`, async () => {
        const page = await openPage(browser, address, { locale, theme });
        for (const screen of screens) {
          await show(page, address + screen.path);
          await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-${theme}.png` });
          assert.deepEqual([screen.name, await findings(page)], [screen.name, []]);
        }
        assert.deepEqual(page.problems, []);
        await page.context().close();
      });
    }
    it(`in ${locale}: nothing has to be moved sideways on 320 pixels`, async () => {
      const page = await openPage(browser, address, { locale, width: 320, height: 640 });
      for (const screen of screens) {
        await show(page, address + screen.path);
        await page.screenshot({ path: `${pictures}/${screen.name}-${locale}-phone.png` });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= 320, `${screen.name} is ${wide} pixels wide`);
      }
      await page.context().close();
    });
  }
});

// The operators' screens in a browser: sources, operations, tokens, the audit, settings, and a
// session that ends while somebody writes.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  findings, locales, openPage, pictures, show, startBrowser, startRapport, themes,
} from "./support.mjs";

const password = "correct horse battery";
const people = `person,name,e_mail,unit,lead,roles,deputy,absent_from,absent_to,parent,kind
,North,,north,,,,,,,branch
ben.okafor,Ben Okafor,ben@firm.example,north,,relationship_manager,,,,,
dora.nord,Dora Nord,dora@firm.example,north,yes,director auditor administrator,,,,,
piotr.adamski,Piotr Adamski,piotr@firm.example,north,,operator,,,,,
ines.ruiz,Ines Ruiz,ines@firm.example,north,,integrator,,,,,
`;

// A mailbox that is delivered to, a file with rows that cannot be used, and a server that is not
// there.
function prepare(data) {
  const mail = join(data, "mail");
  for (const folder of ["new", "cur", "tmp"]) mkdirSync(join(mail, folder), { recursive: true });
  for (let index = 0; index < 3; index += 1) {
    writeFileSync(
      join(mail, "new", `1700000000.M${index}.host`),
      `From: Ben <ben@firm.example>\nTo: Anna <anna@firm.example>\nSubject: Lunch ${index}\n` +
        `Date: Mon, 30 Nov 2026 09:30:0${index} +0100\nMessage-ID: <lunch${index}@firm.example>\n\nAt one?\n`,
    );
  }
  writeFileSync(join(data, "contacts.ndjson"), '{"broken\n');
  writeFileSync(join(data, "secret"), "secret", { mode: 0o600 });
  const config = join(data, "up.textproto");
  writeFileSync(
    config,
    `sources {
       identity { own_domains: "firm.example" }
       sources { name: "info" maildir { path: "${mail}" interval_ms: 100 } }
       sources { name: "connect" amazon_connect { path: "${join(data, "contacts.ndjson")}" } }
       sources { name: "support" imap { address: "127.0.0.1:1" security: "plain" username: "support"
                                        secret_file: "${join(data, "secret")}" } }
     }\n`,
  );
  writeFileSync(join(data, "staff.csv"), people);
  dataFolder = data;
  return ["--config", config];
}

let dataFolder;
let open;
let controlled;
let browser;
const cookies = {};

async function choosePassword(person) {
  const [, invitation] = /#invitation=(\S+)/.exec(controlled.run("staff", "invite", person));
  const answer = await fetch(`${controlled.address}/v1/invitations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ invitation, password }),
  });
  assert.equal(answer.status, 204);
  const [name, value] = answer.headers.getSetCookie()[0].split(";")[0].split(/=(.*)/);
  cookies[person] = [{ name, value, url: controlled.address, httpOnly: true }];
}

// A page of one of our people, or of anybody where nobody is asked.
async function pageOf(person, options = {}) {
  const address = person ? controlled.address : open.address;
  const page = await openPage(browser, address, options);
  if (person) await page.context().addCookies(cookies[person]);
  return { page, go: (path) => show(page, address + path) };
}

function fulfil(page, url, json, status = 200) {
  return page.route(url, (route) => route.fulfill({ status, json }));
}

before(async () => {
  browser = await startBrowser();
  controlled = await startRapport({ prepare });
  controlled.run("staff", "import", join(dataFolder, "staff.csv"));
  for (const person of ["ben.okafor", "dora.nord", "piotr.adamski", "ines.ruiz"]) {
    await choosePassword(person);
  }
  open = await startRapport({ prepare });
});

after(async () => {
  await browser?.close();
  await open?.stop();
  await controlled?.stop();
});

describe("sources", () => {
  it("account for everything that came in, and say why it was skipped", async () => {
    const { page, go } = await pageOf();
    await go("/sources");
    await page.waitForSelector("tr:has-text('info') td:has-text('3')");
    await page.click("[data-row='s.info']");
    await page.waitForSelector(".panel:has-text('it stayed among ourselves')");
    const numbers = await page.$$eval(".panel .equation dd", (all) =>
      all.map((one) => Number(one.textContent)),
    );
    assert.equal(numbers[0], 3);
    assert.equal(numbers.slice(1).reduce((a, b) => a + b), numbers[0]);
    await page.click(".panel summary");
    await page.waitForSelector(".panel li:has-text('Lunch 2')");
    assert.match(page.url(), /open=s\.info/);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("say what cannot be read, and what must be missing", async () => {
    const { page, go } = await pageOf();
    await page.route("**/v1/sources", async (route) => {
      const json = await (await route.fetch()).json();
      Object.assign(json.sources.find((source) => source.name === "info"), {
        gaps: [
          { description: "UIDs 7 to 9 of INBOX", missing: "3", noticed_at: new Date().toISOString() },
        ],
        late: "1",
      });
      await route.fulfill({ json });
    });
    await go("/sources?open=s.support");
    await page.waitForSelector(".panel:has-text('cannot connect to the mail server')");
    await page.click("[data-row='s.info']");
    await page.waitForSelector(".panel:has-text('UIDs 7 to 9 of INBOX'):has-text('3 are missing')");
    // One more than was received is accounted for: that is told, too.
    await page.waitForSelector(".panel:has-text('It does not add up')");
    await page.context().close();
  });

  it("have what was rejected mended and taken, by keys alone", async () => {
    const refused = await fetch(`${open.address}/v1/touchpoints`, {
      method: "POST",
      headers: { "content-type": "application/cloudevents+json" },
      body: JSON.stringify({
        specversion: "1.0", id: "order/1", source: "shop", subject: "16333",
        type: "rapport.touchpoint.v1.OrderPlaced", time: "2026-11-20T10:00:00Z",
        data: { order_id: "mended-1", amount: { minor_units: 1250, currency_code: "EURO" } },
      }),
    });
    assert.equal(refused.status, 400);
    const { page, go } = await pageOf(null, { expectFailedRequests: true });
    await go("/sources");
    await page.waitForSelector(".rejected-row:has-text('EURO')");
    const rows = await page.$$eval("[data-row]", (all) => all.map((one) => one.dataset.row));
    const place = await page.$eval(".rejected-row:has-text('EURO') [data-row]", (one) => one.dataset.row);
    for (let index = 0; index <= rows.indexOf(place); index += 1) await page.keyboard.press("j");
    await page.waitForSelector(".panel:has-text('is not an ISO 4217 code')");
    await page.keyboard.press("e");
    const field = page.locator("dialog textarea");
    await field.waitFor();
    const text = await field.inputValue();
    // What is typed stays: first it is wrong, then the page is left and opened again.
    await field.fill("{");
    await page.waitForSelector("dialog:has-text('This is no object in JSON yet')");
    await field.fill(text.replace("EURO", "EURX"));
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector("dialog [role=alert]:has-text('EURX')");
    await page.reload();
    await page.waitForSelector(".panel");
    await page.keyboard.press("e");
    assert.match(await field.inputValue(), /EURX/);
    await field.fill(text.replace("EURO", "EUR"));
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".toast:has-text('Taken up at')");
    await page.waitForSelector(".rejected-row.done:has-text('taken up at')");
    await page.context().close();
  });

  it("do not offer to retry what is no event", async () => {
    const { page, go } = await pageOf();
    await go("/sources");
    await page.click(".rejected-row:has-text('connect') [data-row]");
    await page.waitForSelector(".panel [aria-disabled]:has-text('Retry as it was')");
    await page.context().close();
  });

  it("say to an operator who may see what was rejected", async () => {
    const { page, go } = await pageOf("piotr.adamski");
    await go("/");
    await page.waitForURL("**/sources");
    await page.waitForSelector("section .void:has-text('integrator')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("keep what was read when the server is gone, and say so", async () => {
    const { page, go } = await pageOf(null, { expectFailedRequests: true });
    await go("/sources");
    await page.waitForSelector("tr:has-text('info')");
    await fulfil(page, "**/v1/sources", { code: 14, message: "the sources are away" }, 503);
    await page.waitForSelector(".banner.bad:has-text('the sources are away'):has-text('You see the state of')");
    assert.ok(await page.isVisible("tr:has-text('info')"));
    await page.unroute("**/v1/sources");
    await page.click(".banner button");
    await page.waitForSelector(".banner.bad", { state: "detached" });
    await page.context().close();
  });

  it("say what to do when there are none", async () => {
    const { page, go } = await pageOf();
    await fulfil(page, "**/v1/sources", { sources: [], counted: true });
    await go("/sources");
    assert.match(await page.textContent(".void"), /No source is connected/);
    await page.context().close();
  });
});

describe("operations", () => {
  it("show each fold, and run a verification by one key", async () => {
    const { page, go } = await pageOf();
    await go("/operations");
    for (const name of ["profile", "retention", "deal_pipeline", "identity", "organisation"]) {
      await page.waitForSelector(`.projections tr:has-text('${name}')`);
    }
    await page.keyboard.press("v");
    await page.waitForSelector(".toast:has-text('All are being verified')");
    for (const name of ["profile", "retention", "deal_pipeline", "identity"]) {
      await page.waitForSelector(
        `.job-row:has-text('Verification of ${name}'):has-text('No difference in')`,
      );
    }
    await page.click(".job-row:has-text('Verification of profile') [data-row]");
    await page.waitForSelector(".findings:has-text('Partition 3'):has-text('equal')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("rebuild with a limit, pause, go on and cancel", async () => {
    const { page, go } = await pageOf();
    await go("/operations?of=deal_pipeline");
    await page.keyboard.press("b");
    await page.waitForSelector("dialog:has-text('Rebuild of deal_pipeline')");
    await page.locator("dialog input").fill("fast");
    await page.waitForSelector("dialog:has-text('Write a whole number')");
    await page.locator("dialog input").fill("50");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=progressbar]");
    await page.waitForSelector(".job:has-text('records')");
    await page.keyboard.press("p");
    await page.waitForSelector(".job:has-text('Paused: it waits for you')");
    await page.waitForSelector(".projections tr:has-text('deal_pipeline'):has-text('paused')");
    await page.keyboard.press("p");
    await page.waitForSelector(".job button:has-text('Pause')");
    await page.keyboard.press("c");
    await page.waitForSelector(".job-row:has-text('Rebuild of deal_pipeline'):has-text('Cancelled')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("say which partitions nobody folds, and what stands still", async () => {
    const { page, go } = await pageOf();
    await page.route("**/v1/projections/retention", async (route) => {
      const json = await (await route.fetch()).json();
      json.partitions.splice(1, 1);
      json.watermark.missing_partitions = [1];
      await route.fulfill({ json });
    });
    await page.route("**/v1/projections/profile", async (route) => {
      const json = await (await route.fetch()).json();
      json.partitions[2].trouble = "no space left on device";
      await route.fulfill({ json });
    });
    await go("/operations?of=retention");
    await page.waitForSelector("tr:has-text('retention'):has-text('Nobody folds partition 1')");
    await page.waitForSelector(".partitions tr:has-text('no process holds it')");
    await page.waitForSelector(".banner:has-text('Partition 1 of 4 is missing')");
    await page.click("[data-row='p.profile']");
    await page.waitForSelector("tr:has-text('profile'):has-text('Stands still in partition 2')");
    await page.waitForSelector(".troubles:has-text('no space left on device')");
    await page.context().close();
  });

  it("skip a dead letter with a written reason alone, and retry one", async () => {
    const { page, go } = await pageOf(null, { expectFailedRequests: true });
    const summary = {
      position: "2:17", client_id: "16333", kind: "order_cancelled", holds_back: true,
      recorded_at: "2026-11-30T09:00:00Z", reason: "event_id has 0 bytes instead of 16",
      waiting: false, cursor: "a",
    };
    const orders = [];
    const list = "**/v1/projections/retention/dead-letters?**";
    await fulfil(page, list, { dead_letters: [summary], next_cursor: "" });
    await fulfil(page, "**/v1/projections/retention/dead-letters/2:17", {
      summary, record_key: "MTYzMzM=", record_value: "AAECAw==",
      touchpoint: { client_id: "16333", order_cancelled: { order_id: "4711" } },
    });
    for (const order of ["retry", "skip"]) {
      await page.route(`**/dead-letters/2:17/${order}`, (route) => {
        orders.push([order, route.request().postDataJSON().reason]);
        return route.fulfill({ status: 202, json: { position: "2:99" } });
      });
    }
    await go("/operations?open=d.retention.2%3A17");
    await page.waitForSelector(".letter:has-text('4711'):has-text('00 01 02 03')");
    await page.keyboard.press("r");
    await page.waitForSelector(".toast:has-text('2:17 is folded again')");
    await page.keyboard.press("x");
    await page.waitForSelector("dialog [aria-disabled]:has-text('Skip')");
    await page.locator("dialog textarea").fill("never was an order");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    await page.keyboard.press("x");
    assert.equal(await page.locator("dialog textarea").inputValue(), "never was an order");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".toast:has-text('2:17 is given up')");
    assert.deepEqual(orders, [["retry", "retried from the console"], ["skip", "never was an order"]]);
    await page.context().close();
  });

  it("say what a clock that is held means, and take an operator's word on it", async () => {
    const { page, go } = await pageOf();
    await go("/operations");
    await page.waitForSelector(".clock-row:has-text('It ticks')");
    await page.keyboard.press("t");
    await page.waitForSelector("dialog [aria-disabled]");
    await page.locator("dialog input[type=text]").fill("looked at the radio clock");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".toast:has-text('It is written')");
    await page.route("**/v1/clock", async (route) => {
      const json = await (await route.fetch()).json();
      await route.fulfill({ json: { ...json, standing: "CLOCK_STANDING_HELD", reason: "leapt" } });
    });
    await page.waitForSelector(".clock-row:has-text('is not believed'):has-text('leapt')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("ask less often after failures, and not at all in a hidden tab", async () => {
    const { page, go } = await pageOf(null, { expectFailedRequests: true });
    await page.clock.install();
    let asked = 0;
    let away = true;
    await page.route("**/v1/projections/profile", (route) => {
      asked += 1;
      return away
        ? route.fulfill({ status: 503, json: { code: 14, message: "away" } })
        : route.continue();
    });
    await page.goto(`${open.address}/operations`);
    await page.waitForSelector("tr:has-text('profile'):has-text('away')");
    const failed = asked;
    await page.clock.runFor(5_000);
    assert.equal(asked, failed, "asked again before twice the time");
    await page.clock.runFor(1_500);
    await page.waitForFunction(() => document.querySelector("tr"));
    assert.equal(asked, failed + 1);
    away = false;
    await page.clock.runFor(13_000);
    await page.waitForSelector("tr:has-text('profile') .c-good");
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    const hidden = asked;
    await page.clock.runFor(60_000);
    assert.equal(asked, hidden);
    await page.context().close();
  });

  it("are not for a relationship manager", async () => {
    const { page, go } = await pageOf("ben.okafor");
    await go("/operations");
    assert.match(await page.textContent(".void"), /operator, auditor/);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("offer an auditor nothing to press", async () => {
    const { page, go } = await pageOf("dora.nord");
    await go("/operations");
    await page.waitForSelector("tr:has-text('retention') .c-good");
    assert.equal(await page.locator("main button:has-text('Verify'), main button:has-text('Rebuild')").count(), 0);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});

describe("tokens and the audit", () => {
  it("show a secret once, and it works until it is revoked", async () => {
    const { page, go } = await pageOf("ines.ruiz");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await go("/tokens");
    await page.waitForSelector(".void:has-text('No program has a token')");
    await page.keyboard.press("n");
    await page.locator("dialog input[type=text]").fill("crm");
    await page.locator("dialog label:has-text('Write touchpoints') input").check();
    await page.locator("dialog input[type=text]").nth(1).fill("crm");
    await page.keyboard.press("Enter");
    const field = page.locator("dialog textarea");
    await field.waitFor();
    const secret = await field.inputValue();
    // Esc would lose it for good.
    await page.keyboard.press("Escape");
    assert.equal(await field.inputValue(), secret);
    await page.click("dialog button:has-text('Copy')");
    await page.waitForSelector("dialog [role=status]:has-text('Copied')");
    await page.click("dialog button:has-text('I have it')");
    await page.waitForSelector("tr.sel:has-text('crm')");
    assert.ok(!(await page.content()).includes(secret));
    const write = () =>
      fetch(`${controlled.address}/v1/touchpoints`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${secret}`,
          "content-type": "application/cloudevents+json",
        },
        body: JSON.stringify({
          specversion: "1.0", id: "note/1", source: "crm", subject: "16333",
          type: "rapport.touchpoint.v1.NoteTaken", time: "2026-11-20T10:00:00Z",
          data: { text: "Called about the invoice" },
        }),
      });
    assert.equal((await write()).status, 202);
    await page.keyboard.press("x");
    await page.waitForSelector("dialog:has-text('cannot be undone')");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".toast:has-text('crm holds no longer')");
    await page.waitForSelector(".void:has-text('No program has a token')");
    assert.equal((await write()).status, 401);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });

  it("tell who was refused what, by person and by day", async () => {
    const refused = await fetch(`${controlled.address}/v1/tokens`, {
      headers: { cookie: `${cookies["ben.okafor"][0].name}=${cookies["ben.okafor"][0].value}` },
    });
    assert.equal(refused.status, 403);
    const { page, go } = await pageOf("dora.nord");
    await go("/audit");
    await page.waitForSelector("[role=row]:has-text('was refused'):has-text('Ben Okafor')");
    await page.getByLabel("Who", { exact: true }).fill("dora.nord");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/audit?person=dora.nord");
    await page.waitForSelector("[role=row]:has-text('Ben Okafor')", { state: "detached" });
    await page.waitForSelector("[role=row]:has-text('Dora Nord')");
    await page.getByLabel("To", { exact: true }).fill("2020-01-01");
    await page.waitForSelector(".void:has-text('Nothing fits')");
    await page.click("button:has-text('Show all')");
    await page.waitForSelector("[role=row]:has-text('Ben Okafor')");
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
});

describe("a session", () => {
  it("that ends while somebody writes leaves what is typed, and goes on", async () => {
    const { page, go } = await pageOf("piotr.adamski", { expectFailedRequests: true });
    await go("/operations");
    await page.keyboard.press("t");
    const reason = page.locator("dialog:has-text('Look at another clock') input[type=text]");
    await reason.fill("the radio clock says so");
    const [session] = cookies["piotr.adamski"];
    const ended = await fetch(`${controlled.address}/v1/session`, {
      method: "DELETE",
      headers: { cookie: `${session.name}=${session.value}`, origin: controlled.address },
    });
    assert.equal(ended.status, 200);
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog:has-text('Your session has ended')");
    await page.locator("dialog input[type=email]").fill("piotr@firm.example");
    await page.locator("dialog input[type=password]").fill("wrong");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog:has-text('Your session has ended') [role=alert]");
    await page.locator("dialog input[type=password]").fill(password);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".toast:has-text('You are signed in again')");
    await page.waitForSelector(".session-over", { state: "detached" });
    assert.equal(await reason.inputValue(), "the radio clock says so");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector(".toast:has-text('It is written')");
    cookies["piotr.adamski"] = await page.context().cookies();
    await page.context().close();
  });
});

describe("settings", () => {
  it("show times in the zone that is chosen, on every screen, after a reload too", async () => {
    const { page, go } = await pageOf("piotr.adamski");
    await go("/settings");
    assert.match(await page.textContent("main"), /Piotr Adamski.*operator.*You see no clients/);
    await page.getByLabel("Time zone").selectOption("Asia/Kabul");
    await go("/operations");
    const time = page.locator("tr:has-text('profile') time");
    await time.waitFor();
    assert.match(await time.getAttribute("title"), /GMT\+4:30/);
    await page.context().close();
  });
});

// As the screens are looked at: without findings of axe, and without sideways scrolling.
describe("looks", () => {
  const screens = [
    { name: "sources", path: "/sources?open=s.info" },
    { name: "operations", path: "/operations?open=p.retention" },
    { name: "settings", path: "/settings" },
    { name: "tokens", path: "/tokens" },
    { name: "audit", path: "/audit" },
  ];

  async function look(screen, options, name) {
    const { page, go } = await pageOf("dora.nord", options);
    await go(screen.path);
    await page.screenshot({ path: join(pictures, `${screen.name}-${name}.png`) });
    const found = await findings(page);
    const sideways = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    await page.context().close();
    return { found, sideways };
  }

  for (const screen of screens) {
    for (const locale of locales) {
      it(`${screen.name} in ${locale}, wide and on a phone`, async () => {
        const wide = await look(screen, { locale }, locale);
        assert.deepEqual(wide, { found: [], sideways: 0 });
        const phone = await look(screen, { locale, width: 360, height: 780 }, `${locale}-phone`);
        assert.deepEqual(phone, { found: [], sideways: 0 });
      });
    }
    for (const theme of themes) {
      it(`${screen.name} in ${theme}`, async () => {
        const { found } = await look(screen, { theme }, theme);
        assert.deepEqual(found, []);
      });
    }
  }
});

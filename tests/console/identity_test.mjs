// The identity screen in a browser: two clients who may be one, merged and taken apart again.
// RAPPORT_CONSOLE_URL names a server that is there already; without it one is started.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { findings, openPage, pictures, show, startBrowser, startRapport } from "./support.mjs";

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

describe("the identity screen", () => {
  it("shows both clients, what a merge would move, merges them, and splits them again", async () => {
    const page = await openPage(browser, address);
    await show(page, `${address}/identity`);
    await page.waitForSelector(".pair-block:has-text('Sylvia Grantley')");
    assert.deepEqual(await findings(page), []);
    await page.screenshot({ path: `${pictures}/identity-en-light.png` });
    await page.keyboard.press("j");
    await page.keyboard.press("m");
    await page.waitForSelector("dialog .kinds li");
    assert.deepEqual(await findings(page), []);
    const merged = page.waitForResponse(
      (response) => response.url().endsWith("/merge") && response.status() === 202,
    );
    await page.click("dialog footer .main-act");
    await merged;
    await page.waitForSelector(".merge-row:has-text('done')");
    await page.waitForSelector(".pair-block", { state: "detached" });
    await page.click(".merge-row button");
    const split = page.waitForResponse((response) => response.url().endsWith("/split"));
    await page.click("dialog footer .main-act");
    assert.equal((await split).status(), 202);
    await page.waitForSelector(".merge-row:has-text('taken back')");
    await page.waitForSelector(".pair-block:has-text('Sylvia Grantley')");
    await page.context().close();
  });

  it("says which role merges clients", async () => {
    const page = await openPage(browser, address);
    await page.route("**/v1/session", (route) =>
      route.fulfill({
        json: {
          person_id: "anna.keller",
          name: "Anna Keller",
          roles: ["relationship_manager"],
          access_controlled: true,
        },
      }),
    );
    await show(page, `${address}/identity`);
    assert.match(await page.textContent(".void"), /director/);
    await page.context().close();
  });
});

// What the console costs in a browser: prints figures, and holds none. The environment is that of the
// tests of the console (tests/console/CMakeLists.txt); `ctest -R console` shows it.
import { spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { openPage, packedSizes, show, startBrowser, startRapport } from "../console/support.mjs";

const clients = Number(process.env.RAPPORT_BENCH_CLIENTS ?? 100_000);
const writes = 100;

function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)];
}

const print = (what, value) => console.log(`${what}: ${value}`);
const ms = (value) => `${Math.round(value)} ms`;

async function firstLoad(browser, address) {
  const page = await openPage(browser, address);
  const sizes = await packedSizes(page, () => show(page, `${address}/`));
  print(
    "first load, gzip",
    `${(sizes.script / 1024).toFixed(1)} KiB of script, ${(sizes.stylesheet / 1024).toFixed(1)} of style`,
  );
  await page.context().close();
}

// From the address to rows that take keys; nothing is in the browser's cache.
async function todayUsable(browser, address) {
  const times = [];
  const busy = [];
  for (let i = 0; i < 7; ++i) {
    const page = await openPage(browser, address);
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(() => {
      const look = () => {
        if (document.querySelector("[data-row][aria-current=true]")) {
          window.usableAfter = performance.now();
        } else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.goto(address);
    await page.waitForFunction(() => window.usableAfter !== undefined);
    times.push(await page.evaluate(() => window.usableAfter));
    const { metrics } = await session.send("Performance.getMetrics");
    busy.push(1000 * metrics.find(({ name }) => name === "TaskDuration").value);
    await page.context().close();
  }
  print(
    "Today usable, processor 4x slower",
    `p50 ${ms(quantile(times, 0.5))}, most ${ms(Math.max(...times))}; ` +
      `the page's own processor time p50 ${ms(quantile(busy, 0.5))}`,
  );
}

// One page writes notes as another person's would; how long after its 202 the other page shows each.
async function changeOfAnother(browser, address) {
  const client = "16333";
  const pages = await Promise.all([openPage(browser, address), openPage(browser, address)]);
  for (const page of pages) {
    await show(page, `${address}/clients/${client}`);
    await page.waitForSelector(".ev-row");
  }
  const [writer, reader] = pages;
  const times = [];
  for (let i = 0; i < writes; ++i) {
    const text = `note ${i} of another`;
    const shown = reader.evaluate(
      (wanted) =>
        new Promise((resolve) => {
          const look = () => {
            if (document.querySelector(".ev-row")?.textContent?.includes(wanted)) resolve(Date.now());
            else requestAnimationFrame(look);
          };
          look();
        }),
      text,
    );
    const written = await writer.evaluate(
      async ([id, wanted]) => {
        const answer = await fetch(`/v1/clients/${id}/touchpoints`, {
          method: "POST",
          headers: { "content-type": "application/cloudevents+json" },
          body: JSON.stringify({
            specversion: "1.0", id: wanted, source: "console", subject: id,
            type: "rapport.touchpoint.v1.NoteTaken", time: new Date().toISOString(),
            data: { direction: "DIRECTION_INTERNAL", note_taken: { text: wanted } },
          }),
        });
        if (answer.status !== 202) throw new Error(await answer.text());
        return Date.now();
      },
      [client, text],
    );
    times.push((await shown) - written);
  }
  print(
    `a change by another, until it is shown (${writes})`,
    `p50 ${ms(quantile(times, 0.5))}, p99 ${ms(quantile(times, 0.99))}`,
  );
  for (const page of pages) await page.context().close();
}

const trades = ["Bakehouse", "Chest", "Garden", "Harbour", "Kettle", "Lantern", "Mill", "Orchard"];
const kinds = ["Gifts", "Homeware", "Interiors", "Stores", "Trading"];

async function importClients(data, run) {
  const path = join(data, "clients.ndjson");
  const file = createWriteStream(path);
  for (let i = 0; i < clients; ++i) {
    const name = `${trades[i % 8]} ${kinds[(i >> 3) % 5]} ${i.toString(36)}`;
    const event = {
      specversion: "1.0", id: `registered/${i}`, source: "bench", subject: `B${i}`,
      type: "rapport.touchpoint.v1.ClientRegistered",
      time: new Date(Date.now() - (i % 10_000) * 60_000 - 60_000).toISOString(),
      data: { client_registered: { details: { name, segment: "SEGMENT_BUSINESS" } } },
    };
    if (!file.write(`${JSON.stringify(event)}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
  const told = run("import", path);
  if (told.status !== 0) throw new Error(told.stderr);
}

// The longest frames while `act` runs in the page, which is asked for the next step at each.
async function frames(page, what, act) {
  await page.evaluate(() => {
    window.frames_ = [];
    let before = performance.now();
    const tick = (now) => {
      window.frames_.push(now - before);
      before = now;
      window.ticking = requestAnimationFrame(tick);
    };
    window.ticking = requestAnimationFrame(tick);
  });
  await act();
  const all = await page.evaluate(() => {
    cancelAnimationFrame(window.ticking);
    return window.frames_;
  });
  print(
    `${clients.toLocaleString("en")} clients, ${what}`,
    `frame p50 ${ms(quantile(all, 0.5))}, p99 ${ms(quantile(all, 0.99))}, most ${ms(Math.max(...all))}`,
  );
}

async function manyClients(browser, address) {
  const page = await openPage(browser, address);
  await show(page, `${address}/clients`);
  await page.waitForSelector("[role=row] a");
  await frames(page, "scrolled", () =>
    page.evaluate(async () => {
      const list = document.querySelector(".list.virtual");
      for (let i = 0; i < 400; ++i) {
        list.scrollTop += 400;
        await new Promise(requestAnimationFrame);
      }
    }),
  );
  print("rows in the page", await page.locator("[role=row]").count());
  await frames(page, "searched", async () => {
    await page.click("input[type=search]");
    for (const letter of "harbour gif") await page.keyboard.type(letter, { delay: 80 });
    await page.waitForFunction(() =>
      document.querySelector("[role=row] a")?.textContent?.startsWith("Harbour Gifts"),
    );
  });
  await page.fill("input[type=search]", "");
  await page.waitForFunction(() => !location.search.includes("q="));
  await frames(page, "sorted", async () => {
    await page.click("[role=columnheader] button >> nth=-1");
    await page.waitForURL("**/clients?*sort=last_contact*");
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    await page.waitForSelector("[role=row] a");
  });
  await page.context().close();
}

const browser = await startBrowser();
const sample = await startRapport();
try {
  await firstLoad(browser, sample.address);
  await todayUsable(browser, sample.address);
  await changeOfAnother(browser, sample.address);
} finally {
  await sample.stop();
}
const large = await startRapport({
  prepare: (data) =>
    importClients(data, (...command) =>
      spawnSync(process.env.RAPPORT_BINARY, ["--data", data, ...command], { encoding: "utf8" }),
    ),
});
try {
  await manyClients(browser, large.address);
} finally {
  await large.stop();
  await browser.close();
}

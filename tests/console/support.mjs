// What the tests of the console in the browser stand on: a `rapport up` with the sample's data on a
// port of its own, and Debian's chromium.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const modules = createRequire(join(process.env.RAPPORT_CONSOLE_FOLDER, "package.json"));
const { chromium } = modules("playwright-core");
export const axeSource = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

const binary = process.env.RAPPORT_BINARY;
const deploy = process.env.RAPPORT_DEPLOY_FOLDER;
/** Where pictures of the screens are put, for people to look at. */
export const pictures = process.env.RAPPORT_PICTURES;
mkdirSync(pictures, { recursive: true });

export const locales = ["en", "pl", "el", "sk", "ru"];
export const themes = ["light", "dark"];
/**
 * The themes in which a screen is looked at in a language: both in English; of the others each one
 * of them, since colours do not depend on words. With RAPPORT_LONG all in both.
 */
export function themesOf(locale) {
  if (locale === "en" || process.env.RAPPORT_LONG === "ON") return themes;
  return [themes[locales.indexOf(locale) % themes.length]];
}

/**
 * Imports the sample and starts all services; `stop` ends them and removes the data.
 * `options.prepare(data)`: what to do with the folder before, and further arguments of `rapport up`.
 */
export async function startRapport(options = {}) {
  const data = mkdtempSync(join(tmpdir(), "rapport-console-"));
  const told = spawnSync(
    binary,
    [
      "--data", data, "import",
      join(deploy, "import/online_retail_sample.csv.gz"),
      join(deploy, "import/story.ndjson.gz"),
      "--map", join(deploy, "import/online_retail.textproto"),
      "--as-it-happened", "--shift-to-now",
    ],
    { encoding: "utf8" },
  );
  if (told.status !== 0) throw new Error(`import: ${told.stderr}`);
  const further = (await options.prepare?.(data)) ?? [];
  const child = spawn(binary, ["--data", data, "up", "--listen", "127.0.0.1:0", ...further], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const address = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (piece) => {
      text += piece;
      const found = /^Rapport is up at (\S+)$/m.exec(text);
      if (found && text.includes("Ctrl-C ends it.")) resolve(found[1]);
    });
    child.on("exit", (code) => reject(new Error(`rapport up ended with ${code}`)));
  });
  return {
    address,
    /** Runs a command beside it and gives what it prints. */
    run(...command) {
      const run = spawnSync(binary, ["--data", data, ...command], { encoding: "utf8" });
      if (run.status !== 0) throw new Error(`${command.join(" ")}: ${run.stderr}`);
      return run.stdout;
    },
    async stop() {
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.removeAllListeners("exit");
      const over = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGTERM");
      await Promise.race([ended, over]);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export async function startBrowser() {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/**
 * A page in a context of its own. `page.problems` collects what must not happen on any page:
 * violations of its own policy, errors, and requests to other hosts.
 */
export async function openPage(browser, address, options = {}) {
  const { locale = "en", theme = "light", width = 1440, height = 900 } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    timezoneId: "Europe/London",
    reducedMotion: "reduce",
    ...options.context,
  });
  const page = await context.newPage();
  // A busy machine is no failure: the time of the whole run is ctest's.
  page.setDefaultTimeout(120_000);
  page.problems = [];
  page.scripts = [];
  page.on("pageerror", (error) => page.problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !options.expectFailedRequests) {
      page.problems.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== address) {
      page.problems.push(`request to ${url.origin}`);
    }
  });
  await page.addInitScript(
    ([preferences]) => {
      if (!localStorage.getItem("rapport.preferences")) {
        localStorage.setItem("rapport.preferences", preferences);
      }
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    },
    [JSON.stringify({ locale, theme })],
  );
  return page;
}

/** Goes to a screen and waits until nothing of it is loading. */
export async function show(page, url) {
  await page.goto(url);
  await page.waitForSelector("h1, .void");
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
}

/** Bytes of script and style that are loaded while `act` runs, packed by gzip. */
export async function packedSizes(page, act) {
  const sizes = { script: 0, stylesheet: 0 };
  const bodies = [];
  page.on("response", (response) => {
    const type = response.request().resourceType();
    if (!(type in sizes)) return;
    bodies.push(
      response.body().then((body) => {
        sizes[type] += gzipSync(body, { level: 9 }).length;
      }),
    );
  });
  await act();
  await Promise.all(bodies);
  return sizes;
}

/** What axe finds on the page, in words. */
export async function findings(page) {
  return page.evaluate(async (source) => {
    if (!window.axe) new Function(source)();
    const { violations } = await window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).slice(0, 4)}`,
    );
  }, axeSource);
}

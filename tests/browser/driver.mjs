// A browser that is driven by JSON lines: a request on stdin, its answer on stdout.
// argv: the browser's executable, then its flags.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";
import { githubHtml } from "./github_markdown.mjs";

const installed = createRequire(import.meta.url).resolve;
const AXE = await readFile(installed("axe-core/axe.min.js"), "utf8");
const MERMAID = installed("mermaid/dist/mermaid.min.js");
const STYLE = await readFile(installed("github-markdown-css/github-markdown.css"), "utf8");

const [executablePath, ...args] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath, args, headless: true });

/** Draws every diagram as GitHub does: with the theme that fits the page. */
const drawDiagrams = async (page, dark) => {
  await page.addScriptTag({ path: MERMAID });
  await page.evaluate(async (theme) => {
    const { mermaid } = globalThis;
    mermaid.initialize({ startOnLoad: false, theme, securityLevel: "strict" });
    const folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true; // what is hidden has no size
    for (const [at, code] of [...document.querySelectorAll("code.language-mermaid")].entries()) {
      const { svg } = await mermaid.render(`diagram${at}`, code.textContent);
      const figure = document.createElement("div");
      figure.innerHTML = svg;
      code.parentElement.replaceWith(figure);
    }
    for (const one of folded) one.open = false;
  }, dark ? "dark" : "default");
};

/** What is done on a page, one step after the other; values that are not undefined are kept. */
const steps = {
  /** Whom the page shuts out, by the rules of WCAG 2.2 (AA) and axe's good practice. */
  barriers: async (page, selector) => {
    await page.evaluate(AXE); // a page's policy would let no script tag in
    return page.evaluate(async (root) => {
      const { violations } = await globalThis.axe.run(root);
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`),
      );
    }, selector);
  },
  click: (page, selector) => page.click(selector),
  press: (page, key) => page.keyboard.press(key),
  evaluate: (page, script) => page.evaluate(script),
  /** Of the page down to where it would be too long for a picture. */
  picture: async (page, { path, height }) => {
    const whole = await page.evaluate("document.documentElement.getBoundingClientRect().height");
    const { width } = page.viewport();
    const clip = { x: 0, y: 0, width, height: Math.min(Math.ceil(whole), height) };
    await page.screenshot({ path, clip, captureBeyondViewport: true });
  },
};

const watched = (page) => {
  const seen = { console: [], errors: [], requests: [] };
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  page.on("requestfinished", (request) => seen.requests.push(request.url()));
  page.on("requestfailed", (request) => {
    // What a policy forbids has no error of the network.
    seen.requests.push(`${request.failure()?.errorText ?? "forbidden"} ${request.url()}`);
  });
  return seen;
};

const asks = {
  markdown: async ({ text }) => githubHtml(text),

  /** The faults of diagrams, each null where mermaid draws it. */
  diagrams: async ({ texts }) => {
    const page = await browser.newPage();
    await page.addScriptTag({ path: MERMAID });
    const faults = await page.evaluate(async (diagrams) => {
      const { mermaid } = globalThis;
      mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
      const found = [];
      for (const [at, text] of diagrams.entries()) {
        try {
          const { svg } = await mermaid.render(`diagram${at}`, text);
          const isDrawn = !/NaN|Infinity|undefined/.test(svg);
          found.push({ fault: isDrawn ? null : "a place that is no number", svg });
        } catch (error) {
          found.push({ fault: String(error), svg: "" });
        }
      }
      return found;
    }, texts);
    await page.close();
    return faults;
  },

  /** A page at a URL, or Markdown as GitHub shows it. */
  page: async ({ url, markdown, width, dark, scale, todo }) => {
    const page = await browser.newPage();
    try {
      await page.setViewport({ width, height: 800, deviceScaleFactor: scale });
      const scheme = { name: "prefers-color-scheme", value: dark ? "dark" : "light" };
      await page.emulateMediaFeatures([scheme]);
      const seen = watched(page);
      if (url) {
        await page.goto(url, { waitUntil: "load" });
      } else {
        const article = `<article class="markdown-body">${await githubHtml(markdown)}</article>`;
        const look = `<style>${STYLE} body { margin: 0 } .markdown-body { padding: 24px }</style>`;
        await page.setContent(`<!doctype html><meta charset="utf-8">${look}${article}`);
        await drawDiagrams(page, dark);
      }
      const values = [];
      for (const [[step, argument]] of todo.map(Object.entries)) {
        const value = await steps[step](page, argument);
        if (value !== undefined) values.push(value);
      }
      return { ...seen, values };
    } finally {
      await page.close();
    }
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...rest } = JSON.parse(line);
  const answer = await asks[ask](rest).then(
    (value) => ({ value }),
    (error) => ({ fault: error.stack }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();

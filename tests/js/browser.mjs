// Draws digits in a real browser and reads what the app makes of them: `node browser.mjs <app-url> <screenshot.png>`.
// Fails if the page asks any address but the app's. Two more pictures are written beside the first: `-dark`, `-mobile`.
// An app with another model has nothing to draw on: there, what the page says about the model is all that is tested.

import assert from "node:assert/strict";
import { chromium, devices } from "playwright-core";
import { HANDWRITING, rounded } from "./handwriting.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const ENOUGH = 0.95;

async function main(appUrl, screenshot) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    if (!(await readsDigits(browser, appUrl))) return await withAnotherModel(browser, appUrl, screenshot);
    await onDesktop(browser, appUrl, screenshot);
    await inTheDark(browser, appUrl, beside(screenshot, "dark"));
    await onPhone(browser, appUrl, beside(screenshot, "mobile"));
  } finally {
    await browser.close();
  }
}

async function readsDigits(browser, appUrl) {
  const visit = await open(browser, appUrl);
  const reads = await visit.page.isVisible("#digits");
  await visit.end();
  return reads;
}

async function withAnotherModel(browser, appUrl, screenshot) {
  const visit = await open(browser, appUrl, { viewport: { width: 1280, height: 900 }, colorScheme: "light" });
  await expectPanel(visit.page, appUrl);
  assert.ok((await visit.page.locator("#tensors tr").count()) > 0, "the page lists no tensors");
  console.log(`another model: ${await visit.page.innerText("#inspector-title")}: ${await visit.page.innerText("#run-summary")}`);
  await visit.page.screenshot({ path: screenshot, fullPage: true });
  await visit.end();
}

async function onDesktop(browser, appUrl, screenshot) {
  const visit = await open(browser, appUrl, { viewport: { width: 1280, height: 1240 }, colorScheme: "light" });
  for (const digit of [0, 1, 2, 4, 5, 6, 7, 8, 9, 3]) {
    await visit.page.click("#clear");
    await draw(visit.page, HANDWRITING[digit][0]);
    await expectAnswer(visit.page, digit, HANDWRITING[digit][0].length);
  }
  await visit.page.screenshot({ path: screenshot });
  await expectPanel(visit.page, appUrl);
  await expectHandwriting(visit.page);
  await expectKeyboard(visit.page);
  await visit.end();
}

async function inTheDark(browser, appUrl, screenshot) {
  const visit = await open(browser, appUrl, { viewport: { width: 1280, height: 1240 }, colorScheme: "dark" });
  await draw(visit.page, HANDWRITING[8][0]);
  await expectAnswer(visit.page, 8, 1);
  await visit.page.screenshot({ path: screenshot });
  await visit.end();
}

async function onPhone(browser, appUrl, screenshot) {
  const visit = await open(browser, appUrl, { ...devices["Pixel 7"], viewport: { width: 360, height: 780 }, colorScheme: "light" });
  await touch(visit, HANDWRITING[2][0]);
  await expectAnswer(visit.page, 2, HANDWRITING[2][0].length);
  const overflow = await visit.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels wider than a phone`);
  await visit.page.screenshot({ path: screenshot, fullPage: true });
  await visit.end();
}

/// Opens the app and waits until it can read. `end` fails with all that went wrong on the way.
async function open(browser, appUrl, options) {
  const { origin } = new URL(appUrl);
  const problems = [];
  const context = await browser.newContext(options);
  await context.route((url) => url.origin !== origin, (route) => route.abort());
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) problems.push(`asked another address: ${request.url()}`);
  });
  const page = await context.newPage();
  page.on("websocket", (socket) => problems.push(`opened a socket: ${socket.url()}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  await page.goto(appUrl);
  await page.waitForFunction(() => !["loading", undefined].includes(document.body.dataset.state));
  const state = await page.evaluate(() => document.body.dataset.state);
  if (state !== "ready") problems.push(`the page is not ready but "${state}": ${await page.innerText("#notice")}`);
  const end = async () => {
    await context.close();
    assert.deepEqual(problems, []);
  };
  if (problems.length > 0) await end();
  return { context, page, end };
}

async function draw(page, strokes) {
  const place = await placeOn(page);
  for (const stroke of strokes) {
    const [first, ...rest] = rounded(stroke).map(place);
    await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...point);
    await page.mouse.up();
  }
}

async function touch({ context, page }, strokes) {
  const place = await placeOn(page);
  const devtools = await context.newCDPSession(page);
  const send = (type, ...points) =>
    devtools.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  for (const stroke of strokes) {
    const [first, ...rest] = rounded(stroke).map(place);
    await send("touchStart", first);
    for (const point of rest) await send("touchMove", point);
    await send("touchEnd");
  }
}

async function placeOn(page) {
  await page.locator("#pad").scrollIntoViewIfNeeded();
  const box = await page.locator("#pad").boundingBox();
  return ([x, y]) => [box.x + (x / 100) * box.width, box.y + (y / 100) * box.height];
}

async function expectAnswer(page, digit, strokes) {
  await page.waitForFunction((strokes) => document.querySelector("#answer").dataset.strokes === String(strokes), strokes);
  assert.equal(await page.innerText("#answer"), String(digit), `a ${digit} was drawn`);
  assert.match(await page.innerText("#spoken"), new RegExp(`^${digit}, `), "what is read aloud");
  assert.equal(await page.locator("#bars .winner .name").innerText(), String(digit), "the bar that stands out");
}

async function expectPanel(page, appUrl) {
  const vendored = await (await fetch(new URL("vendored.json", appUrl))).json();
  const rows = await page.locator("#files tr").evaluateAll((rows) =>
    rows.map((row) => ({ path: row.cells[0].innerText, digest: row.querySelector("button").title })));
  assert.deepEqual(rows, vendored.files.map(({ path, sha256 }) => ({ path, digest: sha256 })), "the files in the panel");
  assert.equal(await page.innerText("#model-url"), vendored.url);
  assert.equal(await page.innerText("#left"), "0", "requests that left this machine");
  assert.equal(await page.innerText("#badge-text"), "0 requests left this machine");
}

/// Every style of every digit. A few are hard for people too.
async function expectHandwriting(page) {
  const drawings = HANDWRITING.flatMap((styles, digit) =>
    styles.map((strokes, style) => ({ digit, style, strokes: strokes.map((stroke) => rounded(stroke)) })));
  const answers = await page.evaluate((drawings) => drawings.map(({ strokes }) => window.__app.predict(strokes).digit), drawings);
  const wrong = drawings.map((drawing, i) => ({ ...drawing, answer: answers[i] })).filter(({ digit, answer }) => digit !== answer);
  for (const { digit, style, answer } of wrong) console.log(`  a ${digit} in style ${style} is taken for a ${answer}`);
  const right = drawings.length - wrong.length;
  console.log(`handwriting: ${right} of ${drawings.length} right`);
  assert.ok(right / drawings.length >= ENOUGH, `too many are taken for another digit: ${wrong.length} of ${drawings.length}`);
}

/// Without a pen: the digit keys and the buttons. Without motion a digit appears at once.
async function expectKeyboard(page) {
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (let digit = 0; digit < 10; digit++) {
    await page.focus("#clear");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelector("#answer").dataset.strokes === "0");
    assert.equal(await page.innerText("#answer"), "–");
    await page.focus("#pad");
    await page.keyboard.press(String(digit));
    await page.waitForFunction(() => document.querySelector("#answer").dataset.strokes > 0);
    assert.equal(await page.innerText("#answer"), String(digit), `the key ${digit} was pressed`);
  }
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await page.click("#clear");
  await page.waitForFunction(() => document.querySelector("#spoken").textContent === "Cleared");
  await page.click("#show");
  await page.waitForFunction(() => /^[0-9], /.test(document.querySelector("#spoken").textContent));
}

function beside(path, name) {
  return path.replace(/(\.\w+)?$/, `-${name}$1`);
}

const [appUrl, screenshot] = process.argv.slice(2);
if (!appUrl || !screenshot) {
  console.error("usage: node browser.mjs <app-url> <screenshot.png>");
  process.exit(2);
}
await main(appUrl, screenshot);

// The panel "What was vendored": facts from the executable, from the manifest, and from the browser's own records.

import { tensorsOf } from "./manifest.js";
import { bytes, count, milliseconds } from "./text.js";

const $ = (id) => document.getElementById(id);

export function showFiles({ url, files }) {
  $("model-url").textContent = url;
  $("total").textContent = bytes(files.reduce((sum, { size }) => sum + size, 0));
  $("count").textContent = `in ${count(files.length, "file")}`;
  $("files").replaceChildren(...files.map(row));
}

export function showContents(manifest) {
  const tensors = tensorsOf(manifest);
  $("parameters").textContent = tensors.reduce((sum, { elements }) => sum + elements, 0).toLocaleString("en");
  $("tensor-count").textContent = `in ${count(tensors.length, "tensor")}`;
}

export function showTimes({ runtime, model }) {
  $("ready").textContent = milliseconds(performance.now());
  $("ready-parts").textContent = `runtime ${milliseconds(runtime)}, model ${milliseconds(model)}`;
}

/// Counts what the browser itself recorded, from the page's first request on and for as long as it is open.
export function countRequests() {
  performance.setResourceTimingBufferSize(100_000);
  const requests = [location.href];
  const record = (entries) => {
    requests.push(...entries.map((entry) => entry.name));
    const left = requests.filter((url) => new URL(url).origin !== location.origin).length;
    $("left").textContent = left;
    $("left").classList.toggle("alarm", left > 0);
    $("asked").textContent = `${count(requests.length, "request")}, to ${left ? "several hosts" : location.host}`;
    $("badge-text").textContent = `${count(left, "request")} left this machine`;
    $("badge").classList.toggle("alarm", left > 0);
    $("badge").hidden = false;
  };
  record([]);
  new PerformanceObserver((list) => record(list.getEntries())).observe({ type: "resource", buffered: true });
}

function row({ path, size, sha256 }) {
  const digest = document.createElement("button");
  digest.type = "button";
  digest.className = "digest";
  digest.textContent = sha256;
  digest.title = sha256;
  digest.setAttribute("aria-label", `Copy the digest of ${path}, ${sha256}`);
  digest.addEventListener("click", () => copy(digest, path, sha256));

  const row = document.createElement("tr");
  for (const [content, kind] of [[path, "path"], [bytes(size), "number"], [digest, ""]]) {
    const cell = document.createElement("td");
    cell.className = kind;
    cell.append(content);
    row.append(cell);
  }
  row.children[1].title = count(size, "byte");
  return row;
}

async function copy(button, path, sha256) {
  await navigator.clipboard.writeText(sha256);
  $("copied").textContent = `Copied the digest of ${path}.`;
  button.textContent = "✓ copied";
  button.classList.add("done");
  setTimeout(() => {
    button.textContent = sha256;
    button.classList.remove("done");
  }, 1200);
}

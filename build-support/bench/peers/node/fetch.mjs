// fetch.mjs URL FILE: a model's manifest to FILE, and all its shards beside it, all at once and unchecked.

import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import fetch from 'node-fetch';

async function download(url, file) {
  const response = await fetch(url);
  await pipeline(response.body, createWriteStream(file));
}

const [url, file] = process.argv.slice(2);
await download(url, file);
const manifest = JSON.parse(await readFile(file, 'utf8'));
const shards = manifest.weightsManifest.flatMap((group) => group.paths);
await Promise.all(
  shards.map((shard) => download(new URL(shard, url), path.join(path.dirname(file), shard))),
);

// Files: uploaded from a path and from memory, polled, listed, read back and deleted; and what is refused.

import { GoogleGenAI } from '@google/genai';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const client = new GoogleGenAI({});

async function settled(file) {
  const deadline = Date.now() + 60_000;
  while ((await client.files.get({ name: file.name })).state === 'PROCESSING') {
    if (Date.now() > deadline) throw new Error('it is not settled');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return client.files.get({ name: file.name });
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    const body = JSON.parse(error.message.slice(error.message.indexOf('{'))).error;
    return { error: error.constructor.name, code: error.status, status: body.status, message: body.message };
  }
  return null;
}

async function names(query) {
  const found = [];
  for await (const file of await client.files.list(query)) found.push(file.name);
  return found;
}

function shown(file) {
  return {
    name: file.name,
    display_name: file.displayName ?? null,
    mime_type: file.mimeType,
    size: Number(file.sizeBytes),
    state: file.state,
    source: file.source,
    uri: file.uri,
    sha256: file.sha256Hash,
    lives: (Date.parse(file.expirationTime) - Date.parse(file.createTime)) / 1000,
  };
}

writeFileSync('notes.txt', 'Hello from a path.\n');
const large = randomBytes(17 * 1024 * 1024);
writeFileSync('noise.bin', large);
const name = `conformance-${process.pid}-${Date.now() % 1_000_000_000}`;
const upload = (file, config) => client.files.upload({ file, config });
const text = (content, type = 'text/plain') => new Blob([content], { type });

const first = await settled(await upload('notes.txt', { displayName: 'My notes', mimeType: 'text/plain' }));
const second = await settled(await upload('noise.bin', { mimeType: 'application/x-noise' }));
const third = await settled(await upload(text('from memory'), { name }));
const wrong = await settled(await upload(text('no picture', 'image/png')));

const report = {
  path: shown(first),
  large: { ...shown(second), sent: createHash('sha256').update(large).digest('hex') },
  memory: { ...shown(third), asked: name },
  failed: { ...shown(wrong), error: wrong.error.message, code: wrong.error.code },
  listed: await names({ config: { pageSize: 2 } }),
  name_taken: await refusal(() => upload(text('again'), { name })),
  bad_name: await refusal(() => upload(text('bad'), { name: 'files/-Bad-' })),
  get_unknown: await refusal(() => client.files.get({ name: 'files/nosuchfile' })),
};
await client.files.download({ file: third.name, downloadPath: 'downloaded.txt' });
report.downloaded = readFileSync('downloaded.txt', 'utf8');
await client.files.delete({ name: third.name });
report.get_deleted = await refusal(() => client.files.get({ name: third.name }));
report.delete_deleted = await refusal(() => client.files.delete({ name: third.name }));
report.listed_later = await names();
console.log(JSON.stringify(report));

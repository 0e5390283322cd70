// File search: stores and documents, made, listed, imported and deleted; a turn that searches; and what is refused.

import { GoogleGenAI } from '@google/genai';
import { writeFileSync } from 'node:fs';

// Two pages: where Kafka was born, and what became of Gregor Samsa.
const PDF =
  'JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0Nv' +
  'dW50IDIvS2lkc1s0IDAgUiA2IDAgUl0+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9Gb250L1N1YnR5cGUvVHlwZTEvQmFzZUZvbnQv' +
  'SGVsdmV0aWNhPj5lbmRvYmoKNCAwIG9iajw8L1R5cGUvUGFnZS9QYXJlbnQgMiAwIFIvTWVkaWFCb3hbMCAwIDYxMiA3OTJdL1Jl' +
  'c291cmNlczw8L0ZvbnQ8PC9GIDMgMCBSPj4+Pi9Db250ZW50cyA1IDAgUj4+ZW5kb2JqCjUgMCBvYmo8PC9MZW5ndGggNjk+PnN0' +
  'cmVhbQpCVCAvRiAxMiBUZiA1MCA3MDAgVGQgKEZyYW56IEthZmthIHdhcyBib3JuIGluIFByYWd1ZSBpbiAxODgzLikgVGogRVQK' +
  'ZW5kc3RyZWFtZW5kb2JqCjYgMCBvYmo8PC9UeXBlL1BhZ2UvUGFyZW50IDIgMCBSL01lZGlhQm94WzAgMCA2MTIgNzkyXS9SZXNv' +
  'dXJjZXM8PC9Gb250PDwvRiAzIDAgUj4+Pj4vQ29udGVudHMgNyAwIFI+PmVuZG9iago3IDAgb2JqPDwvTGVuZ3RoIDkxPj5zdHJl' +
  'YW0KQlQgL0YgMTIgVGYgNTAgNzAwIFRkIChHcmVnb3IgU2Ftc2Egd29rZSB0byBmaW5kIGhpbXNlbGYgY2hhbmdlZCBpbnRvIGEg' +
  'aHVnZSBiZWV0bGUuKSBUaiBFVAplbmRzdHJlYW1lbmRvYmoKeHJlZgowIDgKMDAwMDAwMDAwMCA2NTUzNSBmIAowMDAwMDAwMDA5' +
  'IDAwMDAwIG4gCjAwMDAwMDAwNTIgMDAwMDAgbiAKMDAwMDAwMDEwNyAwMDAwMCBuIAowMDAwMDAwMTY4IDAwMDAwIG4gCjAwMDAw' +
  'MDAyNzcgMDAwMDAgbiAKMDAwMDAwMDM5MSAwMDAwMCBuIAowMDAwMDAwNTAwIDAwMDAwIG4gCnRyYWlsZXI8PC9TaXplIDgvUm9v' +
  'dCAxIDAgUj4+CnN0YXJ0eHJlZgo2MzYKJSVFT0Y=';

const client = new GoogleGenAI({});
const stores = client.fileSearchStores;
const documents = stores.documents;

async function finished(operation) {
  const deadline = Date.now() + 60_000;
  while (!operation.done) {
    if (Date.now() > deadline) throw new Error('it is not finished');
    await new Promise((resolve) => setTimeout(resolve, 50));
    operation = await client.operations.get({ operation });
  }
  return client.operations.get({ operation });
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

async function names(pager) {
  const found = [];
  for await (const one of await pager) found.push(one.name);
  return found;
}

async function upload(file, config) {
  return finished(await stores.uploadToFileSearchStore({ fileSearchStoreName: store.name, file, config }));
}

function shownStore(found) {
  return {
    name: found.name,
    display_name: found.displayName ?? null,
    active: Number(found.activeDocumentsCount),
    pending: Number(found.pendingDocumentsCount),
    failed: Number(found.failedDocumentsCount),
    size: Number(found.sizeBytes),
  };
}

function shownDocument(found) {
  const value = (one) => one.stringValue ?? one.numericValue ?? one.stringListValue.values;
  return {
    name: found.name,
    display_name: found.displayName ?? null,
    mime_type: found.mimeType,
    size: Number(found.sizeBytes),
    state: found.state,
    metadata: Object.fromEntries((found.customMetadata ?? []).map((one) => [one.key, value(one)])),
  };
}

function shownOperation(operation) {
  return {
    name: operation.name,
    done: operation.done,
    error: operation.error ?? null,
    document: operation.response?.documentName ?? null,
    parent: operation.response?.parent ?? null,
  };
}

const store = await stores.create({ config: { displayName: "Kafka's books" } });
const second = await stores.create({});
writeFileSync('kafka.pdf', Buffer.from(PDF, 'base64'));
const uploaded = await upload('kafka.pdf', {
  mimeType: 'application/pdf',
  displayName: 'Metamorphosis',
  customMetadata: [
    { key: 'author', stringValue: 'Franz Kafka' },
    { key: 'year', numericValue: 1915 },
    { key: 'tags', stringListValue: { values: ['novella', 'prague'] } },
  ],
  chunkingConfig: { whiteSpaceConfig: { maxTokensPerChunk: 200, maxOverlapTokens: 20 } },
});
const broken = await upload(new Blob(['no picture'], { type: 'image/png' }), { mimeType: 'image/png' });
const file = await client.files.upload({
  file: new Blob(['Gregor Samsa fell on the stock market.'], { type: 'text/plain' }),
  config: { displayName: 'News' },
});
const imported = await finished(
  await stores.importFile({
    fileSearchStoreName: store.name,
    fileName: file.name,
    config: { customMetadata: [{ key: 'year', numericValue: 2026 }] },
  }),
);
await client.files.delete({ name: file.name });

const interaction = await client.interactions.create({
  model: 'gemini-3-flash-preview',
  input: 'Search the documents: into what was Gregor Samsa changed?',
  tools: [
    {
      type: 'file_search',
      file_search_store_names: [store.name],
      top_k: 3,
      metadata_filter: 'author=Franz Kafka AND year < 2000',
    },
  ],
});
const report = {
  store: shownStore(await stores.get({ name: store.name })),
  second: second.name,
  listed: await names(stores.list({ config: { pageSize: 1 } })),
  uploaded: shownOperation(uploaded),
  broken: shownOperation(broken),
  imported: shownOperation(imported),
  document: shownDocument(await documents.get({ name: uploaded.response.documentName })),
  imported_document: shownDocument(await documents.get({ name: imported.response.documentName })),
  documents: await names(documents.list({ parent: store.name, config: { pageSize: 2 } })),
  turn: interaction,
  not_forced: await refusal(() => stores.delete({ name: store.name })),
  document_not_forced: await refusal(() => documents.delete({ name: imported.response.documentName })),
  get_unknown: await refusal(() => stores.get({ name: 'fileSearchStores/nosuchstore' })),
  bad_metadata: await refusal(() =>
    upload('kafka.pdf', { mimeType: 'application/pdf', customMetadata: [{ key: 'nothing' }] }),
  ),
};
await documents.delete({ name: imported.response.documentName, config: { force: true } });
report.get_deleted_document = await refusal(() => documents.get({ name: imported.response.documentName }));
await stores.delete({ name: store.name, config: { force: true } });
await stores.delete({ name: second.name });
report.get_deleted = await refusal(() => stores.get({ name: store.name }));
report.listed_later = await names(stores.list());
console.log(JSON.stringify(report));

// Saved agents: made, read, listed page by page, put to work, deleted; and what is refused.

import { GoogleGenAI } from '@google/genai';
import { randomBytes } from 'node:crypto';

const client = new GoogleGenAI({});
const [first, second] = ['historian', 'brief'].map((name) => `${name}-${randomBytes(6).toString('hex')}`);
const BASE = 'deep-research-preview-04-2026';

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return { status: error.status ?? error.statusCode ?? null, message: String(error.message) };
  }
  return null;
}

async function listed() {
  const found = [];
  let token;
  do {
    const page = await client.agents.list({ page_size: 1, ...(token ? { page_token: token } : {}) });
    found.push(...(page.agents ?? []).map((agent) => agent.id));
    token = page.next_page_token;
  } while (token);
  return found;
}

const made = await client.agents.create({
  id: first,
  base_agent: BASE,
  description: 'Looks into the past.',
  system_instruction: 'Write a page at the most.',
  tools: [
    { type: 'google_search' },
    { type: 'mcp_server', name: 'archive', url: 'https://mcp.example', headers: { 'x-key': 'secret' } },
  ],
});
await client.agents.create({ id: second, base_agent: BASE });
const begun = await client.interactions.create({
  agent: second,
  input: 'Research the history of Google TPUs.',
  agent_config: { type: 'deep-research', thinking_summaries: 'auto' },
  background: true,
});
const ended = await client.interactions.cancel(begun.id);
const report = {
  ids: [first, second],
  made,
  read: await client.agents.get(first),
  listed: await listed(),
  begun,
  ended,
  taken: await refusal(() => client.agents.create({ id: first, base_agent: BASE })),
  reserved: await refusal(() => client.agents.create({ id: 'gemini-mine', base_agent: BASE })),
  baseless: await refusal(() => client.agents.create({ id: 'baseless', base_agent: 'antigravity-preview-09-2026' })),
  housed: await refusal(() => client.agents.create({ id: 'housed', base_agent: BASE, base_environment: 'remote' })),
  unknown: await refusal(() => client.interactions.create({ agent: 'nobody', input: 'Hi', background: true })),
  awaited: await refusal(() => client.interactions.create({ agent: first, input: 'Hi' })),
};
await client.agents.delete(first);
await client.agents.delete(second);
report.gone = await refusal(() => client.agents.get(first));
report.left = await listed();
console.log(JSON.stringify(report));

// Webhooks: registered, listed, read, changed, tried, given a new secret and removed; and what two interactions tell.

import { GoogleGenAI } from '@google/genai';

const client = new GoogleGenAI({});
const webhooks = client.webhooks;
const address = process.argv[2];

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return { error: error.constructor.name, code: error.status ?? error.statusCode ?? null, message: error.message };
  }
  return null;
}

async function ended(interaction) {
  const deadline = Date.now() + 60_000;
  while ((await client.interactions.get(interaction.id)).status === 'in_progress') {
    if (Date.now() > deadline) throw new Error('it has not ended');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return (await client.interactions.get(interaction.id)).status;
}

const made = await webhooks.create({
  name: 'Mine',
  uri: `${address}/static`,
  subscribed_events: ['interaction.completed', 'batch.succeeded'],
});
const second = await webhooks.create({ uri: `${address}/second`, subscribed_events: ['video.generated'] });
const page = await webhooks.list({ page_size: 1 });
const rest = await webhooks.list({ page_size: 9, page_token: page.next_page_token });
const pinged = await webhooks.ping(made.id);
const interaction = await client.interactions.create({
  model: 'gemini-3-flash-preview',
  input: 'Say hello.',
  background: true,
});
const plain = (value) => {
  const { sdkHttpResponse, ...rest } = value;
  return rest;
};
const report = {
  made: plain(made),
  read: plain(await webhooks.get(made.id)),
  listed: [...page.webhooks, ...rest.webhooks].map((one) => one.id),
  pinged: plain(pinged),
  interaction: interaction.id,
  status: await ended(interaction),
};
const dynamic = await client.interactions.create({
  model: 'gemini-3-flash-preview',
  input: 'Say hello.',
  background: true,
  webhook_config: { uris: [`${address}/dynamic`], user_metadata: { job_group: 'nightly-eval', priority: 1 } },
});
report.dynamic = dynamic.id;
await ended(dynamic);
report.echoed = (await client.interactions.get(dynamic.id)).webhook_config;
report.updated = plain(await webhooks.update(made.id, { name: 'Other', state: 'disabled' }));
report.masked = plain(await webhooks.update(made.id, { update_mask: 'name', name: 'Masked', state: 'enabled' }));
const rotated = { revocation_behavior: 'revoke_previous_secrets_after_h24' };
report.rotated = (await webhooks.rotateSigningSecret(made.id, rotated)).secret;
report.read_later = plain(await webhooks.get(made.id));
report.private = await refusal(() =>
  webhooks.create({ uri: 'https://10.0.0.1/', subscribed_events: ['interaction.completed'] }),
);
await webhooks.delete(second.id);
await webhooks.delete(made.id);
report.get_deleted = await refusal(() => webhooks.get(made.id));
console.log(JSON.stringify(report));

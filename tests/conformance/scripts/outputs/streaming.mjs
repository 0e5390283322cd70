// Streams with an SDK of the `outputs` form: live, resumed, replayed, and of an interaction that nobody streamed.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const client = new GoogleGenAI({});

function seen(event) {
  const told = { type: event.event_type, event_id: event.event_id ?? null, index: event.index ?? null };
  if (event.event_type === 'content.delta') {
    told.delta = event.delta.type;
    told.text = event.delta.type === 'text' ? event.delta.text : '';
  }
  if (event.event_type === 'interaction.status_update') {
    Object.assign(told, { id: event.interaction_id, status: event.status });
  }
  if (['interaction.start', 'interaction.complete'].includes(event.event_type)) {
    Object.assign(told, seenInteraction(event.interaction));
  }
  return told;
}

function seenInteraction(interaction) {
  return {
    id: interaction.id,
    status: interaction.status,
    produced: Boolean(interaction.outputs?.length),
    total_tokens: interaction.usage?.total_tokens ?? null,
  };
}

function textOf(interaction) {
  return interaction.outputs.at(-1).text;
}

async function all(stream) {
  const events = [];
  for await (const event of stream) events.push(seen(event));
  return events;
}

async function replay(id, after = {}) {
  return all(await client.interactions.get(id, { stream: true, ...after }));
}

const live = await all(
  await client.interactions.create({
    model,
    input: 'Explain quantum entanglement in simple terms.',
    generation_config: { max_output_tokens: 60 },
    stream: true,
  }),
);
const id = live[0].id;
const stored = await client.interactions.get(id);
const plain = await client.interactions.create({ model, input: 'What are the three largest cities in Spain?' });

const report = {
  live,
  stored: { id: stored.id, status: stored.status, text: textOf(stored) },
  resumed: await replay(id, { last_event_id: live[2].event_id }),
  replayed: await replay(id),
  plain: { id: plain.id, text: textOf(plain) },
  plain_replayed: await replay(plain.id),
};
console.log(JSON.stringify(report));

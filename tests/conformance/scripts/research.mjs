// Deep research: polled to its end, and streamed over a line that breaks at several events.

import { GoogleGenAI } from '@google/genai';
import { setTimeout } from 'node:timers/promises';

const input = 'Research the history of the Google TPUs with a focus on 2025 and 2026.';
// After how many events the line breaks, each time.
const CUTS = [2, 3, 1, 4];

const client = new GoogleGenAI({});

function seen(event) {
  const told = { type: event.event_type, event_id: event.event_id ?? null, index: event.index ?? null };
  if (event.delta) Object.assign(told, { delta: event.delta.type, text: textOf(event.delta) });
  if (event.interaction) {
    const { id, status, agent } = event.interaction;
    Object.assign(told, { id, status, agent });
  }
  return told;
}

// The text of a delta, or of the summary of a thought in it.
function textOf(delta) {
  return (delta.content ?? delta).text ?? '';
}

// What a stream tells, up to its end or for so many events.
async function events(stream, count = null) {
  const told = [];
  for await (const event of stream) {
    told.push(seen(event));
    if (told.length === count) break;
  }
  return told;
}

async function polled() {
  const begun = await client.interactions.create({ agent: 'deep-research-preview-04-2026', input, background: true });
  const statuses = [begun.status];
  let interaction = begun;
  while (statuses.at(-1) === 'in_progress') {
    await setTimeout(100);
    interaction = await client.interactions.get(begun.id);
    statuses.push(interaction.status);
  }
  return { begun, ended: interaction, statuses };
}

async function streamed() {
  const stream = await client.interactions.create({
    agent: 'deep-research-max-preview-04-2026',
    input,
    agent_config: { type: 'deep-research', thinking_summaries: 'auto' },
    background: true,
    stream: true,
  });
  const pieces = [await events(stream, CUTS[0])];
  const { id } = pieces[0][0];
  for (const count of [...CUTS.slice(1), null]) {
    const last_event_id = pieces.at(-1).at(-1).event_id;
    pieces.push(await events(await client.interactions.get(id, { stream: true, last_event_id }), count));
  }
  const whole = await events(await client.interactions.get(id, { stream: true }));
  return { pieces, whole, ended: await client.interactions.get(id) };
}

console.log(JSON.stringify({ polled: await polled(), streamed: await streamed() }));

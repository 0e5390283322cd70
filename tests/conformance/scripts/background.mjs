// Turns of models in the background: polled, followed, cancelled, deleted, calling a function; and what is refused.

import { GoogleGenAI } from '@google/genai';
import { setTimeout } from 'node:timers/promises';

const model = 'gemini-3-flash-preview';
const agent = 'deep-research-preview-04-2026';
const CITIES = 'What are the three largest cities in Spain?';
const STORY = 'Tell me a very long story about a knight and a dragon.';
const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'Gets the weather for a given location.',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' } },
    required: ['location'],
  },
};
const client = new GoogleGenAI({});

function create(request) {
  return client.interactions.create({ model, background: true, ...request });
}

// The interaction when it has ended, and every status that was seen until then.
async function ended(interaction) {
  const statuses = [interaction.status];
  while (statuses.at(-1) === 'in_progress') {
    await setTimeout(50);
    interaction = await client.interactions.get(interaction.id);
    statuses.push(interaction.status);
  }
  return [interaction, statuses];
}

// What a stream tells, up to its end or to the event at which the reader leaves.
async function events(stream, until = () => false) {
  const told = [];
  for await (const event of stream) {
    told.push({ type: event.event_type, event_id: event.event_id ?? null, text: event.delta?.text ?? '' });
    if (['interaction.start', 'interaction.created'].includes(event.event_type)) told.at(-1).id = event.interaction.id;
    if (until(told.at(-1))) break;
  }
  return told;
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    const status = error.status ?? error.statusCode ?? null;
    return { error: error.constructor.name, status, message: String(error.message) };
  }
  return null;
}

async function polled() {
  const begun = await create({ input: CITIES });
  const [interaction, statuses] = await ended(begun);
  return { begun, ended: interaction, statuses };
}

async function followed() {
  const began = await events(await create({ input: CITIES, stream: true }), (event) => event.text);
  const { id } = began[0];
  const last_event_id = began.at(-1).event_id;
  const rest = await events(await client.interactions.get(id, { stream: true, last_event_id }));
  const whole = await events(await client.interactions.get(id, { stream: true }));
  return { began, rest, whole, ended: await client.interactions.get(id) };
}

async function cancelled() {
  const began = await events(await create({ input: STORY, stream: true }), (event) => event.text);
  const { id } = began[0];
  return {
    cancelled: await client.interactions.cancel(id),
    again: await client.interactions.cancel(id),
    read: await client.interactions.get(id),
    began,
    whole: await events(await client.interactions.get(id, { stream: true })),
  };
}

async function deleted() {
  const begun = await create({ input: STORY });
  await client.interactions.delete(begun.id);
  return { begun, read: await refusal(() => client.interactions.get(begun.id)) };
}

async function called() {
  const [calling, statuses] = await ended(await create({ input: 'What is the weather in Paris?', tools: [weather] }));
  const call = (calling.outputs ?? calling.steps).find((item) => item.type === 'function_call');
  const result = { type: 'function_result', name: call.name, call_id: call.id, result: 'It is sunny in Paris.' };
  const next = await create({ input: [result], tools: [weather], previous_interaction_id: calling.id });
  return { calling, statuses, call, answered: (await ended(next))[0] };
}

function begin(request) {
  return client.interactions.create({ agent, input: 'The history of Google TPUs.', ...request });
}

const report = {
  polled: await polled(),
  followed: await followed(),
  cancelled: await cancelled(),
  deleted: await deleted(),
  called: await called(),
  unstored: await refusal(() => create({ input: CITIES, store: false })),
  awaited: await refusal(() => begin({})),
  configured: await refusal(() => begin({ background: true, generation_config: { temperature: 0.5 } })),
  unknown_setting: await refusal(() => begin({ background: true, agent_config: { type: 'deep-research', depth: 3 } })),
};
console.log(JSON.stringify(report));

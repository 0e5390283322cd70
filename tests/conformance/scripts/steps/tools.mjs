// The server's tools with an SDK of the `steps` form, plainly and in a stream.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const client = new GoogleGenAI({});

const mcp = { type: 'mcp_server', name: 'weather_service', url: 'https://gemini-api-demos.uc.r.appspot.com/mcp' };
const euro = {
  type: 'object',
  properties: { winning_team: { type: 'string' }, score: { type: 'string' } },
  required: ['winning_team', 'score'],
};
const page = 'https://www.wikipedia.org/missing';
const fridges = 'Search for smart fridges with touchscreen on Google Shopping.';

const asked = {
  google_search: { input: 'Who won the last Super Bowl?', tools: [{ type: 'google_search' }] },
  code_execution: { input: 'Calculate the 50th Fibonacci number.', tools: [{ type: 'code_execution' }] },
  url_context: {
    input: 'Summarize the content of https://www.wikipedia.org/',
    tools: [{ type: 'url_context' }],
  },
  mcp_server: { input: 'What is the weather like in New York today?', tools: [mcp] },
  structured: {
    input: 'Who won the last euro?',
    tools: [{ type: 'google_search' }],
    response_format: { type: 'text', mime_type: 'application/json', schema: euro },
  },
  computer_use: {
    input: fridges,
    tools: [{ type: 'computer_use', environment: 'browser', excluded_predefined_functions: ['drag_and_drop'] }],
  },
};

// What comes to nothing; asked when the command line says so.
const failing = {
  nothing_found: { input: 'Xyzzy plugh?', tools: [{ type: 'google_search' }] },
  missing_page: { input: `Summarize the content of ${page}`, tools: [{ type: 'url_context' }] },
  wrong_code: { input: 'Calculate whatever you like.', tools: [{ type: 'code_execution' }] },
  wrong_tool: { input: 'Get the forecast in Boston.', tools: [mcp] },
};

// The last message. Later generations have a convenience for it.
function textOf(interaction) {
  if (interaction.output_text !== undefined) return interaction.output_text;
  const message = interaction.steps.filter((step) => step.type === 'model_output').at(-1);
  return (message?.content ?? []).map((part) => part.text ?? '').join('');
}

function annotationsOf(interaction) {
  const messages = interaction.steps.filter((step) => step.type === 'model_output');
  return messages.flatMap((step) => step.content).flatMap((part) => part.annotations ?? []);
}

function seen(interaction) {
  return {
    id: interaction.id,
    status: interaction.status,
    types: interaction.steps.map((step) => step.type),
    steps: interaction.steps,
    text: textOf(interaction),
    annotations: annotationsOf(interaction),
    tools: interaction.tools ?? [],
    usage: interaction.usage,
  };
}

// What a stream told.
async function streamed(stream) {
  const told = { id: null, status: null, events: [], inner: [], text: '', notes: [], ids: [] };
  for await (const event of stream) {
    told.events.push(event.event_type);
    told.ids.push(event.event_id);
    const inner = event.step ?? event.delta;
    if (inner !== undefined) told.inner.push([event.event_type, inner.type]);
    if (event.event_type === 'step.delta' && event.delta.type === 'text') told.text += event.delta.text;
    if (event.event_type === 'step.delta') told.notes.push(...(event.delta.annotations ?? []));
    if (['interaction.created', 'interaction.completed'].includes(event.event_type)) {
      Object.assign(told, { id: event.interaction.id, status: event.interaction.status });
    }
  }
  return told;
}

async function one(body) {
  const whole = await client.interactions.create({ model, ...body });
  const live = await streamed(await client.interactions.create({ model, ...body, stream: true }));
  return {
    whole: seen(whole),
    live,
    replayed: await streamed(await client.interactions.get(live.id, { stream: true })),
    stored: seen(await client.interactions.get(whole.id)),
  };
}

const report = {};
const chosen = process.argv.includes('failing') ? failing : asked;
for (const [name, body] of Object.entries(chosen)) report[name] = await one(body);
console.log(JSON.stringify(report));

// Function calls with an SDK of the `steps` form: on the server's history, on one's own, and in a stream.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const client = new GoogleGenAI({});

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
const meetings = {
  type: 'function',
  name: 'schedule_meeting',
  description: 'Schedules a meeting with specified attendees at a given time and date.',
  parameters: {
    type: 'object',
    properties: {
      attendees: { type: 'array', items: { type: 'string' } },
      date: { type: 'string', description: 'Date of the meeting (e.g., 2024-07-29)' },
      time: { type: 'string', description: 'Time of the meeting (e.g., 15:00)' },
      topic: { type: 'string', description: 'The subject of the meeting.' },
    },
    required: ['attendees', 'date', 'time', 'topic'],
  },
};

function textOf(interaction) {
  const messages = interaction.steps.filter((step) => step.type === 'model_output');
  return messages.flatMap((step) => step.content).map((part) => part.text ?? '').join('');
}

function callsOf(interaction) {
  const calls = interaction.steps.filter((step) => step.type === 'function_call');
  return calls.map((call) => ({ id: call.id, name: call.name, arguments: call.arguments }));
}

function seen(interaction) {
  return {
    id: interaction.id,
    status: interaction.status,
    steps: interaction.steps.map((step) => step.type),
    calls: callsOf(interaction),
    text: textOf(interaction),
  };
}

function resultOf(call, result) {
  return { type: 'function_result', call_id: call.id, name: call.name, result };
}

// What a stream told of its calls, put together as a client must: a start, then pieces of the arguments.
async function streamed(stream) {
  const told = { events: [], calls: [], status: null, id: null };
  const open = new Map();
  for await (const event of stream) {
    told.events.push(event.event_type);
    if (event.event_type === 'step.start' && event.step.type === 'function_call') {
      const { id, name, arguments: startedWith } = event.step;
      open.set(event.index, { id, name, started_with: startedWith, pieces: [] });
      told.calls.push(open.get(event.index));
    } else if (event.event_type === 'step.delta' && event.delta.type === 'arguments_delta') {
      open.get(event.index).pieces.push(event.delta.arguments ?? event.delta.partial_arguments);
    } else if (['interaction.created', 'interaction.completed'].includes(event.event_type)) {
      Object.assign(told, { id: event.interaction.id, status: event.interaction.status });
    }
  }
  return told;
}

const asked = await client.interactions.create({ model, input: 'What is the weather in Paris?', tools: [weather] });
const answered = await client.interactions.create({
  model,
  previous_interaction_id: asked.id,
  input: callsOf(asked).map((call) => resultOf(call, `The weather in ${call.arguments.location} is sunny.`)),
});

const request = 'Schedule a meeting for 2025-11-01 at 10 am with Peter and Amir about the Next Gen API.';
const history = [{ type: 'user_input', content: [{ type: 'text', text: request }] }];
const meeting = await client.interactions.create({ model, input: history, tools: [meetings], store: false });
history.push(...meeting.steps);
history.push(...callsOf(meeting).map((call) => resultOf(call, 'Meeting scheduled successfully.')));
const scheduled = await client.interactions.create({ model, input: history, store: false });

const live = await streamed(
  await client.interactions.create({
    model,
    input: 'What is the weather in Paris?',
    tools: [weather],
    stream: true,
  }),
);
const replayed = await streamed(await client.interactions.get(live.id, { stream: true }));
const continued = await client.interactions.create({
  model,
  previous_interaction_id: live.id,
  input: live.calls.map((call) => resultOf(call, 'It is sunny.')),
});

const report = {
  asked: seen(asked),
  answered: seen(answered),
  meeting: seen(meeting),
  scheduled: seen(scheduled),
  live,
  replayed,
  continued: seen(continued),
};
console.log(JSON.stringify(report));

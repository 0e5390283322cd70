// The AI SDK on the model that the argument names: text, a chain, a history of one's own, a function that the SDK runs
// itself, work in the background, and what it shows of an error. Each is done in one piece and in a stream.

import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';

const baseURL = `${process.env.GOOGLE_GEMINI_BASE_URL}/v1beta`;
const reads = [];
const google = createGoogleGenerativeAI({ baseURL, apiKey: 'any-key', fetch: fetchAndCutOnce });
const model = google.interactions(process.argv[2]);
const greeting = 'Hi, my name is Phil.';
const question = 'What is my name?';

const tools = {
  get_weather: tool({
    description: 'Gets the weather for a given location.',
    inputSchema: z.object({ location: z.string().describe('The city and state, e.g. San Francisco, CA') }),
    execute: async ({ location }) => ({ weather: `The weather in ${location} is sunny.` }),
  }),
};
const loop = { prompt: 'What is the weather in Paris?', tools, stopWhen: isStepCount(3) };

// The first stream that is read by GET breaks off after a few frames, as a line that goes down would have it.
async function fetchAndCutOnce(url, options) {
  const response = await fetch(url, options);
  if (!String(url).includes('stream=true')) return response;
  reads.push(String(url).replace(/.*[?]/, ''));
  if (reads.length > 1) return response;
  const frames = (await response.text()).split('\n\n');
  return new Response(frames.slice(0, 4).join('\n\n') + '\n\n', response);
}

function callsOf(steps) {
  return steps.flatMap((step) => step.toolCalls).map((call) => [call.toolName, call.input]);
}

async function whole(options) {
  const result = await generateText({ model, maxRetries: 0, ...options });
  return {
    text: result.text,
    finish: result.finishReason,
    calls: callsOf(result.steps),
    reasoned: result.steps.map((step) => step.reasoning.length > 0),
    tokens: result.usage.totalTokens,
    id: result.providerMetadata.google.interactionId,
    messages: result.response.messages,
  };
}

async function streamed(options) {
  const errors = [];
  const result = streamText({ model, maxRetries: 0, onError: ({ error }) => errors.push(String(error)), ...options });
  const parts = [];
  for await (const part of result.fullStream) parts.push(part.type);
  const steps = await result.steps;
  return {
    text: await result.text,
    finish: await result.finishReason,
    calls: callsOf(steps),
    reasoned: steps.map((step) => step.reasoning.length > 0),
    tokens: (await result.usage).totalTokens,
    id: (await result.providerMetadata).google.interactionId,
    messages: (await result.response).messages,
    parts,
    errors,
  };
}

async function refusal(options) {
  try {
    await whole(options);
  } catch (error) {
    return { name: error.name, message: error.message, status: error.statusCode, body: error.responseBody };
  }
  return null;
}

async function all(run) {
  const first = await run({ prompt: greeting });
  const previousInteractionId = first.id;
  const history = [{ role: 'user', content: greeting }, ...first.messages, { role: 'user', content: question }];
  return {
    first,
    chain: await run({ prompt: question, providerOptions: { google: { previousInteractionId } } }),
    history: await run({ messages: history }),
    background: await run({ prompt: greeting, providerOptions: { google: { background: true } } }),
    tools: await run(loop),
  };
}

const report = {
  whole: await all(whole),
  streamed: await all(streamed),
  reads,
  refused: await refusal({ prompt: greeting, temperature: 9 }),
};
console.log(JSON.stringify(report));

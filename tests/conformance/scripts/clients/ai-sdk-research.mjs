// Deep research through the AI SDK, in one piece and in a stream; and by an agent whose budget is soon used up.

import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { generateText, streamText } from 'ai';

const baseURL = `${process.env.GOOGLE_GEMINI_BASE_URL}/v1beta`;
const google = createGoogleGenerativeAI({ baseURL, apiKey: 'any-key' });
const providerOptions = { google: { background: true, agentConfig: { type: 'deep-research', thinkingSummaries: 'auto' } } };

function asked(agent) {
  const prompt = 'Research the history of Google TPUs.';
  return { model: google.interactions({ agent }), prompt, providerOptions, maxRetries: 0 };
}

function seen(result) {
  return {
    text: result.text,
    thoughts: result.reasoning.map((part) => part.text).join(''),
    sources: result.sources.map((source) => source.title),
    finish: [result.finishReason, result.rawFinishReason],
  };
}

async function whole(agent) {
  return seen(await generateText(asked(agent)));
}

async function streamed(agent) {
  const errors = [];
  const result = streamText({ ...asked(agent), onError: ({ error }) => errors.push(String(error)) });
  const parts = [];
  for await (const part of result.fullStream) parts.push(part.type);
  const [step] = await result.steps;
  return { ...seen(step), parts, errors };
}

const report = {};
for (const agent of ['deep-research-preview-04-2026', 'hasty']) {
  report[agent] = { whole: await whole(agent), streamed: await streamed(agent) };
}
console.log(JSON.stringify(report));

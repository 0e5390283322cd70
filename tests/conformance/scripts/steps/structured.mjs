// Structured output with an SDK of the `steps` form: a format of the API's own, and a raw schema, by zod.

import { GoogleGenAI } from '@google/genai';
import { z } from 'zod';

const model = 'gemini-3-flash-preview';
const input =
  "Moderate the following content: 'Congratulations! You've won a free cruise. " +
  "Click here to claim your prize: www.definitely-not-a-scam.com'";
const client = new GoogleGenAI({});

const moderation = z.object({
  decision: z.union([
    z.object({
      reason: z.string().describe('The reason why the content is considered spam.'),
      spam_type: z.enum(['phishing', 'scam', 'unsolicited promotion', 'other']).describe('The type of spam.'),
    }),
    z.object({
      summary: z.string().describe('A brief summary of the content.'),
      is_safe: z.boolean().describe('Whether the content is safe for all audiences.'),
    }),
  ]),
});

function parsed(interaction) {
  const text = interaction.steps.at(-1).content.map((part) => part.text).join('');
  return { status: interaction.status, parsed: moderation.parse(JSON.parse(text)) };
}

async function streamedText(stream) {
  let text = '';
  for await (const event of stream) {
    if (event.event_type === 'step.delta' && event.delta.type === 'text') text += event.delta.text;
  }
  return text;
}

const schema = z.toJSONSchema(moderation);
const form = { type: 'text', mime_type: 'application/json', schema };
const typed = await client.interactions.create({ model, input, response_format: form });
const raw = await client.interactions.create({ model, input, response_format: schema });
const stream = await client.interactions.create({ model, input, response_format: form, stream: true });

const report = {
  typed: parsed(typed),
  raw: parsed(raw),
  streamed: { parsed: moderation.parse(JSON.parse(await streamedText(stream))) },
};
console.log(JSON.stringify(report));

// Configured interactions with an SDK of the `steps` form.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const input = 'What are the three largest cities in Spain?';
const client = new GoogleGenAI({});

function textOf(interaction) {
  const parts = interaction.steps.at(-1).content;
  return parts.filter((part) => part.type === 'text').map((part) => part.text).join('');
}

async function configured(generation_config) {
  const interaction = await client.interactions.create({ model, input, generation_config });
  return {
    text: textOf(interaction),
    status: interaction.status,
    output_tokens: interaction.usage.total_output_tokens,
  };
}

const instructed = await client.interactions.create({
  model,
  input,
  system_instruction: 'You are a geography teacher.',
  generation_config: { temperature: 0.7, top_p: 0.9, seed: 1, thinking_level: 'low' },
});

const report = {
  limited: await configured({ max_output_tokens: 5 }),
  stopped: await configured({ stop_sequences: ['Spain', 'Barcelona'] }),
  instructed: { text: textOf(instructed), status: instructed.status },
};
console.log(JSON.stringify(report));

// Conversations with an SDK of the `steps` form: with the server's history, and with a history of one's own.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const client = new GoogleGenAI({});

function textOf(interaction) {
  const parts = interaction.steps.at(-1).content;
  return parts.filter((part) => part.type === 'text').map((part) => part.text).join('');
}

function seen(interaction) {
  return {
    id: interaction.id,
    status: interaction.status,
    text: textOf(interaction),
    output_text: interaction.output_text ?? null,
    steps: interaction.steps.map((step) => step.type),
    model: interaction.model,
    previous_interaction_id: interaction.previous_interaction_id ?? null,
    total_tokens: interaction.usage.total_tokens,
  };
}

function userInput(text) {
  return { type: 'user_input', content: [{ type: 'text', text }] };
}

const first = await client.interactions.create({ model, input: 'Hi, my name is Phil.' });
const second = await client.interactions.create({
  model,
  input: 'What is my name?',
  previous_interaction_id: first.id,
});
const withInput = await client.interactions.get(second.id, { include_input: true });

const history = [userInput('What are the three largest cities in Spain?')];
const cities = await client.interactions.create({ model, input: history });
history.push(...cities.steps);
history.push(userInput('What is the most famous landmark in the second one?'));
const landmark = await client.interactions.create({ model, input: history });

const report = {
  first: seen(first),
  second: seen(second),
  got: seen(await client.interactions.get(second.id)),
  got_with_input: { ...seen(withInput), input: JSON.stringify(withInput.input) },
  cities: seen(cities),
  landmark: seen(landmark),
};
console.log(JSON.stringify(report));

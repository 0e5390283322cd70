// Thinking with an SDK of the `outputs` form: thoughts with and without summaries, and sent back.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const question = 'Solve this step by step: What is 15% of 240?';
const brief = { max_output_tokens: 24 };
const client = new GoogleGenAI({});

function turn(role, content) {
  return { role, content };
}

function seen(interaction) {
  const thoughts = interaction.outputs.filter((output) => output.type === 'thought');
  return {
    status: interaction.status,
    steps: interaction.outputs.map((output) => output.type),
    summaries: thoughts.flatMap((thought) => thought.summary ?? []).map((piece) => piece.text),
    signatures: thoughts.map((thought) => thought.signature),
    thought_tokens: interaction.usage.total_thought_tokens,
  };
}

function answer(input) {
  return client.interactions.create({ model, input, generation_config: brief, store: false });
}

function think(config) {
  const generation_config = { thinking_level: 'low', ...config, ...brief };
  return client.interactions.create({ model, input: question, generation_config, store: false });
}

async function refused(history) {
  try {
    await answer(history);
  } catch (error) {
    return { error: error.constructor.name, status: error.status ?? error.statusCode, message: error.message };
  }
  return null;
}

const shown = await think({ thinking_summaries: 'auto' });
const silent = await think({ thinking_summaries: 'none' });
const plain = await answer(question);
const again = await answer([turn('user', question), turn('model', shown.outputs), turn('user', 'And of 480?')]);

const [one, other] = [shown, silent].map((interaction) => seen(interaction).signatures[0]);
const changed = { type: 'thought', signature: one.slice(0, 40) + other.slice(40) };

const report = {
  shown: seen(shown),
  silent: seen(silent),
  plain: seen(plain),
  again: seen(again),
  changed: await refused([turn('user', question), turn('model', [changed]), turn('user', 'And of 480?')]),
};
console.log(JSON.stringify(report));

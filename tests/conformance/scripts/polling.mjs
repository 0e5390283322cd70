// Deep research, polled while the server may go away: the SDK tries again by itself.

import { GoogleGenAI } from '@google/genai';
import { setTimeout } from 'node:timers/promises';

const client = new GoogleGenAI({});
const oftener = { maxRetries: 8 }; // the first generations try but twice, within a second
let interaction = await client.interactions.create({
  agent: 'deep-research-preview-04-2026',
  input: 'Research the history of Google TPUs.',
  background: true,
});
while (interaction.status === 'in_progress') {
  console.log(interaction.status);
  await setTimeout(500);
  interaction = await client.interactions.get(interaction.id, {}, oftener);
}
console.log(JSON.stringify(interaction));

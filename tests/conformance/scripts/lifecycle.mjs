// The life of an interaction after its end, and what is refused; the same in the `outputs` and the `steps` form.

import { GoogleGenAI } from '@google/genai';

const model = 'gemini-3-flash-preview';
const input = 'Hi, my name is Phil.';
const client = new GoogleGenAI({});

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    const status = error.status ?? error.statusCode ?? null;
    return { error: error.constructor.name, status, message: error.message };
  }
  return null;
}

const finished = await client.interactions.create({ model, input });
const cancelled = await client.interactions.cancel(finished.id);
await client.interactions.delete(finished.id);
const unsaved = await client.interactions.create({ model, input, store: false });
const wrongType = { temperature: 'hot' };

const report = {
  finished: { id: finished.id, status: finished.status },
  cancelled: { id: cancelled.id, status: cancelled.status },
  get_deleted: await refusal(() => client.interactions.get(finished.id)),
  delete_deleted: await refusal(() => client.interactions.delete(finished.id)),
  continue_deleted: await refusal(() =>
    client.interactions.create({ model, input, previous_interaction_id: finished.id }),
  ),
  get_unknown: await refusal(() => client.interactions.get('v1_no_such_interaction')),
  unsaved: { status: unsaved.status },
  get_unsaved: await refusal(() => client.interactions.get(unsaved.id || 'v1_unsaved')),
  wrong_type: await refusal(() => client.interactions.create({ model, input, generation_config: wrongType })),
};
console.log(JSON.stringify(report));

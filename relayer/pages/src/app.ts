/** One script for both pages: what a browser has of the one it has of the other. */
import { creator } from './creator.js';
import { explain } from './errors.js';
import { cannotBegin, footer } from './footer.js';
import { payer } from './payer.js';
import { setup } from './setup.js';

try {
  const known = await setup();
  footer(known);
  await (document.documentElement.dataset['page'] === 'payer' ? payer(known) : creator(known));
} catch (error) {
  cannotBegin(explain(error));
}

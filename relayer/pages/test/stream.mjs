// A stream between two development accounts: its figure runs between blocks and is, to the unit, what the chain says at that second. Paused, resumed, claimed by the
// creator's page, topped up, cancelled.
import { readFileSync } from 'node:fs';
import { client, equal, inBrowser, node, pause, say, shows, units, until, world } from './support.mjs';

const abi = JSON.parse(readFileSync(new URL('../../../deployments/bundles/streams.abi.json', import.meta.url), 'utf8'));
const USDC = 1_000_000n;
const RATE = 1_000n; // 3.60 USDC an hour, in units a second

/** What has flowed of a stream, as the contract says it at a block. */
async function flowedAt([book, serial], blockNumber) {
  const [, paid, , , covered] = await client.readContract({ abi, address: world.streams, functionName: 'balances', args: [book, serial], blockNumber });
  return paid + covered;
}

/** A block of a second; the page's figure is for it. A slow machine makes none in some. */
async function blockOf(second) {
  let { number, timestamp } = await until('a block of that second', async () => {
    const block = await client.getBlock({ blockTag: 'finalized' });
    return block.timestamp >= second && block;
  });
  while (timestamp > second) ({ number, timestamp } = await client.getBlock({ blockNumber: number - 1n }));
  return timestamp === second ? number : undefined;
}

await inBrowser(async (context) => {
  const page = await context.newPage();
  await page.goto(`${world.relayer}/pay?payee=${world.payee}`);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByText('There is no wallet in this browser').waitFor();
  await page.getByRole('button', { name: /Development account 1 / }).click();
  await page.getByText('development account', { exact: true }).waitFor();

  const creating = page.locator('details.new').filter({ hasText: 'Begin a stream' });
  await creating.getByLabel('Rate').fill('3.60');
  await creating.getByLabel('Deposit').fill('20');
  await creating.getByRole('button', { name: 'Begin the stream' }).click();
  const card = page.locator('article.stream');
  await card.getByText('Flowing', { exact: true }).waitFor();
  const number = (await card.getAttribute('aria-label')).match(/(\d+)\/(\d+)/).slice(1).map(Number);

  // No block comes, and it runs on: a second is a thousand units.
  await node('dev_setSealing', false);
  const [halted, first] = [await client.getBlock({ blockTag: 'latest' }), await units(card, 'flowed')];
  const later = await until('three seconds more', async () => {
    const now = await units(card, 'flowed');
    return now >= first + 3n * RATE && now;
  });
  equal('blocks meanwhile', (await client.getBlock({ blockTag: 'latest' })).number, halted.number);
  await node('dev_setSealing', true);
  equal('whole seconds', later % RATE, 0n);

  // Each figure is the chain's at its second, and that second is now.
  const [, , , , , startAt] = await client.readContract({ abi, address: world.streams, functionName: 'stream', args: number });
  for (let compared = 0; compared < 3; await pause(1_300)) {
    const shown = await units(card, 'flowed');
    const second = startAt + shown / RATE;
    const { timestamp } = await client.getBlock({ blockTag: 'finalized' });
    if (timestamp > second + 10n || second > timestamp + 10n) throw new Error(`the page is at ${second}, the chain at ${timestamp}`);
    const block = await blockOf(second);
    if (block === undefined) continue;
    equal(`flowed at ${second}`, await flowedAt(number, block), shown);
    compared += 1;
  }

  await card.getByRole('button', { name: 'Pause' }).click();
  await card.getByText('Paused', { exact: true }).waitFor();
  const stopped = await units(card, 'flowed');
  await pause(2_500);
  equal('flowed while paused', await units(card, 'flowed'), stopped);
  equal('the chain’s figure', await flowedAt(number), stopped);

  // The creator's page has it too, and claims with an account of its own: the money is the payee's whoever sends.
  const creator = await context.newPage();
  await creator.goto(`${world.relayer}/?payee=${world.payee}`);
  const incoming = creator.getByRole('article', { name: `Stream ${number.join('/')}` });
  await shows(incoming, 'flowed', stopped);
  await incoming.getByRole('button', { name: 'Claim now' }).click();
  await creator.getByText(/^Claimed \d/).waitFor();
  await shows(incoming, 'claimable', 0n);
  await creator.close();

  await page.bringToFront();
  await card.getByRole('button', { name: 'Resume' }).click();
  await card.getByText('Flowing', { exact: true }).waitFor();
  await until('it flows again', async () => (await units(card, 'flowed')) > stopped);
  await card.getByText('Top up', { exact: true }).first().click();
  await card.getByLabel('More, in USDC').fill('2');
  await card.getByRole('button', { name: 'Top up', exact: true }).click();
  await shows(card, 'deposit', 22n * USDC);

  // A reload finds it by what this browser keeps.
  await page.reload();
  await card.getByText('Flowing', { exact: true }).waitFor();
  await card.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel it' }).click();
  await card.getByText('Cancelled', { exact: true }).waitFor();
  await card.getByText('It is over').waitFor();
  const flowed = await units(card, 'flowed');
  equal('the chain’s figure at the end', await flowedAt(number), flowed);
  say({ flowed, book: number[0], serial: number[1] });
});

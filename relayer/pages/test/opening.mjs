// A page is closed when its wallet has sent and no block has come: opened again, it finds its channel and pays from it. A channel like it of another key is not taken for it.
import { readFileSync } from 'node:fs';
import { createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { PATIENCE_MS, advance, chain, client, equal, inBrowser, node, say, shows, until, wallet, world } from './support.mjs';

const read = (name) => JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'));
const contract = { abi: read('deployments/bundles/channels.abi.json'), address: world.channels };
const erc20 = [{ type: 'function', name: 'approve', stateMutability: 'nonpayable', inputs: [{ name: 'spender', type: 'address' }, { name: 'units', type: 'uint256' }], outputs: [{ name: '', type: 'bool' }] }];
const DEPOSIT = 20_000_000n;
const PAID = 100_000n;
const STRANGER = `0x${'11'.repeat(20)}`;

await inBrowser(async (context) => {
  const asked = await wallet(context, world.payer_key);
  const payer = createWalletClient({ account: privateKeyToAccount(world.payer_key), chain, transport: http() });
  const send = async (call) => client.waitForTransactionReceipt({ hash: await payer.writeContract(call) });
  const { tokens } = await (await fetch(`${world.relayer}/v1/pages`)).json().then(({ deployment }) => deployment);
  const usdc = tokens.usdc.address;

  const first = await context.newPage();
  await first.goto(`${world.relayer}/pay?payee=${world.payee}`);
  await first.getByRole('button', { name: 'Connect', exact: true }).click();
  await first.getByRole('button', { name: /Browser wallet/ }).click();
  await first.getByText('your wallet').waitFor();
  const opening = first.locator('details.new').filter({ hasText: 'Open a channel' });
  await opening.getByLabel('Deposit').fill('20');
  await opening.getByLabel('Time for the payee to claim, after you close').selectOption({ label: '1 minute, to try it' });

  // Declined: nothing was sent, nothing will be looked for.
  const kept = () => first.evaluate(() => Object.entries(localStorage).flatMap(([key, text]) => (key.includes(':openings:') ? JSON.parse(text) : [])).length);
  asked.declines = true;
  await opening.getByRole('button', { name: 'Open the channel' }).click();
  await opening.getByText('You declined in your wallet').waitFor();
  asked.declines = false;
  equal('openings kept after that', await kept(), 0);

  // Just before ours comes one like it, of the same payer, for another key. Of ours there is no block when its page is closed.
  let alike;
  asked.beforeSending = async () => {
    asked.beforeSending = async () => undefined;
    equal('openings kept when the wallet is asked', await kept(), 1);
    await send({ abi: erc20, address: usdc, functionName: 'approve', args: [world.channels, DEPOSIT] });
    await send({ ...contract, functionName: 'open', args: [world.payee, STRANGER, usdc, 60, DEPOSIT] });
    const book = await client.readContract({ ...contract, functionName: 'bookOf', args: [world.payee, usdc] });
    const [, , next] = await client.readContract({ ...contract, functionName: 'book', args: [book] });
    alike = [book, next - 1];
    await node('dev_setSealing', false);
  };
  await opening.getByRole('button', { name: 'Open the channel' }).click();
  await until('it is sent', async () => asked.sent === 1);
  await first.close();

  const page = await context.newPage();
  await page.goto(`${world.relayer}/pay`);
  const looked = page.getByText('was being opened and is not final');
  await looked.waitFor();
  const card = page.locator('article.channel');
  equal('cards', await card.count(), 0);
  await node('dev_setSealing', true);
  await card.waitFor();
  await looked.waitFor({ state: 'detached' });
  await shows(card, 'deposit', DEPOSIT);
  equal('cards', await card.count(), 1);
  const number = (await card.getAttribute('data-number')).split('/').map(Number);
  equal('number', number.join('/'), [alike[0], alike[1] + 1].join('/'));
  const [, , , signer] = await client.readContract({ ...contract, functionName: 'channel', args: number });
  equal('voucher signer', signer, privateKeyToAccount(await page.evaluate(() => localStorage.getItem('rivulet:key:session'))).address);

  const prompts = asked.prompts;
  await card.getByLabel('Amount in USDC').fill('0.10');
  await card.getByRole('button', { name: 'Pay', exact: true }).click();
  await shows(card, 'promised', PAID);
  await card.getByText('no prompt, no transaction').waitFor();
  equal('prompts to pay', asked.prompts, prompts);

  // It is kept as any other; more than was put in here is not promised.
  await page.reload();
  await shows(card, 'promised', PAID);
  await card.getByLabel('Amount in USDC').fill('20');
  await card.getByRole('button', { name: 'Pay', exact: true }).click();
  await card.getByText('top up, or pay less').waitFor();

  await card.getByText('Top up or close').click();
  await card.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click();
  await card.getByText(/Closing: /).waitFor();
  await send({ ...contract, functionName: 'requestClose', args: alike });
  await until('the relayer claimed', async () => (await (await fetch(`${world.relayer}/v1/payees/${world.payee}/earnings`)).json()).tokens[0]?.claimed === PAID.toString());
  await advance(61);
  await card.getByRole('button', { name: 'Finish and get the rest back' }).click({ timeout: PATIENCE_MS });
  await card.waitFor({ state: 'detached' });
  await send({ ...contract, functionName: 'finish', args: alike });
  await until('that is final', async () => (await client.readContract({ ...contract, functionName: 'channel', args: alike, blockTag: 'finalized' }))[0] === 3);
  say({ paid: PAID });
});

// A payer opens a channel with a wallet, pays without prompts, reloads and goes on, also where the relayer is cut off, while the creator's page shows it; then it is closed.
import { PATIENCE_MS, advance, equal, inBrowser, node, say, shows, units, until, wallet, world } from './support.mjs';

const CENT = 10_000n;

await inBrowser(async (context) => {
  const asked = await wallet(context, world.payer_key);

  // The creator looks first: nothing has come.
  const creator = await context.newPage();
  await creator.goto(`${world.relayer}/?payee=${world.payee}`);
  await creator.getByText('Nothing has come yet').waitFor();
  await creator.getByText('Live', { exact: true }).waitFor();

  const page = await context.newPage();
  await page.goto(`${world.relayer}/pay?payee=${world.payee}`);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('button', { name: /Browser wallet/ }).click();
  await page.getByText('your wallet').waitFor();

  // What cannot be is said before the wallet is asked.
  const opening = page.locator('details.new').filter({ hasText: 'Open a channel' });
  const before = asked.prompts;
  await opening.getByLabel('Deposit').fill('20,00');
  await opening.getByRole('button', { name: 'Open the channel' }).click();
  await opening.getByText('write a number with a point').waitFor();
  equal('prompts for a wrong amount', asked.prompts, before);

  await opening.getByLabel('Deposit').fill('20');
  await opening.getByLabel('Time for the payee to claim, after you close').selectOption({ label: '1 minute, to try it' });
  await opening.getByRole('button', { name: 'Open the channel' }).click();
  const card = page.locator('article.channel');
  await card.waitFor();
  await shows(card, 'deposit', 2_000n * CENT);
  // The chain was added, a permit signed, one transaction sent.
  equal('prompts to open', asked.prompts, before + 3);

  const opened = asked.prompts;
  await card.getByLabel('Amount in USDC').fill('0.10');
  for (let n = 1n; n <= 3n; n += 1n) {
    // By the keyboard alone.
    await card.getByLabel('Amount in USDC').press('Enter');
    await shows(card, 'promised', n * 10n * CENT);
    await card.getByText('no prompt, no transaction').waitFor();
    await until('the button is free', async () => (await card.getByRole('button', { name: 'Pay', exact: true }).getAttribute('aria-disabled')) === null);
  }
  equal('prompts to pay', asked.prompts, opened);
  const usdc = creator.locator('article.token[data-token=usdc]');
  await shows(usdc, 'accepted', 30n * CENT);
  await creator.getByText('+ 0.10 USDC').first().waitFor();

  // A reload forgets nothing, asks nothing, and goes on from the same total; what the relayer does not have is not taken for heard, whether it said so or cannot be asked.
  const cut = (route) => route.abort();
  const paths = ['/v1/vouchers', '/v1/channels/**'].map((path) => `${world.relayer}${path}`);
  for (const path of paths) await page.route(path, cut);
  world.isCut = true;
  await page.reload();
  await shows(card, 'promised', 30n * CENT);
  await card.getByLabel('Amount in USDC').fill('0.25');
  await card.getByRole('button', { name: 'Pay', exact: true }).click();
  await card.getByText('The relayer did not answer').waitFor();
  await shows(card, 'promised', 55n * CENT);
  await page.reload();
  await card.getByText('The relayer has not confirmed 0.25 USDC').waitFor();
  equal('accepted', await units(usdc, 'accepted'), 30n * CENT);
  for (const path of paths) await page.unroute(path, cut);
  await card.getByRole('button', { name: 'Send it again' }).click();
  await card.getByText('has not confirmed').waitFor({ state: 'hidden' });
  await shows(usdc, 'accepted', 55n * CENT);
  equal('promised', await units(card, 'promised'), 55n * CENT);

  // Where only the answer was lost, the relayer says that it has it, and nothing is sent or promised again.
  // No block comes meanwhile: the creator is told what its money waits for.
  await node('dev_setSealing', false);
  let delivered = 0;
  await page.route(`${world.relayer}/v1/vouchers`, async (route) => {
    await route.fetch();
    delivered += 1;
    await route.abort();
  });
  await card.getByLabel('Amount in USDC').fill('0.05');
  await card.getByRole('button', { name: 'Pay', exact: true }).click();
  await card.getByText('The relayer has not confirmed 0.05 USDC').waitFor();
  await card.getByText('has not confirmed').waitFor({ state: 'hidden' });
  await page.unroute(`${world.relayer}/v1/vouchers`);
  world.isCut = false;
  equal('times sent', delivered, 3);
  await shows(usdc, 'accepted', 60n * CENT);
  equal('promised', await units(card, 'promised'), 60n * CENT);
  equal('prompts after a reload', asked.prompts, opened);
  const reason = creator.locator('.why');
  await reason.getByText('May be in the claim that waits to be final').waitFor();
  await node('dev_setSealing', true);
  await reason.filter({ hasText: /./ }).waitFor({ state: 'hidden' });

  // More than is left is refused before it is promised.
  await card.getByLabel('Amount in USDC').fill('20');
  await card.getByRole('button', { name: 'Pay', exact: true }).click();
  await card.getByText('top up, or pay less').waitFor();
  equal('promised', await units(card, 'promised'), 60n * CENT);

  await card.getByText('Top up or close').click();
  await card.getByLabel('More, in USDC').fill('1.5');
  await card.getByRole('button', { name: 'Top up', exact: true }).click();
  await shows(card, 'deposit', 2_150n * CENT);

  await card.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click();
  await card.getByText(/Closing: /).waitFor();
  await creator.getByText('Closing', { exact: true }).waitFor();
  await shows(usdc, 'claimed', 60n * CENT);
  await advance(61);
  const finish = card.getByRole('button', { name: 'Finish and get the rest back' });
  await finish.click({ timeout: PATIENCE_MS });
  await card.waitFor({ state: 'detached' });
  await shows(usdc, 'claimed', 60n * CENT);
  await creator.getByText('Closed', { exact: true }).waitFor();

  const csv = await (await fetch(`${world.relayer}${await creator.getByRole('link', { name: 'channels' }).getAttribute('href')}`)).text();
  equal('lines of the CSV', csv.trim().split('\n').length, 2);
  say({ paid: 60n * CENT });
});

// A real paywall with a real relayer behind it: what is bought, what it costs, and what a site cannot have.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import {
  type ErrorCode, type Limits, type Paid, type Store, Channels, type Network, PayChannel, Rejected, Relayer, RivuletError, channelsOf, memoryStore, parseAmount, payingFetch, signVoucher,
} from '../src/index.js';
import { fileStore } from '../src/node.js';
import { FILE, type Site, World, account, between, decoded, encoded, listener, networkOf, until, walletOf, webServer } from './support/index.js';

const refused = (code: ErrorCode) => (error: unknown) => error instanceof RivuletError && error.code === code;
const PRICE = 100_000n;
const STEP = 1_000n;
const payee = account('baltathar').address;
const session = privateKeyToAccount(generatePrivateKey());

let world: World;
let network: Network;
let channels: Channels;
let relayer: Relayer;
let web: Awaited<ReturnType<typeof webServer>>;
let url: string;
before(async () => {
  world = await World.start();
  network = await networkOf(world);
  channels = new Channels(network, walletOf(world, 'alith'));
  relayer = await Relayer.connect(await world.relayer(), world.deployment);
  web = await webServer();
  const prices = ['/articles/*=0.10usdc', '/broken/*=0.10usdc', '/api/*=0.10usdc', '/files/*=0.001usdc/MB', '/live/*=0.001usdc/s'];
  url = await world.paywall({ upstream: web.url, payee, relayer: relayer.url, prices });
});
after(async () => {
  await world.stop();
  await web.close();
});

const LIMITS: Limits = { perPayment: 200_000n };

/** A channel that the relayer knows, with the store that its program has. */
async function open({ deposit = '5usdc', limits = LIMITS, store = memoryStore() as Store, to = payee } = {}): Promise<{ pay: PayChannel; store: Store }> {
  const channel = await channels.open({ payee: to, voucherSigner: session.address, deposit: parseAmount(deposit, world.deployment), challengePeriodSecs: 60 });
  await until('the relayer to see the channel', async () => relayer.best(channel.terms).then(() => true, () => false));
  return { pay: await PayChannel.of(channels, store, session, channel, limits), store };
}

/** What another program of the same payer has: the same channel, and this store. */
const again = ({ state }: PayChannel, store: Store, limits = LIMITS) => PayChannel.of(channels, store, session, state, limits);
const text = async (answer: Promise<Response>) => (await answer).text();

/** Buys, and says what was paid. */
function shopper(pay: PayChannel | PayChannel[], more: { steps?: number; fetch?: typeof fetch } = {}) {
  const paid: Paid[] = [];
  return { buy: payingFetch(pay, { ...more, onPaid: (one) => void paid.push(one) }), paid, costs: () => paid.map(({ amount }) => amount) };
}

/** The connection breaks after a paid answer has begun, or when it has come, the first time. */
function losing(when: 'before' | 'within'): typeof fetch {
  let isLost = false;
  return async (input, init) => {
    const request = new Request(input, init);
    const answer = await fetch(request);
    if (isLost || !answer.ok || !request.headers.has('PAYMENT-SIGNATURE')) return answer;
    isLost = true;
    await answer.arrayBuffer();
    if (when === 'before') throw new TypeError('the connection broke');
    const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError('the connection broke')) });
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
}

test('a page is paid for and served, and the relayer has the voucher; what is free is free', async () => {
  const { pay } = await open();
  const { buy, paid } = shopper(pay);
  assert.equal(await text(buy(`${url}/`)), 'welcome');
  const answer = await buy(`${url}/articles/1?part=%32`);
  assert.deepEqual([answer.status, answer.url, answer.headers.get('cache-control')], [200, `${url}/articles/1?part=%32`, 'private, no-store']);
  assert.equal(await answer.text(), 'page /articles/1');
  assert.equal(await text(buy(new Request(`${url}/articles/2`))), 'page /articles/2');
  assert.equal((await buy(`${url}/articles/3`, { method: 'HEAD' })).status, 200);
  assert.equal(await text(buy(`${url}/moved`)), 'page /articles/moved');
  assert.deepEqual(paid.map(({ amount, isServed }) => [amount, isServed]), Array(4).fill([PRICE, true]));
  assert.equal((await relayer.best(pay.state.terms))?.cumulativeAmount, 4n * PRICE);
  assert.equal(pay.promised, 4n * PRICE);
});

test('the total is shared with what is paid beside the paywall, and a tip is not spent on pages', async () => {
  const { pay } = await open();
  const { buy } = shopper(pay);
  await pay.payTo(relayer, 30_000n);
  await text(buy(`${url}/articles/1`));
  await pay.payTo(relayer, 50_000n);
  await text(buy(`${url}/articles/2`));
  await text(buy(`${url}/articles/3`));
  assert.equal(pay.promised, 3n * PRICE + 80_000n);
});

test('a tip stays one while the paywall has charged what is not known here', async () => {
  const { pay } = await open();
  await pay.payTo(relayer, 30_000n);
  const lost = shopper(pay, { fetch: losing('before') });
  await assert.rejects(text(lost.buy(`${url}/articles/a`)), /the connection broke/);
  const { buy } = shopper(pay);
  for (const page of ['b', 'a', 'c']) await text(buy(`${url}/articles/${page}`));
  assert.equal(pay.promised, 3n * PRICE + 30_000n);
});

test('an answer that was lost, whole or in part, is had again for nothing, by another program too', async () => {
  const { pay, store } = await open();
  for (const [when, page] of [['before', 'a'], ['within', 'b']] as const) {
    const first = shopper(pay, { fetch: losing(when) });
    await assert.rejects(text(first.buy(`${url}/articles/${page}`)), /the connection broke/);
    const second = shopper(await again(pay, store));
    assert.equal(await text(second.buy(`${url}/articles/${page}`)), `page /articles/${page}`);
    assert.deepEqual(second.costs(), [0n]);
    await text(second.buy(`${url}/articles/${page}`));
    assert.deepEqual(second.costs(), [0n, PRICE], 'once it is here, it is bought anew');
  }
  assert.equal((await again(pay, store)).promised, 4n * PRICE);
});

test('what was not served, and what the creator gave back, is credit', async () => {
  const { pay } = await open();
  const { buy, paid } = shopper(pay);
  assert.equal((await buy(`${url}/broken/1`)).status, 503);
  assert.deepEqual([paid[0]?.isServed, paid[0]?.amount, pay.promised], [false, 0n, PRICE]);
  await text(buy(`${url}/articles/1`));
  assert.equal(pay.promised, PRICE);
  const { book, serial } = pay.state.terms;
  await world.refund(url, `${book}/${serial}`, paid[1]!.purchase);
  // Heard of with the next answer.
  for (const page of ['2', '3']) await text(buy(`${url}/articles/${page}`));
  assert.equal(pay.promised, 2n * PRICE);
});

test('a payer that lost its store goes on from its own signature, and pays once', async () => {
  const { pay } = await open();
  for (const page of ['1', '2']) await text(shopper(pay).buy(`${url}/articles/${page}`));
  const forgetful = await again(pay, memoryStore(), { perPayment: PRICE, perSite: PRICE });
  const { buy } = shopper(forgetful);
  assert.equal(await text(buy(`${url}/articles/3`)), 'page /articles/3');
  assert.equal(forgetful.promised, 3n * PRICE);
  await assert.rejects(buy(`${url}/articles/4`), refused('over_limit'), 'what the site got since then is counted');
});

test('programs that share a store, and requests at once, are each served for their price', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'rivulet-buy-')), 'store');
  const { pay } = await open({ store: fileStore(folder) });
  const tabs = [shopper(pay), shopper(await again(pay, fileStore(folder)))];
  const pages = await Promise.all(tabs.flatMap(({ buy }, tab) => Array.from({ length: 5 }, (_, n) => text(buy(`${url}/articles/${tab}-${n}`)))));
  assert.equal(new Set(pages).size, 10);
  assert.deepEqual(tabs.flatMap(({ costs }) => costs()), Array(10).fill(PRICE));
  assert.equal((await again(pay, fileStore(folder))).promised, 10n * PRICE);
  await rm(join(folder, '..'), { recursive: true });
});

test('limits hold: of a payment, of a site, of the channel, and what it covers', async () => {
  const tight = async (limits: Limits, deposit = '5usdc') => shopper((await open({ limits, deposit })).pay).buy;
  await assert.rejects((await tight({ perPayment: PRICE - 1n }))(`${url}/articles/1`), refused('over_limit'));
  for (const limits of [{ perPayment: PRICE, perSite: PRICE }, { perPayment: PRICE, total: PRICE }]) {
    const buy = await tight(limits);
    await text(buy(`${url}/articles/1`));
    await assert.rejects(buy(`${url}/articles/2`), refused('over_limit'));
  }
  await assert.rejects((await tight(LIMITS, '0.09usdc'))(`${url}/articles/1`), refused('not_covered'));
  const { pay } = await open({ limits: {} });
  assert.throws(() => payingFetch(pay), refused('bad_input'));
  assert.throws(() => payingFetch([], { steps: 0 }), refused('bad_input'));
});

test('what is posted is paid for each time, and done once', async () => {
  const { pay } = await open();
  const { buy, costs } = shopper(pay, { fetch: losing('before') });
  const post = (body: string) => text(buy(`${url}/api/ask`, { method: 'POST', body }));
  const before = web.posts();
  await assert.rejects(post('one'), /the connection broke/);
  assert.equal(web.posts() - before, 1, 'it is not known here that it was done, and it is not done again');
  assert.deepEqual((await Promise.all([post('two'), post('three'), post('four')])).sort(), ['/api/ask: four', '/api/ask: three', '/api/ask: two']);
  assert.equal(web.posts() - before, 4);
  assert.equal(costs().reduce((a, b) => a + b), 3n * PRICE);
  assert.equal(pay.promised, 4n * PRICE);
});

test('a payment does not follow a redirect: that is the answer, and the payment stays at the site', async () => {
  const { pay } = await open();
  const other = await listener();
  const { buy, paid } = shopper(pay);
  for (const to of [`${other.url}/stolen`, `${url}/articles/next`]) {
    const page = `${url}/articles/led?redirect=${encodeURIComponent(to)}`;
    const answer = await buy(page);
    assert.deepEqual([answer.status, answer.headers.get('location'), answer.url, answer.redirected], [302, to, page, false]);
    assert.equal(await answer.text(), 'it is there');
  }
  // It was all that there was to buy.
  assert.deepEqual(paid.map(({ amount, isServed }) => [amount, isServed]), Array(2).fill([PRICE, true]));
  assert.deepEqual([other.heard.length, pay.promised], [0, 2n * PRICE]);
  // Who wants none has it said, and asks again for nothing.
  const page = `${url}/articles/led?redirect=${encodeURIComponent(other.url)}`;
  await assert.rejects(buy(page, { redirect: 'error' }), refused('redirected'));
  assert.equal((await buy(page, { redirect: 'manual' })).status, 302);
  assert.deepEqual([paid.at(-1)?.amount, other.heard.length, pay.promised], [0n, 0, 3n * PRICE]);
  // What a free page redirects to is asked for as ever.
  assert.equal(await text(buy(`${url}/?redirect=${encodeURIComponent(other.url)}`)), 'another site');
  assert.equal(other.heard.some((headers) => 'payment-signature' in headers), false);
  await other.close();
});

test('a file by byte is paid on while it comes, to the limit, and its rest by a range', async () => {
  const { pay } = await open();
  assert.deepEqual(Buffer.from(await (await shopper(pay).buy(`${url}/files/big`)).arrayBuffer()).equals(FILE), true);
  assert.equal(pay.promised, 3n * STEP);
  assert.deepEqual(Buffer.from(await (await shopper(pay, { steps: 8 }).buy(`${url}/files/big`)).arrayBuffer()).equals(FILE), true);
  assert.equal(pay.promised, 11n * STEP);
  // Five steps are left of it, and pay for the next.
  assert.deepEqual(Buffer.from(await (await shopper(pay).buy(`${url}/files/big`)).arrayBuffer()).equals(FILE), true);
  assert.equal(pay.promised, 11n * STEP);

  const limited = (await open({ limits: { perPayment: 2n * STEP } })).pay;
  const { buy } = shopper(limited);
  const chunks: Uint8Array[] = [];
  const reading = async (answer: Response) => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  };
  await assert.rejects(reading(await buy(`${url}/files/big`)), refused('over_limit'));
  assert.equal(Buffer.concat(chunks).length, 2_000_000);
  const rest = await buy(`${url}/files/big`, { headers: { range: 'bytes=2000000-' } });
  assert.equal(rest.status, 206);
  await reading(rest);
  assert.ok(Buffer.concat(chunks).equals(FILE));
  assert.equal(limited.promised, 3n * STEP);
});

test('what is live is paid by the second, while somebody reads', async () => {
  const { pay } = await open();
  const { buy } = shopper(pay);
  const answer = await buy(`${url}/live/radio`);
  const reader = answer.body!.getReader();
  const begun = Date.now();
  while (Date.now() - begun < 3_500) assert.equal((await reader.read()).done, false);
  await reader.cancel();
  assert.ok(pay.promised >= 4n * STEP && pay.promised <= 6n * STEP, `${pay.promised}`);
  const before = pay.promised;
  await (await buy(`${url}/live/radio`)).body!.cancel();
  const idle = await buy(`${url}/live/radio`);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.ok(pay.promised <= before + 2n * STEP, 'nobody reads, nobody pays');
  await idle.body!.cancel();
});

test('a site that lies gets nothing', async () => {
  const { pay } = await open();
  const forged = await signVoucher(channelsOf(world.deployment), privateKeyToAccount(generatePrivateKey()), pay.state.terms, pay.state.id, 4_000_000n);
  const state = { book: 1, serial: 0, channel_id: pay.state.id, accepted: '4000000', signature: forged.signature, available: '0' };
  type Lie = (accepts: Record<string, never> & { extra: Record<string, unknown> }, required: Record<string, unknown>) => void;
  const lies: [ErrorCode, Lie][] = [
    ['not_this_request', ({ extra }) => void (extra['request'] = `GET ${new URL(url).host}/articles/1`)],
    ['no_channel', (accepts) => void Object.assign(accepts, { payTo: account('charleth').address })],
    ['no_channel', (accepts) => void Object.assign(accepts, { asset: '0x0000000000000000000000000000000000000000' })],
    ['wrong_contract', (accepts) => void Object.assign(accepts, { network: 'eip155:1' })],
    ['wrong_contract', ({ extra }) => void (extra['channels'] = world.deployment.streams.address)],
    ['over_limit', (accepts) => void Object.assign(accepts, { amount: '200001' })],
    ['not_covered', (accepts) => void Object.assign(accepts, { amount: '5000001' })],
    ['bad_answer', (accepts) => void Object.assign(accepts, { amount: '-1' })],
    ['bad_answer', ({ extra }) => void (extra['unit'] = { bytes: 0 })],
  ];
  const through = async (change: Lie, attack: (site: Site) => Promise<void>) => {
    const liar = await between(url, (headers) => {
      if (headers['payment-required'] === undefined) return;
      const required = decoded(headers['payment-required']) as { accepts: Parameters<Lie>[0][] };
      change(required.accepts[0]!, required);
      headers['payment-required'] = encoded(required);
    });
    await attack(liar);
    await liar.close();
  };
  for (const [code, lie] of lies) {
    const { buy } = shopper(code === 'not_covered' ? await again(pay, memoryStore(), { perPayment: 9_000_000n }) : pay);
    await through(lie, async (liar) => assert.rejects(buy(`${liar.url}/articles/2`), refused(code), code));
  }
  assert.equal(pay.promised, 0n, 'nothing was signed');
  // One that takes the payment, serves nothing and says that it needs more.
  const robbed = async (told: (total: string) => Partial<typeof state>, expected: (error: unknown) => boolean): Promise<bigint> => {
    const victim = await again(pay, memoryStore());
    let total = '0';
    const unserved = async (input: RequestInfo | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      const paid = request.headers.get('PAYMENT-SIGNATURE');
      if (paid !== null) total = (decoded(paid) as { payload: { voucher: { cumulative_amount: string } } }).payload.voucher.cumulative_amount;
      request.headers.delete('PAYMENT-SIGNATURE');
      return fetch(request);
    };
    const insist: Lie = ({ extra }, required) => void (Object.assign(extra, { state: { ...state, ...told(total) } }), Object.assign(required, { error: 'not_enough' }));
    await through(insist, async (liar) => assert.rejects(shopper(victim, { fetch: unserved }).buy(`${liar.url}/articles/3`), expected));
    return victim.promised;
  };
  const insisted = (error: unknown) => error instanceof Rejected && error.problem.code === 'not_enough';
  assert.equal(await robbed(() => ({}), refused('not_ours')), PRICE, 'a total that nobody signed');
  assert.equal(await robbed(() => ({ accepted: '0' }), insisted), PRICE, 'what was promised once is not promised again');
  assert.equal(await robbed((accepted) => ({ accepted }), refused('over_limit')), 2n * PRICE, 'another program with this key may have spent it: but not beyond the limit of a payment');
  // Redirected to another host, whose page was not asked for.
  await assert.rejects(shopper(pay).buy(`${url}/away`), refused('not_this_request'));
  // A payee that we have no channel to is named, so that one can be opened.
  await assert.rejects(shopper([]).buy(`${url}/articles/1`), (error: unknown) => refused('no_channel')(error) && String(error).toLowerCase().includes(payee.toLowerCase()));
});

test('of many channels the one to this payee pays; one that is closing is refused by the site', async () => {
  const other = (await open({ to: account('dorothy').address })).pay;
  const { pay } = await open();
  await text(shopper([other, pay]).buy(`${url}/articles/1`));
  assert.deepEqual([other.promised, pay.promised], [0n, PRICE]);
  await channels.requestClose(pay.state.terms);
  const closing = (error: unknown) => error instanceof Rejected && error.problem.code === 'channel_closing';
  await until('the relayer to see it', async () => text(shopper(pay).buy(`${url}/articles/2`)).then(() => false, (error: unknown) => closing(error) || Promise.reject(error)));
});

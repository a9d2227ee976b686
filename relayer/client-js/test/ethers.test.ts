// The same by ethers v6: it opens and reads by the released ABI, and its wallet signs vouchers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Contract, JsonRpcProvider, Wallet } from 'ethers';
import type { Address, Hex } from 'viem';
import { Channels, PayChannel, Relayer, Streams, liveAt, memoryStore, parseAmount, ratePerSecondScaled } from '../src/index.js';
import { KEYS, ROOT, World, account, networkOf } from './support/index.js';

let world: World;
let provider: JsonRpcProvider;
let alith: Wallet;
before(async () => {
  world = await World.start();
  provider = new JsonRpcProvider(world.ethUrl, world.deployment.chainId, { staticNetwork: true, pollingInterval: 100, cacheTimeout: -1 });
  alith = new Wallet(KEYS.alith, provider);
});
after(async () => {
  provider.destroy();
  await world.stop();
});

const contract = (kind: 'channels' | 'streams') => new Contract(world.deployment[kind].address, readFileSync(`${ROOT}deployments/bundles/${kind}.abi.json`, 'utf8'), alith);

test('a channel opened by ethers is paid from by vouchers that an ethers wallet signs', async () => {
  const channels = contract('channels');
  const session = Wallet.createRandom();
  const payee = account('baltathar').address;
  const { units } = parseAmount('1dot', world.deployment);
  const opened = await (await channels['open']!(payee, session.address, '0x0000000000000000000000000000000000000000', 60, units, { value: units })).wait();
  const event = opened.logs.map((log: never) => channels.interface.parseLog(log)).find((log: { name: string } | null) => log?.name === 'ChannelOpened');
  const number = { book: Number(event.args.book), serial: Number(event.args.serial) };

  const network = await networkOf(world);
  const reader = new Channels(network);
  const signer = {
    address: session.address as Address,
    signTypedData: async ({ domain, types, message }: { domain?: object; types: object; message: object }) => (await session.signTypedData(domain ?? {}, types as never, message)) as Hex,
  };
  const pay = await PayChannel.find(reader, memoryStore(), signer as never, number);
  const relayer = await Relayer.connect(await world.relayer(), world.deployment);
  const { voucher, receipt } = await pay.payTo(relayer, 10n ** 17n);
  assert.equal(receipt?.signer, relayer.acknowledgementKey);
  // The state of the best block: this is ethers' own view of what the relayer will have claimed.
  for (let claimed = 0n; claimed < voucher.cumulativeAmount; await new Promise((resolve) => provider.once('block', resolve))) {
    claimed = (await channels['channel']!(number.book, number.serial)).claimed;
  }
});

test('a stream created by ethers has the balances that are computed here', async () => {
  const streams = contract('streams');
  const { units } = parseAmount('1dot', world.deployment);
  const rate = ratePerSecondScaled(units, 86_400n);
  const none = `0x${'00'.repeat(32)}`;
  const zero = '0x0000000000000000000000000000000000000000';
  const created = await (await streams['create']!(account('dorothy').address, zero, rate, 0, 0, 0, 0, 0, 1, units, 0, none, { value: units })).wait();
  const event = created.logs.map((log: never) => streams.interface.parseLog(log)).find((log: { name: string } | null) => log?.name === 'StreamCreated');
  await world.advance(0);
  const stream = (await new Streams(await networkOf(world)).read({ book: Number(event.args.book), serial: Number(event.args.serial) }))!;
  await world.advance(1_000);
  const block = (await provider.getBlock('finalized'))!;
  const theirs = await streams['balances']!(stream.number.book, stream.number.serial, { blockTag: block.number });
  const here = liveAt(stream, BigInt(block.timestamp));
  assert.deepEqual([here.totalDebt, here.coveredDebt, here.depletesAt], [theirs.totalDebt, theirs.coveredDebt, theirs.depletesAt]);
});

test('a refusal is named', async () => {
  await assert.rejects(contract('channels')['requestClose']!.staticCall(77, 1), (error: { revert?: { name: string } }) => error.revert?.name === 'UnknownNumber');
});

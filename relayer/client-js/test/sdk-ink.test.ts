// Polkadot's own way: @polkadot-api/sdk-ink by the Solidity ABI, over the node's RPC, with a Polkadot account.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, mock, test } from 'node:test';
import { createInkSdk, ss58ToEthereum } from '@polkadot-api/sdk-ink';
import { getPublicKey, secretFromSeed, sign } from '@scure/sr25519';
import { AccountId, type PolkadotClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { createWsClient } from 'polkadot-api/ws';
import { type Hex, type Log, getAddress, hexToBytes, parseEventLogs, toHex, zeroAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { WebSocket } from 'ws';
import { Channels, PayChannel, channelsAbi, memoryStore } from '../src/index.js';
import { ROOT, World, account, networkOf } from './support/index.js';

/** Charlie's, which everybody knows. */
const secret = secretFromSeed(hexToBytes('0xbc1ede780f784bb6991a585e4f6e61522c14e1cae6ad0895fb57b9a205a8f938'));
const charlie = AccountId().dec(getPublicKey(secret));
const signer = getPolkadotSigner(getPublicKey(secret), 'Sr25519', (bytes) => sign(secret, bytes, randomBytes(32)));

let world: World;
let client: PolkadotClient;
before(async () => {
  // Of each query it says there that this runtime's trace_call is newer than it; it only wants it for events.
  mock.method(console, 'error', () => undefined);
  world = await World.start();
  client = createWsClient(world.nodeUrl, { websocketClass: WebSocket as unknown as typeof globalThis.WebSocket });
});
after(async () => {
  client.destroy();
  await world.stop();
});

/** What a descriptor made by `papi sol add` holds at run time. */
const descriptor = (kind: 'channels' | 'streams') => ({ abi: JSON.parse(readFileSync(`${ROOT}deployments/bundles/${kind}.abi.json`, 'utf8')) }) as never;

interface Called {
  success: boolean;
  value: { response: Record<string, unknown>; send: () => { signAndSubmit: (by: typeof signer) => Promise<{ ok: boolean; events: Emitted[] }> } };
}
interface Contract {
  query: (message: string, args: { origin: string; data?: object; value?: bigint }) => Promise<Called>;
}
/** An event of the chain, as far as it is a contract's. */
interface Emitted {
  type: string;
  value: { type: string; value: { contract: Hex; data: Uint8Array; topics: [Hex, ...Hex[]] } };
}
const log = ({ type, value }: Emitted): Log[] =>
  type === 'Revive' && value.type === 'ContractEmitted' ? [{ address: value.value.contract, topics: value.value.topics, data: toHex(value.value.data) } as unknown as Log] : [];

const contract = (kind: 'channels' | 'streams') => createInkSdk(client).getContract(descriptor(kind), world.deployment[kind].address) as unknown as Contract;

test('a channel opened by a Polkadot account is one that viem reads and pays from', async () => {
  const channels = contract('channels');
  const session = privateKeyToAccount(generatePrivateKey());
  const data = { payee: account('baltathar').address, voucherSigner: session.address, token: zeroAddress, challengePeriodSecs: 60, amount: 10n ** 18n };
  // An extrinsic counts in planck.
  const dry = await channels.query('open', { origin: charlie, data, value: 10n ** 10n });
  assert.ok(dry.success, JSON.stringify(dry, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
  const sent = await dry.value.send().signAndSubmit(signer);
  assert.ok(sent.ok);
  // sdk-ink 0.7 looks for topics beside the event, where ink! had them: the Solidity event is in it.
  const [opened] = parseEventLogs({ abi: channelsAbi, eventName: 'ChannelOpened', logs: sent.events.flatMap(log) });
  assert.ok(opened);
  const number = { book: opened.args.book, serial: opened.args.serial };

  await world.advance(0);
  const reader = new Channels(await networkOf(world));
  const pay = await PayChannel.find(reader, memoryStore(), session, number);
  assert.equal(pay.state.terms.payer, getAddress(ss58ToEthereum(charlie)));
  assert.equal(pay.state.id, opened.args.channelId);
  assert.equal((await pay.pay(5n)).cumulativeAmount, 5n);
});

test('a view says what eth_call says', async () => {
  const { response } = (await contract('streams').query('config', { origin: charlie })).value;
  assert.equal(response['feeCeilingBps'], 1_000);
  assert.equal(response['books'], 0);
});

test('a refusal is named', async () => {
  const refused = (await contract('channels').query('requestClose', { origin: charlie, data: { book: 77, serial: 1 } })) as unknown as { success: boolean; value: { type: string; value: { message: { type: string } } } };
  assert.equal(refused.success, false);
  assert.deepEqual([refused.value.type, refused.value.value.message.type], ['FlagReverted', 'UnknownNumber']);
});

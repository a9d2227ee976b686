// What is checked before anything is paid, on a real node through eth-rpc.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createWalletClient, custom, defineChain, http } from 'viem';
import { type ErrorCode, Channels, Network, RivuletError, parseAmount, readDeployment } from '../src/index.js';
import { World, account, clientOf, networkOf, walletOf } from './support/index.js';

const refused = (code: ErrorCode) => (error: unknown) => error instanceof RivuletError && error.code === code;
let world: World;
before(async () => void (world = await World.start()));
after(() => world.stop());

test("the chain's id is the deployment file's", async () => {
  const client = clientOf(world);
  assert.equal(await client.getChainId(), world.deployment.chainId);
  const other = { ...world.deployment, chainId: 1 };
  await assert.rejects(Network.connect(other, client), refused('wrong_chain'));
});

test('code that is not the released one is refused', async () => {
  const { channels, streams } = world.deployment;
  const swapped = { ...world.deployment, channels: { ...channels, address: streams.address } };
  await assert.rejects(Network.connect(swapped, clientOf(world)), refused('wrong_contract'));
  const nowhere = { ...world.deployment, streams: { ...streams, address: account('ethan').address } };
  await assert.rejects(Network.connect(nowhere, clientOf(world)), refused('wrong_contract'));
});

test('a wallet on another chain does not send', async () => {
  const network = await networkOf(world);
  const request = async ({ method }: { method: string }) => {
    assert.equal(method, 'eth_chainId', 'nothing else is asked of it');
    return '0x1';
  };
  const mainnet = createWalletClient({ account: account('alith'), transport: custom({ request }) });
  const wanted = { payee: account('baltathar').address, deposit: parseAmount('1dot', world.deployment), voucherSigner: account('charleth').address, challengePeriodSecs: 60 };
  await assert.rejects(new Channels(network, mainnet).open(wanted), refused('wrong_chain'));
  await assert.rejects(new Channels(network).open(wanted), refused('no_wallet'));
});

test('a transaction that is in no final block is waited for, and not for ever', async () => {
  const network = await Network.connect(world.deployment, clientOf(world), { finalityMs: 300 });
  const chain = defineChain({ ...network.client.chain!, id: world.deployment.chainId });
  const wallet = createWalletClient({ account: account('ethan'), chain, transport: http(world.ethUrl) });
  await world.node('dev_setSealing', false);
  try {
    const hash = await wallet.sendTransaction({ to: account('alith').address, value: 10n ** 18n });
    await world.node('dev_sealBlock', false);
    assert.equal((await network.settled(hash, 'included')).status, 'success');
    await assert.rejects(network.settled(hash, 'final'), refused('not_final'));
    await world.node('dev_sealBlock', true);
    assert.equal((await network.settled(hash, 'final')).status, 'success');
  } finally {
    await world.node('dev_setSealing', true);
  }
});

test('a reorganization is seen: what it took out of a block is not final with that block', async () => {
  const network = await networkOf(world);
  const wallet = walletOf(world, 'ethan');
  await world.node('dev_setSealing', false);
  try {
    const root = await world.node<{ hash: string }>('dev_sealBlock', true);
    const hash = await wallet.sendTransaction({ chain: null, to: account('alith').address, value: 10n ** 18n });
    const { hash: first } = await world.node<{ hash: string }>('dev_sealBlock', false);
    const early = await network.settled(hash, 'included');
    const settled = network.settled(hash, 'final');
    const fork = await world.node<string[]>('dev_buildFork', root.hash, 2);
    assert.ok(!fork.includes(first));
    await world.node('dev_finalize', fork[1]);
    const again = await world.node<{ transactions: number }>('dev_sealBlock', true);
    assert.equal(again.transactions, 1, 'it is in a block of the new chain');
    const late = await settled;
    assert.notEqual(late.blockHash, early.blockHash);
    assert.ok(late.blockNumber > early.blockNumber);
  } finally {
    await world.node('dev_setSealing', true);
  }
});

test('a deployment file as scripts/deploy writes it is read', () => {
  assert.deepEqual(readDeployment(world.deploymentJson), world.deployment);
  assert.deepEqual(Object.keys(world.deployment.tokens).sort(), ['native', 'usdc', 'usdt']);
});

// A browser, a wallet for it, and the chain itself to hold pages against. The Rust test that runs this started node, contracts and relayer: it names them in PAGES.
import { createPublicClient, createWalletClient, defineChain, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const world = JSON.parse(process.env.PAGES ?? '{}');
const CHROMIUM = '/usr/bin/chromium';
/** A machine that compiles beside us is slow. */
export const PATIENCE_MS = 60_000;

export const chain = defineChain({ id: world.chain_id, name: 'dev', nativeCurrency: { name: 'DOT', symbol: 'DOT', decimals: 18 }, rpcUrls: { default: { http: [world.rpc] } } });
export const client = createPublicClient({ chain, transport: http(), pollingInterval: 50 });
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what, holds) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(50)) {
    const found = await holds();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`never: ${what}`);
}

/** Calls the node itself. */
export async function node(method, ...params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await (await fetch(world.node, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

/** Lets time pass, until the last final block has it. */
export async function advance(secs) {
  const time = await node('dev_advanceTime', secs);
  await until('a block of that time', async () => Number((await client.getBlock({ blockTag: 'finalized' })).timestamp) >= time);
}

/** A wallet as an extension puts it into pages (EIP-1193): on another chain until it is told of this one, and counting what its owner is asked. */
export async function wallet(context, key) {
  const account = privateKeyToAccount(key);
  const signer = createWalletClient({ account, chain, transport: http() });
  const state = { address: account.address, prompts: 0, sent: 0, chainId: '0x1', isConnected: false, declines: false, beforeSending: async () => undefined };
  // As most wallets give it.
  const shown = account.address.toLowerCase();
  const refuse = (code, message) => ({ error: { code, message } });
  const methods = {
    eth_requestAccounts: () => {
      state.prompts += 1;
      state.isConnected = true;
      return [shown];
    },
    eth_accounts: () => (state.isConnected ? [shown] : []),
    eth_chainId: () => state.chainId,
    wallet_switchEthereumChain: ([{ chainId }]) => (chainId === state.chainId ? null : refuse(4902, 'Unrecognized chain')),
    wallet_addEthereumChain: ([{ chainId, rpcUrls }]) => {
      if (rpcUrls[0] !== world.rpc) return refuse(-32602, `not our RPC: ${rpcUrls[0]}`);
      state.prompts += 1;
      state.chainId = chainId;
      return null;
    },
    eth_sendTransaction: async ([{ to, data, value, gas }]) => {
      if (Number(state.chainId) !== world.chain_id) return refuse(4901, 'on another chain');
      state.prompts += 1;
      if (state.declines) return refuse(4001, 'User rejected the request.');
      await state.beforeSending();
      const hash = await signer.sendTransaction({ to, data, value: BigInt(value ?? 0), ...(gas === undefined ? {} : { gas: BigInt(gas) }) });
      state.sent += 1;
      return hash;
    },
    eth_signTypedData_v4: ([, text]) => {
      state.prompts += 1;
      if (state.declines) return refuse(4001, 'User rejected the request.');
      const { EIP712Domain: _, ...types } = JSON.parse(text).types;
      return account.signTypedData({ ...JSON.parse(text), types });
    },
  };
  await context.exposeFunction('rivuletTestWallet', async (method, params) => {
    try {
      const result = methods[method] === undefined ? await client.request({ method, params }) : await methods[method](params ?? []);
      return result?.error === undefined ? { result } : result;
    } catch (error) {
      return refuse(error.code ?? -32000, error.details ?? error.message);
    }
  });
  await context.addInitScript(() => {
    window.ethereum = {
      request: async ({ method, params }) => {
        const { result, error } = await window.rivuletTestWallet(method, params);
        if (error !== undefined) throw Object.assign(new Error(error.message), error);
        return result;
      },
      on: () => undefined,
    };
  });
  return state;
}

/** Runs `play` in a browser with nothing in it. Whatever a page writes as an error or a warning, or its policy forbids, fails it. */
export async function inBrowser(play) {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM}: run scripts/setup test, which installs Debian's`);
  const folder = mkdtempSync(join(tmpdir(), 'rivulet-browser-'));
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const context = await chromium.launchPersistentContext(folder, { executablePath: CHROMIUM, headless: true, args, viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const trouble = [];
  context.on('console', (message) => {
    // Chromium writes of every status above 399: who buys is asked for money first.
    const isPrice = message.text().includes('status of 402') && world.walls?.includes(new URL(message.location().url).origin);
    // And of each request that a test cuts off.
    const isCut = world.isCut && message.text().includes('net::ERR_FAILED');
    if (['error', 'warning'].includes(message.type()) && !isPrice && !isCut) trouble.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => trouble.push(String(error.error())));
  const strangers = new Set();
  context.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (![new URL(world.relayer).origin, new URL(world.rpc).origin, ...(world.origins ?? [])].includes(origin)) strangers.add(origin);
  });
  try {
    await context.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
    const result = await play(context);
    if (trouble.length > 0) throw new Error(`the pages complained:\n${trouble.join('\n')}`);
    if (strangers.size > 0) throw new Error(`the pages asked others: ${[...strangers].join(', ')}`);
    return result;
  } catch (error) {
    for (const [i, page] of context.pages().entries()) {
      console.error(`page ${i}, ${page.url()}:\n${await page.locator('body').innerText().catch(() => '')}`);
    }
    if (trouble.length > 0) console.error(trouble.join('\n'));
    throw error;
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A number that a page keeps in a data attribute, in the token's smallest unit. */
export const units = async (locator, name) => BigInt((await locator.getAttribute(`data-${name}`)) ?? '-1');

/** Waits until a page shows so much. */
export const shows = (locator, name, expected) => until(`${name} ${expected}`, async () => (await locator.count()) > 0 && (await units(locator, name)) === expected);

/** What the test is to know, for the Rust side. */
export const say = (found) => console.log(JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));

export function equal(what, found, expected) {
  if (found !== expected) throw new Error(`${what}: expected ${expected}, found ${found}`);
}

// What the examples are told by the environment. On the network of `rivulet dev` nothing need be said but where its file is, which `rivulet dev` prints.
import { readFileSync } from 'node:fs';

const fail = (code, text) => {
  console.error(text);
  process.exit(code);
};

const { env } = process;
export const DEPLOYMENT = env.DEPLOYMENT ?? env.RIVULET_DEPLOYMENT ?? 'deployments/dev.json';
export const RPC = env.RPC ?? 'http://127.0.0.1:8545';
export const RELAYER = env.RELAYER ?? env.RIVULET_RELAYER ?? 'http://127.0.0.1:8787';
export const PAGE = env.PAGE ?? 'http://127.0.0.1:8402/articles/1';

function network() {
  try {
    return JSON.parse(readFileSync(DEPLOYMENT, 'utf8')).network;
  } catch (error) {
    return fail(2, `DEPLOYMENT: no network's file at ${DEPLOYMENT} (${error.message}): start one by \`rivulet dev\` and paste here the line that it prints, with RIVULET_DEPLOYMENT`);
  }
}

// Two accounts of every development network, whose keys everybody has. Elsewhere there are no defaults for money.
const isDev = network() === 'dev';
export const KEY = env.KEY ?? (isDev ? '0x5fb92d6e98884f76de468fa3f6278f8807c48bebc13595d45af5bdc4da702133' : '');
export const PAYEE = env.PAYEE ?? (isDev ? '0x3Cd0A705a2DC65e5b1E1205896BaA2be8A07c6e0' : '');
if (!/^0x[0-9a-fA-F]{64}$/.test(KEY)) fail(2, 'KEY: expected the private key that pays, 0x and 64 hex digits');
if (!/^0x[0-9a-fA-F]{40}$/.test(PAYEE)) fail(2, 'PAYEE: expected the address that is paid, 0x and 40 hex digits');

// What went wrong, in a line. Nobody to talk to: 2, as for what was given wrongly.
process.on('uncaughtException', (error) => {
  const chain = [];
  for (let one = error; one instanceof Error && !chain.includes(one); one = one.cause) chain.push(one, ...(one.errors ?? []));
  const away = chain.find(({ code }) => ['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'ETIMEDOUT'].includes(code));
  if (away === undefined) fail(1, error.shortMessage ?? error.message);
  const where = away.port === undefined ? (away.hostname ?? 'the address') : `${away.address}:${away.port}`;
  fail(2, `nothing answers at ${where}: start network and relayer by \`rivulet dev\`, a paywall as README.md says, or name others by RPC, RELAYER and PAGE`);
});

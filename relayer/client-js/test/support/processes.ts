/** Real programs: a node, the contracts on it, a relayer. Built before by `scripts/test build`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Deployment, readDeployment } from '../../src/index.js';

/** The repository: this file runs from `.tests/test/support`. */
export const ROOT = new URL('../../../../../', import.meta.url).pathname;
const START_MS = 120_000;

function built(name: string): string {
  const target = process.env['CARGO_TARGET_DIR'] ?? join(process.env['RIVULET_CACHE'] ?? join(process.env['HOME'] ?? '', '.cache/rivulet'), 'target');
  const path = join(target, 'debug', name);
  if (!existsSync(path)) throw new Error(`no ${name} at ${path}: run scripts/test build, or name the folder above in CARGO_TARGET_DIR`);
  return path;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again until it holds. What is awaited here happens in other processes, which tell nobody. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + START_MS; Date.now() < end; await pause(30)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
  }
  throw new Error(`waited in vain: ${what}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** A port below those that the system lends to outgoing connections. */
async function freePort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port += 1) {
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

async function ask<T>(url: string, method: string, params: unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const answer = (await response.json()) as { result: T; error?: { message: string } };
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

/** A network of its own for a test file. */
export class World {
  private constructor(
    private readonly folder: string,
    private readonly children: ChildProcess[],
    readonly nodeUrl: string,
    readonly ethUrl: string,
    readonly deploymentJson: unknown,
    readonly deployment: Deployment,
  ) {}

  static async start(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'rivulet-js-'));
    const node = spawn(built('rivulet-node'), ['--rpc-port', '0', '--block-time-ms', '200'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    node.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const [, ethUrl, nodeUrl] = await until('the node', async () => {
      if (node.exitCode !== null) throw new Error(`the node ended with ${node.exitCode}`);
      return /eth (\S+), (ws:\S+)\n/.exec(said) ?? undefined;
    });
    if (ethUrl === undefined || nodeUrl === undefined) throw new Error(`not understood: ${said}`);
    const file = join(folder, 'dev.json');
    const bundles = process.env['RIVULET_BUNDLES'] ?? join(ROOT, 'deployments/bundles');
    await promisify(execFile)(built('deploy'), ['dev', '--rpc-url', nodeUrl, '--out', file, '--bundles', bundles]);
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return new World(folder, [node], nodeUrl, ethUrl, json, readDeployment(json));
  }

  /** A relayer that claims often; its URL. */
  async relayer(): Promise<string> {
    const port = await freePort();
    const config = join(this.folder, 'relayer.toml');
    const text = [
      `deployment = "${join(this.folder, 'dev.json')}"`,
      `database = "${join(this.folder, `relayer-${port}.db`)}"`,
      '[signer]\ndev_uri = "//Bob"',
      `[http]\nlisten = "127.0.0.1:${port}"`,
      `[chain]\nrpc_urls = ["${this.nodeUrl}"]`,
      '[acknowledge]\nkey_env = "ACKNOWLEDGE_KEY"',
      '[batch]\ninterval_ms = 500\nenough_vouchers = 1\nmin_value_bps = 0\nclaim_every_secs = 1',
    ];
    writeFileSync(config, `${text.join('\n')}\n`);
    const log = openSync(join(this.folder, 'relayer.log'), 'a');
    const child = spawn(built('rivulet'), ['relay', '--config', config], { stdio: ['ignore', log, log], env: { ...process.env, ACKNOWLEDGE_KEY: `0x${'07'.repeat(32)}` } });
    this.children.push(child);
    const url = `http://127.0.0.1:${port}`;
    await until('the relayer', async () => {
      if (child.exitCode !== null) throw new Error(`the relayer ended with ${child.exitCode}:\n${readFileSync(join(this.folder, 'relayer.log'), 'utf8')}`);
      return (await fetch(`${url}/ready`).catch(() => undefined))?.ok;
    });
    return url;
  }

  /** A paywall in front of a web server, with a price list such as `/articles/*=0.10usdc`; its URL. */
  async paywall(wall: { upstream: string; payee: string; relayer: string; prices: readonly string[] }): Promise<string> {
    const port = await freePort();
    const file = (name: string) => join(this.folder, `paywall-${port}${name}`);
    const log = openSync(file('.log'), 'a');
    const flags = { upstream: wall.upstream, payee: wall.payee, relayer: wall.relayer, deployment: join(this.folder, 'dev.json'), database: file('.db'), listen: `127.0.0.1:${port}` };
    const args = [...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]), ...wall.prices.flatMap((price) => ['--price', price])];
    const child = spawn(built('rivulet'), ['paywall', ...args], { stdio: ['ignore', log, log] });
    this.children.push(child);
    const url = `http://127.0.0.1:${port}`;
    await until('the paywall', async () => {
      if (child.exitCode !== null) throw new Error(`the paywall ended with ${child.exitCode}:\n${readFileSync(file('.log'), 'utf8')}`);
      return (await fetch(`${url}/.well-known/rivulet/health`).catch(() => undefined))?.ok;
    });
    return url;
  }

  /** Gives back what a purchase cost, as its creator does. */
  async refund(paywallUrl: string, channel: string, purchase: string): Promise<void> {
    const database = join(this.folder, `paywall-${new URL(paywallUrl).port}.db`);
    await promisify(execFile)(built('rivulet'), ['paywall', 'refund', '--database', database, '--channel', channel, '--purchase', purchase, '--deployment', join(this.folder, 'dev.json')]);
  }

  /** Asks the node itself. */
  node<T>(method: string, ...params: unknown[]): Promise<T> {
    return ask(this.nodeUrl.replace('ws:', 'http:'), method, params);
  }

  /** Lets time pass: until the last final block has it. */
  async advance(secs: number): Promise<void> {
    const time = await this.node<number>('dev_advanceTime', secs);
    await until('a block of that time', async () => Number((await ask<{ timestamp: string }>(this.ethUrl, 'eth_getBlockByNumber', ['finalized', false])).timestamp) >= time);
  }

  async stop(): Promise<void> {
    // The relayer first: it complains when its node goes.
    for (const child of this.children.reverse()) await stop(child);
    await rm(this.folder, { recursive: true });
  }
}

import { type Abi, type Account, type Address, type Chain, type Hash, type PublicClient, type TransactionReceipt, type Transport, type WalletClient, defineChain, keccak256 } from 'viem';
import type { Deployment } from './deployment.js';
import { RivuletError } from './errors.js';

/** When a transaction counts: once its block is final, or as soon as it is in one, which a reorganization can still undo. */
export type Wait = 'final' | 'included';

/** A block that views are read at. */
export interface BlockAt {
  readonly number: bigint;
  /** Unix seconds. */
  readonly timestamp: bigint;
}

/** A wallet that can send. */
export type Wallet = WalletClient<Transport, Chain | undefined, Account>;

/** The chain of a deployment as viem wants it. */
export function chainOf(deployment: Deployment, rpcUrl: string): Chain {
  return defineChain({
    id: deployment.chainId,
    name: `Rivulet ${deployment.network}`,
    nativeCurrency: { name: 'DOT', symbol: 'DOT', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}

/** A deployment on a chain that was looked at: it has this id, and the released code. */
export class Network {
  private constructor(
    readonly deployment: Deployment,
    readonly client: PublicClient,
    private readonly finalityMs: number,
  ) {}

  /**
   * Checks the chain's id and the code of both contracts, then gives a network to work with.
   *
   * @param finalityMs How long to wait for a transaction to become final before giving up on waiting.
   */
  static async connect(deployment: Deployment, client: PublicClient, { finalityMs = 180_000 } = {}): Promise<Network> {
    checkChain('the RPC', await client.getChainId(), deployment);
    await Promise.all(
      (['channels', 'streams'] as const).map(async (kind) => {
        const { address, codeHash } = deployment[kind];
        const code = await client.getCode({ address });
        const found = code === undefined ? 'no code' : keccak256(code);
        if (found !== codeHash) throw new RivuletError('wrong_contract', `${kind} at ${address}: expected code of hash ${codeHash}, found ${found}: do not pay into it`);
      }),
    );
    return new Network(deployment, client, finalityMs);
  }

  /** The last final block, or the best one. */
  async block(wait: Wait = 'final'): Promise<BlockAt> {
    const { number, timestamp } = await this.client.getBlock({ blockTag: wait === 'final' ? 'finalized' : 'latest' });
    if (number === null) throw new RivuletError('bad_answer', 'the RPC gave a block without a number');
    return { number, timestamp };
  }

  /** The wallet, if it is one that can send here. */
  async sender(wallet: Wallet | undefined): Promise<Wallet> {
    if (wallet?.account === undefined) throw new RivuletError('no_wallet', 'this call needs a wallet client with an account');
    checkChain('the wallet', await wallet.getChainId(), this.deployment);
    return wallet;
  }

  /** Sends a call after a dry run, which tells of refusals by name and costs nothing. Returns its receipt when it counts. */
  async send(wallet: Wallet | undefined, call: { abi: Abi; address: Address; functionName: string; args: readonly unknown[]; value?: bigint }, wait: Wait): Promise<TransactionReceipt> {
    const sender = await this.sender(wallet);
    const { request } = await this.client.simulateContract({ ...call, account: sender.account });
    // The chain was checked above; the wallet's own notion of it may be missing.
    const hash = await sender.writeContract({ ...request, chain: null } as Parameters<typeof sender.writeContract>[0]);
    return this.settled(hash, wait);
  }

  /** Waits until a transaction counts. Throws `reverted` or `not_final`. */
  async settled(hash: Hash, wait: Wait): Promise<TransactionReceipt> {
    let receipt = await this.client.waitForTransactionReceipt({ hash });
    const until = Date.now() + this.finalityMs;
    for (;;) {
      if (receipt.status !== 'success') throw new RivuletError('reverted', `transaction ${hash} failed in block ${receipt.blockNumber}`);
      if (wait === 'included') return receipt;
      const final = await this.block('final');
      if (final.number >= receipt.blockNumber) {
        // A reorganization may have put it elsewhere meanwhile, or nowhere.
        const again = await this.client.getTransactionReceipt({ hash }).catch(() => undefined);
        if (again !== undefined && again.blockHash === receipt.blockHash) return again;
        if (again !== undefined) receipt = again;
      }
      if (Date.now() > until) throw new RivuletError('not_final', `transaction ${hash} was not final within ${this.finalityMs} ms: it may still become so; look before sending it again`);
      await new Promise((resolve) => setTimeout(resolve, this.client.pollingInterval));
    }
  }
}

function checkChain(who: string, given: number, { chainId, network }: Deployment): void {
  if (given !== chainId) throw new RivuletError('wrong_chain', `${who} is on chain ${given}, expected ${chainId} (${network}): switch the network`);
}

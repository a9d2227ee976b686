import { type PublicClient, createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Network, type Wallet, chainOf } from '../../src/index.js';
import type { World } from './processes.js';

/** Keys of the dev chain that everybody knows, each with a million of everything. */
export const KEYS = {
  alith: '0x5fb92d6e98884f76de468fa3f6278f8807c48bebc13595d45af5bdc4da702133',
  baltathar: '0x8075991ce870b93a8870eca0c0f91913d12f47948ca0fd25b49c6fa7cdbeee8b',
  charleth: '0x0b6e18cafb6ed99687ec547bd28139cafdd2bffe70e6b688025de6b445aa5c5b',
  dorothy: '0x39539ab1876910bbf3a223d84a29e28f1cb4e2e456503e7e91ed39b2e7223d68',
  ethan: '0x7dce9bc8babb68fec1409be38c8e1a52650206a7ed90ff956ae8a6d15eeaaef4',
} as const;

export const account = (name: keyof typeof KEYS) => privateKeyToAccount(KEYS[name]);

export function clientOf(world: World): PublicClient {
  return createPublicClient({ chain: chainOf(world.deployment, world.ethUrl), transport: http(world.ethUrl), pollingInterval: 50 });
}

export function walletOf(world: World, name: keyof typeof KEYS): Wallet {
  return createWalletClient({ account: account(name), chain: chainOf(world.deployment, world.ethUrl), transport: http(world.ethUrl) });
}

export const networkOf = (world: World): Promise<Network> => Network.connect(world.deployment, clientOf(world));

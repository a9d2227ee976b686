import { type Address, type Hex, hashDomain, parseSignature } from 'viem';
import { erc20Abi } from './abi/erc20.js';
import type { Token } from './deployment.js';
import { RivuletError } from './errors.js';
import type { Network, Wallet } from './network.js';

/** An allowance as an EIP-2612 signature. */
export interface Permit {
  readonly deadline: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

const DOMAIN = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
] as const;

const PERMIT = [
  { name: 'owner', type: 'address' },
  { name: 'spender', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'nonce', type: 'uint256' },
  { name: 'deadline', type: 'uint256' },
] as const;

/** Signs a permit. Throws `no_permit` where the token's domain is another one than the wallet would show: it would not count. */
export async function signPermit(
  network: Network,
  wallet: Wallet,
  { token, spender, units, deadline }: { token: Token; spender: Address; units: bigint; deadline: bigint },
): Promise<Permit> {
  const query = { abi: erc20Abi, address: token.address } as const;
  const owner = wallet.account.address;
  const [name, nonce, separator] = await Promise.all([
    network.client.readContract({ ...query, functionName: 'name' }),
    network.client.readContract({ ...query, functionName: 'nonces', args: [owner] }),
    network.client.readContract({ ...query, functionName: 'DOMAIN_SEPARATOR' }),
  ]);
  const domain = { name, version: '1', chainId: network.deployment.chainId, verifyingContract: token.address };
  if (hashDomain({ domain: { ...domain, chainId: BigInt(domain.chainId) }, types: { EIP712Domain: DOMAIN } }) !== separator) {
    throw new RivuletError('no_permit', `${token.name}: its permits are not under the usual domain; use an allowance`);
  }
  const signature = await wallet.signTypedData({
    account: wallet.account,
    domain,
    types: { Permit: PERMIT },
    primaryType: 'Permit',
    message: { owner, spender, value: units, nonce, deadline },
  });
  const { r, s, yParity } = parseSignature(signature);
  return { deadline, v: 27 + yParity, r, s };
}

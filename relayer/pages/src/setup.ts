/** What the relayer that served this page says of itself and of the chain. */
import { type Deployment, Network, RivuletError, Relayer, chainOf, readDeployment } from '@rivulet/client';
import { type Chain, type PublicClient, createPublicClient, http } from 'viem';

export interface Setup {
  readonly deployment: Deployment;
  readonly rpcUrl: string;
  readonly chain: Chain;
  readonly client: PublicClient;
}

export async function getJson(path: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: 'application/json' } });
  } catch (error) {
    throw new RivuletError('unreachable', 'the relayer does not answer', { cause: error });
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body;
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : `it answered ${response.status}`;
  throw new RivuletError('bad_answer', `the relayer: ${detail}`);
}

export async function setup(): Promise<Setup> {
  const { eth_rpc_url: rpcUrl, deployment: json } = (await getJson('/v1/pages')) as { eth_rpc_url: string; deployment: unknown };
  const deployment = readDeployment(json);
  const chain = chainOf(deployment, rpcUrl);
  return { deployment, rpcUrl, chain, client: createPublicClient({ chain, transport: http(rpcUrl), pollingInterval: 500 }) };
}

/** The chain, looked at: the right one, with the released contracts. Asked again until it answers. */
export async function connect({ deployment, client }: Setup, onWait: (error: unknown) => void): Promise<Network> {
  for (;;) {
    try {
      return await Network.connect(deployment, client);
    } catch (error) {
      onWait(error);
      if (error instanceof RivuletError) throw error; // it answered, and is not what it should be
      await new Promise((resolve) => setTimeout(resolve, 3_000));
    }
  }
}

export const relayerHere = (deployment: Deployment): Promise<Relayer> => Relayer.connect(location.origin, deployment);

/** Accounts whose keys the RPC itself has: a development node's, which everybody knows. None elsewhere. */
export async function developmentAccounts({ deployment, client }: Setup): Promise<readonly `0x${string}`[]> {
  if (deployment.network !== 'dev') return [];
  return (client.request as (call: { method: string }) => Promise<`0x${string}`[]>)({ method: 'eth_accounts' }).catch(() => []);
}

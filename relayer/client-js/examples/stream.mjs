import { readFileSync } from 'node:fs';
import { createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Network, Streams, chainOf, formatAmount, parseAmount, ratePerSecondScaled, readDeployment, tick } from '@rivulet/client';
import { DEPLOYMENT, KEY, PAYEE, RPC } from './settings.mjs';

const deployment = readDeployment(JSON.parse(readFileSync(DEPLOYMENT, 'utf8')));
const chain = chainOf(deployment, RPC);
const network = await Network.connect(deployment, createPublicClient({ chain, transport: http() }));
const streams = new Streams(network, createWalletClient({ account: privateKeyToAccount(KEY), chain, transport: http() }));

const aDay = parseAmount('10usdc', deployment).units; // flows in 86,400 seconds
const stream = await streams.create({ payee: PAYEE, deposit: parseAmount('70usdc', deployment), flow: { ratePerSecondScaled: ratePerSecondScaled(aDay, 86_400n) } });
const stop = tick(streams, stream.number, (live) => console.log(live ? `${formatAmount({ token: stream.token, units: live.claimable })} earned` : 'it is over'));

setTimeout(stop, 5_000);

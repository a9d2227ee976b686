import { readFileSync } from 'node:fs';
import { createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Channels, Network, PayChannel, Relayer, chainOf, formatAmount, parseAmount, readDeployment, sessionKey } from '@rivulet/client';
import { fileStore } from '@rivulet/client/node';
import { DEPLOYMENT, KEY, PAYEE, RELAYER, RPC } from './settings.mjs';

const deployment = readDeployment(JSON.parse(readFileSync(DEPLOYMENT, 'utf8')));
const chain = chainOf(deployment, RPC);
const network = await Network.connect(deployment, createPublicClient({ chain, transport: http() }));
const relayer = await Relayer.connect(RELAYER, deployment);

const store = fileStore('.rivulet'); // the session key, and all that was ever promised
const session = await sessionKey(store);
const channels = new Channels(network, createWalletClient({ account: privateKeyToAccount(KEY), chain, transport: http() }));
const deposit = parseAmount('5dot', deployment);
const channel = await channels.open({ payee: PAYEE, deposit, voucherSigner: session.address, challengePeriodSecs: 3600 });
const pay = await PayChannel.of(channels, store, session, channel, { perPayment: parseAmount('0.1dot', deployment).units });

await pay.payTo(relayer, parseAmount('0.01dot', deployment).units); // no transaction, no fee, no prompt
console.log(`channel ${channel.terms.book}/${channel.terms.serial}: ${formatAmount({ token: channel.token, units: pay.promised })} of ${formatAmount(deposit)} paid`);

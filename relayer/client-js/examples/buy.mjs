import { readFileSync } from 'node:fs';
import { createPublicClient, createWalletClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { Channels, Network, PayChannel, chainOf, formatAmount, parseAmount, payingFetch, readDeployment, sessionKey } from '@rivulet/client';
import { fileStore } from '@rivulet/client/node';
import { DEPLOYMENT, KEY, PAGE, PAYEE, RPC } from './settings.mjs';

const deployment = readDeployment(JSON.parse(readFileSync(DEPLOYMENT, 'utf8')));
const chain = chainOf(deployment, RPC);
const network = await Network.connect(deployment, createPublicClient({ chain, transport: http() }));
const channels = new Channels(network, createWalletClient({ account: privateKeyToAccount(KEY), chain, transport: http() }));

const store = fileStore('.rivulet');
const session = await sessionKey(store);
const channel = await channels.open({ payee: PAYEE, deposit: parseAmount('5usdc', deployment), voucherSigner: session.address, challengePeriodSecs: 3600 });
const units = (text) => parseAmount(text, deployment).units;
const pay = await PayChannel.of(channels, store, session, channel, { perPayment: units('0.2usdc'), perSite: units('2usdc') });

const buy = payingFetch(pay, { onPaid: ({ url, amount }) => console.log(`${formatAmount({ token: channel.token, units: amount })} for ${url}`) });
const article = await buy(PAGE); // as fetch: but a 402 is paid, within the limits, and asked again
console.log(article.status, await article.text());

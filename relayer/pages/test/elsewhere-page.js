// A dapp of another origin, by the published client alone: it learns of chain and contracts from the relayer, opens a channel with the wallet, pays, closes.
import { Channels, Network, PayChannel, Relayer, browserStore, chainOf, parseAmount, payingFetch, readDeployment, sessionKey } from '@rivulet/client';
import { createPublicClient, createWalletClient, custom, http } from 'viem';

const [relayerUrl, payee, wall] = ['relayer', 'payee', 'wall'].map((name) => new URLSearchParams(location.search).get(name));
const said = document.querySelector('output');
const told = (text) => (said.textContent = text);

const { eth_rpc_url: rpc, deployment: json } = await (await fetch(`${relayerUrl}/v1/pages`)).json();
const deployment = readDeployment(json);
const chain = chainOf(deployment, rpc);
const network = await Network.connect(deployment, createPublicClient({ chain, transport: http(), pollingInterval: 100 }));
const relayer = await Relayer.connect(relayerUrl, deployment);
const store = browserStore();
const session = await sessionKey(store);
new EventSource(`${relayerUrl}/v1/payees/${payee}/events`).addEventListener('accepted', ({ data }) => (document.querySelector('#heard').textContent = JSON.parse(data).cumulative_amount));

let channels;
let pay;
const on = (id, work) => document.querySelector(id).addEventListener('click', () => void work().catch((error) => told(`failed: ${error.message}`)));

on('#open', async () => {
  const [account] = await window.ethereum.request({ method: 'eth_requestAccounts' });
  const wallet = createWalletClient({ account, chain, transport: custom(window.ethereum) });
  await wallet.addChain({ chain });
  channels = new Channels(network, wallet);
  const opened = await channels.open({ payee, deposit: parseAmount('5usdc', deployment), voucherSigner: session.address, challengePeriodSecs: 60 });
  pay = await PayChannel.of(channels, store, session, opened, { perPayment: parseAmount('0.10usdc', deployment).units });
  // The relayer takes vouchers of a channel once it has the channel's block.
  while ((await (await fetch(`${relayerUrl}/v1/info`)).json()).block_number < opened.at.number) await new Promise((resolve) => setTimeout(resolve, 100));
  told('open');
});
on('#pay', async () => {
  await pay.payTo(relayer, parseAmount('0.03usdc', deployment).units);
  told(`paid ${pay.promised}`);
});
// A site that answers a payment by a redirect, which this browser does not show; then one that serves.
on('#buy', async () => {
  const buy = payingFetch(pay);
  const page = `${wall}/articles/led`;
  const hidden = await buy(page).catch((error) => error);
  if (hidden.code !== 'redirected') throw hidden;
  const { type } = await buy(page, { redirect: 'manual' });
  told(`${type}, ${await (await buy(`${wall}/articles/1`)).text()}, paid ${pay.promised}`);
});
on('#close', async () => {
  await channels.requestClose(pay.state.terms);
  told('closing');
});
on('#finish', async () => {
  await channels.finish(pay.state.terms);
  told('closed');
});
told('ready');

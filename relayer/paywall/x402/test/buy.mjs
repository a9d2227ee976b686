// Buys articles from a real paywall with the published @x402/fetch. Told what and where by BUY, a JSON object; tests/e2e/tests/x402_fetch.rs starts it.
import assert from 'node:assert/strict';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { privateKeyToAccount } from 'viem/accounts';
import { ChannelScheme, forThisRequest } from '../dist/index.js';

const { url, key, network, channel, price } = JSON.parse(process.env.BUY);
const terms = { ...channel, deposit: BigInt(channel.deposit) };

/** A program that has just been started, with no memory. */
function fresh(fetch = globalThis.fetch) {
  const scheme = new ChannelScheme({ signer: privateKeyToAccount(key), channels: [terms] });
  const client = new x402Client().register(network, scheme);
  client.setSpendControls({ allowedAssets: [{ network, asset: channel.token, maxAmountPerPayment: price }] });
  return { scheme, pay: wrapFetchWithPayment(forThisRequest(fetch), client) };
}
const told = (response) => decodePaymentResponseHeader(response.headers.get('PAYMENT-RESPONSE'));
async function got(response, content, amount) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('cache-control'), 'private, no-store');
  assert.deepEqual([told(response).success, told(response).amount], [true, amount]);
  assert.equal(await response.text(), content);
}

const first = fresh();
await got(await first.pay(`${url}/articles/1`), 'article 1', price);
await got(await first.pay(`${url}/articles/2`), 'article 2', price);
assert.equal(first.scheme.promised[channel.channelId], 2n * BigInt(price));

// Another process of the same payer: it knows its key and its channel, and nothing else.
const second = fresh();
await got(await second.pay(`${url}/articles/3`), 'article 3', price);
assert.equal(second.scheme.promised[channel.channelId], 3n * BigInt(price));

// An answer that was lost: the purchase is asked for again, and costs nothing more.
let isLost = false;
const third = fresh(async (request) => {
  const isPaid = request.headers.has('PAYMENT-SIGNATURE');
  const response = await fetch(request);
  if (isPaid && response.ok && !isLost) {
    isLost = true;
    await response.arrayBuffer();
    throw new TypeError('the connection broke');
  }
  return response;
});
await assert.rejects(third.pay(`${url}/articles/4`), /the connection broke/);
await got(await third.pay(`${url}/articles/4`), 'article 4', '0');

// What the web server did not serve is credit.
const broken = await third.pay(`${url}/broken/article`);
assert.deepEqual([broken.status, told(broken).success, told(broken).amount], [503, false, '0']);
const before = third.scheme.promised[channel.channelId];
await got(await third.pay(`${url}/articles/5`), 'article 5', price);
assert.equal(third.scheme.promised[channel.channelId], before);

// Free pages need no payment, and a price above the limit is not paid.
assert.equal(await (await third.pay(`${url}/`)).text(), 'welcome');
await assert.rejects(third.pay(`${url}/dear/1`), /spendControls/);
console.log(JSON.stringify({ promised: String(third.scheme.promised[channel.channelId]) }));

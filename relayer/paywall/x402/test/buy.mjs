// Buys articles from a real paywall with the published @x402/fetch. Told what and where by BUY, a JSON object; tests/e2e/tests/x402_fetch.rs starts it.
import assert from 'node:assert/strict';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { privateKeyToAccount } from 'viem/accounts';
import { ChannelScheme, forThisRequest, memoryStore } from 'rivulet-x402';

const { url, key, network, channel, price } = JSON.parse(process.env.BUY);
// What @rivulet/client's `open` returns, out of JSON.
const opened = { ...channel, terms: { ...channel.terms, openedAt: BigInt(channel.terms.openedAt) }, cover: BigInt(channel.cover), claimed: 0n };

/** A program that has just been started, with no memory but this store's. */
function fresh({ fetch = globalThis.fetch, store = memoryStore() } = {}) {
  const scheme = new ChannelScheme({ signer: privateKeyToAccount(key), channels: [opened], store });
  const client = new x402Client().register(network, scheme);
  client.setSpendControls({ allowedAssets: [{ network, asset: opened.terms.token, maxAmountPerPayment: price }] });
  return { scheme, pay: wrapFetchWithPayment(forThisRequest(fetch), client) };
}
const promised = async ({ scheme }) => (await scheme.promised())[opened.id];
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
assert.equal(await promised(first), 2n * BigInt(price));

// Another process of the same payer: it knows its key and its channel, and nothing else.
const second = fresh();
await got(await second.pay(`${url}/articles/3`), 'article 3', price);
assert.equal(await promised(second), 3n * BigInt(price));

// An answer that was lost: the purchase is asked for again, by the next program that has the store, and costs nothing more.
const store = memoryStore();
const losing = fresh({
  store,
  fetch: async (request) => {
    const isPaid = request.headers.has('PAYMENT-SIGNATURE');
    const response = await fetch(request);
    if (!isPaid || !response.ok) return response;
    await response.arrayBuffer();
    throw new TypeError('the connection broke');
  },
});
await assert.rejects(losing.pay(`${url}/articles/4`), /the connection broke/);
const third = fresh({ store });
await got(await third.pay(`${url}/articles/4`), 'article 4', '0');

// What the web server did not serve is credit.
const broken = await third.pay(`${url}/broken/article`);
assert.deepEqual([broken.status, told(broken).success, told(broken).amount], [503, false, '0']);
const before = await promised(third);
await got(await third.pay(`${url}/articles/5`), 'article 5', price);
assert.equal(await promised(third), before);

// Free pages need no payment, and a price above the limit is not paid.
assert.equal(await (await third.pay(`${url}/`)).text(), 'welcome');
await assert.rejects(third.pay(`${url}/dear/1`), /spendControls/);
console.log(JSON.stringify({ promised: String(await promised(third)) }));

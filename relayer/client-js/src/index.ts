/** Payment channels and per-second streams on Polkadot. See README.md. */
export { channelsAbi } from './abi/channels.js';
export { erc20Abi } from './abi/erc20.js';
export { streamsAbi } from './abi/streams.js';
export { type Amount, MAX_AMOUNT, NATIVE_GRAIN, floorToGrain, formatAmount, parseAmount } from './amounts.js';
export { type ChannelState, Channels, type OpenChannel, type Opening } from './channels.js';
export { type ContractAt, type Deployment, type Token, readDeployment, tokenAt } from './deployment.js';
export { type ErrorCode, RivuletError } from './errors.js';
export { type RelayTerms, relayFee } from './fee.js';
export { type Balances, type Live, SCALE, type Schedule, type Snapshot, type StreamStatus, liveAt, ratePerSecondScaled } from './flow.js';
export { type BlockAt, Network, type Wait, type Wallet, chainOf } from './network.js';
export { PayChannel } from './pay-channel.js';
export { type Paid, type PayingFetchOptions, payingFetch } from './paying-fetch.js';
export { type Limits, Purse } from './purse.js';
export { type Best, type Problem, type Receipt, Rejected, Relayer, type RelayerOptions, type Sent } from './relayer.js';
export { signerOf, toCompact } from './signature.js';
export { type Store, browserStore, memoryStore } from './store.js';
export { type CreateStream, type Flow, type StreamNumber, type StreamState, Streams } from './streams.js';
export { type TickOptions, tick } from './ticker.js';
export {
  type Binding, type ChannelNumber, type ChannelTerms, type PurchaseTerms, acknowledgementData, acknowledgementDigest, channelId, channelsOf, purchaseData, purchaseDigest, voucherData, voucherDigest,
} from './typed-data.js';
export { type SignedVoucher, type VoucherSigner, isSignedBy, sessionKey, signVoucher } from './voucher.js';

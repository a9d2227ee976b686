/** What went wrong, in words that say what to do. */
import { Rejected, RivuletError } from '@rivulet/client';
import { BaseError, ContractFunctionRevertedError, HttpRequestError, InsufficientFundsError, TimeoutError, UserRejectedRequestError } from 'viem';

/** Refusals of the contracts that people meet here. The rest is shown by name. */
const REVERTED: Readonly<Record<string, string>> = {
  BadParty: 'The payee cannot be you, a contract of Rivulet or a token: give another address.',
  BadPeriod: 'The contract does not allow this time for the payee to claim: choose another.',
  PullFailed: 'The tokens could not be taken: look whether this account has them.',
  NotMovable: 'The native token moves in steps of 0.0000000001 DOT: give fewer decimals.',
  NothingToPay: 'There is nothing to pay out yet: wait until something has flowed.',
  NotDue: 'It is not due yet: the payee still has time to claim.',
  AlreadyRequested: 'The close is already asked for: finish it when it is due.',
  NotAllowed: 'Only the party whose side this is may do that: connect its account.',
  UnknownNumber: 'There is no such number on this chain.',
  ClosedNumber: 'It is closed, and its money was paid out.',
  NotCancellable: 'Its payer gave up cancelling, for good.',
  WrongPause: 'It is already so: reload to see how it stands.',
  Ended: 'It has ended: claim what is left.',
};

const CODES: Readonly<Record<string, string>> = {
  wrong_chain: 'Your wallet is on another network: switch it to this one and try again. Nothing was sent.',
  not_covered: 'The deposit does not cover this payment: top up, or pay less.',
  unreachable: 'The relayer did not answer. What you paid is kept in this browser: send it again when it is back; nothing is paid twice.',
  not_ours: 'This browser does not have the key that pays from this channel. Connect its payer to close it and get the rest back.',
  not_final: 'The transaction was sent but is not final yet: wait, then look at this page again before you try once more.',
};

const REJECTED: Readonly<Record<string, string>> = {
  unknown_channel: 'The relayer does not see this channel yet: wait some seconds and send the payment again.',
  not_final: 'The channel is too new for this amount: wait some seconds and send the payment again.',
  channel_closing: 'A close is asked for, so nothing new counts: open another channel to pay on.',
  channel_closed: 'This channel is closed: open another to pay on.',
  payee_not_served: 'This relayer does not work for this payee: ask the payee for its relayer.',
  first_total_too_small: 'The first payment of a channel must be worth a claim: pay a little more.',
  rate_limited: 'Too many payments in a short time: wait a moment and send it again.',
  draining: 'This relayer is about to stop and takes nothing new: try again later.',
};

const UNSENT: readonly string[] = ['bad_input', 'no_permit', 'no_wallet', 'wrong_chain', 'wrong_contract'];

/** True when what failed was surely not sent: declined, or refused by the dry run before it. */
export function isUnsent(error: unknown): boolean {
  if (error instanceof RivuletError) return UNSENT.includes(error.code);
  const before = [UserRejectedRequestError, ContractFunctionRevertedError, InsufficientFundsError];
  if (error instanceof BaseError) return error.walk((inner) => before.some((kind) => inner instanceof kind)) !== null;
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 4001;
}

export function explain(error: unknown): string {
  if (error instanceof Rejected) return REJECTED[error.problem.code] ?? `The relayer refused: ${error.problem.detail}.`;
  if (error instanceof RivuletError) return CODES[error.code] ?? sentence(error.message);
  if (error instanceof BaseError) {
    const inner = (kind: abstract new (...args: never[]) => Error) => error.walk((e) => e instanceof kind);
    if (inner(UserRejectedRequestError) !== null) return 'You declined in your wallet: nothing was sent.';
    const reverted = inner(ContractFunctionRevertedError) as ContractFunctionRevertedError | null;
    if (reverted !== null) {
      const name = reverted.data?.errorName;
      if (name !== undefined) return REVERTED[name] ?? `The contract refused (${name}): nothing was moved.`;
      return `The contract refused: ${sentence(reverted.reason ?? 'it gave no reason')} Look whether this account has enough to pay with.`;
    }
    if (inner(InsufficientFundsError) !== null) return 'This account has too little for the amount and the fee: put DOT into it, or give a smaller amount.';
    if (inner(HttpRequestError) !== null || inner(TimeoutError) !== null) return 'The chain’s RPC does not answer: look at your connection, then try again.';
    return sentence(error.shortMessage);
  }
  // What a wallet throws by itself.
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 4001) return 'You declined in your wallet: nothing was sent.';
  return sentence(error instanceof Error ? error.message : String(error));
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

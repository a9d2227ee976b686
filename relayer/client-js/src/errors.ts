/** Why something was not done. Nothing was signed or sent, unless the code says otherwise. Codes are stable. */
export type ErrorCode =
  /** An amount, address or option that cannot be. */
  | 'bad_input'
  /** A deployment file of another shape. */
  | 'bad_deployment'
  /** The client, wallet or relayer is on another chain. */
  | 'wrong_chain'
  /** The code at a contract's address is not the released one; or a site is paid through another contract or chain than our channels are of. */
  | 'wrong_contract'
  /** The relayer works for another deployment. */
  | 'wrong_relayer'
  /** No wallet was given, or it has no account. */
  | 'no_wallet'
  /** The token's permit domain is not the usual one. */
  | 'no_permit'
  /** There is no such channel or stream, or its record is gone. */
  | 'unknown_number'
  /** What the chain has is not what was asked for. Sent: look before trying again. */
  | 'not_as_asked'
  /** The transaction was included and failed. Sent. */
  | 'reverted'
  /** Not final in time. Sent: it may still become final, or not. */
  | 'not_final'
  /** More than the deposit covers. */
  | 'not_covered'
  /** More than the limit that the caller set. */
  | 'over_limit'
  /** A total that was not signed by this channel's own key. */
  | 'not_ours'
  /** No channel pays what a site asks for: another payee or token. The message names both. */
  | 'no_channel'
  /** A site asks to be paid for another request than was made to it. */
  | 'not_this_request'
  /** A paid request was answered by a redirect that cannot be handed on. Sent: the purchase is kept. */
  | 'redirected'
  /** The relayer or the site refused: `problem` says why. */
  | 'rejected'
  /** The relayer did not answer: the voucher may have arrived. */
  | 'unreachable'
  /** The relayer's answer is not in its form. */
  | 'bad_answer'
  /** The relayer took the voucher and did not sign for it. */
  | 'not_acknowledged'
  /** The storage failed or is held by another program. */
  | 'storage';

/** The only error that this package throws by itself; viem's pass through. */
export class RivuletError extends Error {
  override readonly name = 'RivuletError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

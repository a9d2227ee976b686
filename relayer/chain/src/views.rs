//! What the contracts say of their state at a block.

use crate::{
    Chain, Error,
    abi::{both::Both, channels::Channels, from_sol, streams::Streams, to_sol},
};
use futures::try_join;
use rivulet_core::{
    fee::RelayTerms,
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, StreamId, StreamNumber, Token},
    stream::{Cliff, Flags},
};
use rivulet_rules::chain::{BlockRef, BookState, ChannelState, ChannelView, ContractKind, StreamState};

/// What a contract was constructed with, and how many books it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContractConfig {
    /// Shortest challenge period.
    pub min_challenge_period_secs: u32,
    /// Longest challenge period.
    pub max_challenge_period_secs: u32,
    /// The most a relay fee may be, in hundredths of a percent of a row's gain.
    pub fee_ceiling_bps: u16,
    /// Where mistaken transfers may be swept to.
    pub sweep_to: Address,
    /// The highest book number; 0: none yet.
    pub books: u32,
    /// How many tokens are listed beside the native one.
    pub tokens: u32,
}

/// What a contract says of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TokenState {
    /// Whether the contract takes it.
    pub listed: bool,
    /// The minimum balance that it holds and never pays.
    pub seed: u128,
    /// Owed to all channels or streams and credits together.
    pub owed: u128,
}

/// The figures of a stream at a block. The debts are as of that block's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamBalances {
    /// What the payer has put in.
    pub deposit: u128,
    /// What has been paid out.
    pub paid: u128,
    /// The part of the deposit that is never refunded.
    pub committed: u128,
    /// Owed to the payee: covered and uncovered.
    pub total_debt: u128,
    /// Owed, and covered by the balance.
    pub covered_debt: u128,
    /// Owed beyond the balance.
    pub uncovered_debt: u128,
    /// What the payer could take back.
    pub refundable: u128,
    /// When the deposit runs out (Unix seconds); 0: never, as things stand.
    pub depletes_at: u64,
}

/// A stream with all that there is to know of it at a block, but who may act for its payer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamDetails {
    /// As a relayer sees it.
    pub state: StreamState,
    /// The cliff: when the flow begins, and what falls due then.
    pub cliff: Option<Cliff>,
    /// Bits of [`Flags`].
    pub flags: u8,
    /// Its figures.
    pub balances: StreamBalances,
}

/// Who may act for a stream's payer, and how far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamDelegate {
    /// Who.
    pub address: Address,
    /// What it may do: bits of `rivulet_core::stream::Rights`.
    pub rights: u8,
    /// The highest rate that it may set, as amount per second × 1e9.
    pub rate_cap_per_second_scaled: u128,
}

// Codes of the `channel` view.
const STATUS_UNKNOWN: u8 = 0;
const STATUS_OPEN: u8 = 1;
const STATUS_CLOSING: u8 = 2;
const STATUS_CLOSED: u8 = 3;

impl Chain {
    /// A channel.
    ///
    /// # Errors
    ///
    /// When the node does not answer or no longer has the block's state. So all views.
    pub async fn channel(&self, number: ChannelNumber, block: BlockRef) -> Result<ChannelView, Error> {
        let call = Channels::channelCall { book: number.book, serial: number.serial };
        let c = self.ask(ContractKind::Channels, &call, block).await?;
        match c.status {
            STATUS_UNKNOWN => Ok(ChannelView::Unknown),
            STATUS_CLOSED => Ok(ChannelView::Closed),
            STATUS_OPEN | STATUS_CLOSING => Ok(ChannelView::Live(ChannelState {
                terms: ChannelTerms {
                    number,
                    payer: from_sol(&c.payer),
                    payee: from_sol(&c.payee),
                    voucher_signer: from_sol(&c.voucherSigner),
                    token: from_sol(&c.token),
                    challenge_period_secs: c.challengePeriodSecs,
                    opened_at: c.openedAt,
                },
                deposit: c.deposit,
                claimed: c.claimed,
                close_due_at: (c.status == STATUS_CLOSING).then_some(c.closeDueAt),
                refund_requested: c.refundRequested,
                refund_due_at: (c.refundRequested > 0).then_some(c.refundDueAt),
            })),
            other => Err(Error::decode("a channel's status", format!("expected 0 to 3, given {other}"))),
        }
    }

    /// A channel's id as the contract says; `None` without a record.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn channel_id(&self, number: ChannelNumber, block: BlockRef) -> Result<Option<ChannelId>, Error> {
        let call = Channels::channelIdCall { book: number.book, serial: number.serial };
        let id = self.ask(ContractKind::Channels, &call, block).await?;
        Ok((!id.is_zero()).then_some(ChannelId(id.0)))
    }

    /// A stream; `None` without a record.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn stream(&self, number: StreamNumber, block: BlockRef) -> Result<Option<StreamState>, Error> {
        Ok(self.stream_details(number, block).await?.map(|details| details.state))
    }

    /// A stream with its cliff, its flags and all of its figures; `None` without a record.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn stream_details(&self, number: StreamNumber, block: BlockRef) -> Result<Option<StreamDetails>, Error> {
        let call = Streams::streamCall { book: number.book, serial: number.serial };
        let (s, b) = try_join!(self.ask(ContractKind::Streams, &call, block), self.balances(number, block))?;
        if s.payer.is_zero() {
            return Ok(None);
        }
        let state = StreamState {
            number,
            stream_id: StreamId(s.streamId.0),
            status: s.status,
            payer: from_sol(&s.payer),
            payee: from_sol(&s.payee),
            token: from_sol(&s.token),
            rate_per_second_scaled: s.ratePerSecondScaled,
            start_at: s.startAt,
            end_at: s.endAt,
            memo: s.memo.0,
            deposit: b.deposit,
            paid: b.paid,
            covered_debt: b.covered_debt,
            depletes_at: b.depletes_at,
        };
        let cliff = (s.flags & Flags::CLIFF != 0).then_some(Cliff { at: s.cliffAt, amount: s.cliffAmount });
        Ok(Some(StreamDetails { state, cliff, flags: s.flags, balances: b }))
    }

    /// The figures of a stream; zeros without a record.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn balances(&self, number: StreamNumber, block: BlockRef) -> Result<StreamBalances, Error> {
        let call = Streams::balancesCall { book: number.book, serial: number.serial };
        let b = self.ask(ContractKind::Streams, &call, block).await?;
        Ok(StreamBalances {
            deposit: b.deposit,
            paid: b.paid,
            committed: b.committed,
            total_debt: b.totalDebt,
            covered_debt: b.coveredDebt,
            uncovered_debt: b.uncoveredDebt,
            refundable: b.refundable,
            depletes_at: b.depletesAt,
        })
    }

    /// What a claim of all would take from a stream at this block's time, and the relay fee in it: zeros when nothing, or without a record.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn claimable_of_stream(&self, number: StreamNumber, block: BlockRef) -> Result<(u128, u128), Error> {
        let call = Streams::claimableCall { book: number.book, serial: number.serial };
        let c = self.ask(ContractKind::Streams, &call, block).await?;
        Ok((c.gain, c.fee))
    }

    /// Who may act for a stream's payer; `None` when nobody may.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn stream_delegate(&self, number: StreamNumber, block: BlockRef) -> Result<Option<StreamDelegate>, Error> {
        let call = Streams::delegateCall { book: number.book, serial: number.serial };
        let d = self.ask(ContractKind::Streams, &call, block).await?;
        let delegate = StreamDelegate { address: from_sol(&d.delegate), rights: d.rights, rate_cap_per_second_scaled: d.rateCapScaled };
        Ok(Some(delegate).filter(|d| !d.address.is_zero()))
    }

    /// A book; `None` when there is none of this number.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn book(&self, kind: ContractKind, book: u32, block: BlockRef) -> Result<Option<BookState>, Error> {
        let b = self.ask(kind, &Both::bookCall { book }, block).await?;
        if b.payee.is_zero() {
            return Ok(None);
        }
        Ok(Some(BookState {
            book,
            payee: from_sol(&b.payee),
            token: from_sol(&b.token),
            next_serial: b.nextSerial,
            terms: RelayTerms { beneficiary: from_sol(&b.beneficiary), fee_bps: b.feeBps, flat_fee: b.flatFee, min_gain: b.minGain, until: b.until },
        }))
    }

    /// The book of a payee and token; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn book_of(&self, kind: ContractKind, payee: &Address, token: &Token, block: BlockRef) -> Result<Option<u32>, Error> {
        let call = Both::bookOfCall { payee: to_sol(payee), token: to_sol(token) };
        Ok(Some(self.ask(kind, &call, block).await?).filter(|book| *book > 0))
    }

    /// How many books there are: they are numbered from 1 to this.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn books(&self, kind: ContractKind, block: BlockRef) -> Result<u32, Error> {
        Ok(self.config(kind, block).await?.books)
    }

    /// What the contract was constructed with.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn config(&self, kind: ContractKind, block: BlockRef) -> Result<ContractConfig, Error> {
        let c = self.ask(kind, &Both::configCall {}, block).await?;
        Ok(ContractConfig {
            min_challenge_period_secs: c.minChallengePeriodSecs,
            max_challenge_period_secs: c.maxChallengePeriodSecs,
            fee_ceiling_bps: c.feeCeilingBps,
            sweep_to: from_sol(&c.sweepTo),
            books: c.books,
            tokens: c.tokens,
        })
    }

    /// What the contract says of a token.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn token(&self, kind: ContractKind, token: &Token, block: BlockRef) -> Result<TokenState, Error> {
        let t = self.ask(kind, &Both::tokenCall { token: to_sol(token) }, block).await?;
        Ok(TokenState { listed: t.listed, seed: t.seed, owed: t.owed })
    }

    /// Every token that the contract takes, the native one first.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn tokens(&self, kind: ContractKind, block: BlockRef) -> Result<Vec<Token>, Error> {
        let mut tokens = vec![Token::ZERO];
        for index in 0..self.config(kind, block).await?.tokens {
            tokens.push(from_sol(&self.ask(kind, &Both::tokenAtCall { index }, block).await?));
        }
        Ok(tokens)
    }

    /// The channels or streams of a book that have a record, among `count` serials (at most 400) from `from` on; and from where to go on, if there are more.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn open_serials(
        &self,
        kind: ContractKind,
        book: u32,
        from: u32,
        count: u32,
        block: BlockRef,
    ) -> Result<(Vec<u32>, Option<u32>), Error> {
        let (serials, next) = match kind {
            ContractKind::Channels => {
                let found = self.ask(kind, &Channels::channelsCall { book, from, count }, block).await?;
                (found.serials, found.next)
            }
            ContractKind::Streams => {
                let found = self.ask(kind, &Streams::streamsCall { book, from, count }, block).await?;
                (found.serials, found.next)
            }
        };
        Ok((serials, Some(next).filter(|next| *next > 0)))
    }

    /// What a payout that did not go through has left to an owner.
    ///
    /// # Errors
    ///
    /// As [`Chain::channel`].
    pub async fn credit_of(&self, kind: ContractKind, owner: &Address, token: &Token, block: BlockRef) -> Result<u128, Error> {
        self.ask(kind, &Both::creditOfCall { owner: to_sol(owner), token: to_sol(token) }, block).await
    }
}

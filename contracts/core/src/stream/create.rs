//! Creating streams: one, many at once, or another's by its signed form.

use alloc::vec::Vec;

use super::{
    Details, Schedule, ScheduleError, State, Stream,
    record::insert,
    schedule::{Stated, check_amount},
};
use crate::{
    book,
    eip712::{Create, Domain},
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, StreamId, StreamNumber, StreamOrigin, Token},
    ledger,
    signature::CompactSignature,
    signed,
};

/// What a stream is created from. The fields mean what they mean in the interface and in [`Create`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewStream {
    /// Who is paid.
    pub payee: Address,
    /// In what.
    pub token: Token,
    /// What flows, when.
    pub stated: Stated,
    /// The first deposit, may be 0.
    pub amount: u128,
    /// The part of the deposit that is never refunded.
    pub committed: u128,
    /// For the payee's books.
    pub memo: [u8; 32],
}

/// What [`create_many`] is given: what all have in common, and a list of each thing that they have not.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "as in NewStream")]
pub struct NewStreams<'a> {
    pub token: Token,
    pub start_at: u64,
    pub cliff_at: u64,
    pub end_at: u64,
    pub flags: u8,
    pub payees: &'a [Address],
    pub rates_per_second_scaled: &'a [u128],
    pub totals: &'a [u128],
    pub cliff_amounts: &'a [u128],
    pub amounts: &'a [u128],
    pub committed: &'a [u128],
    pub memos: &'a [[u8; 32]],
}

impl NewStreams<'_> {
    /// The `i`-th; `None` past the end of any list.
    fn get(&self, i: usize) -> Option<NewStream> {
        let of = |list: &[u128]| list.get(i).copied();
        Some(NewStream {
            payee: *self.payees.get(i)?,
            token: self.token,
            stated: Stated {
                rate_per_second_scaled: of(self.rates_per_second_scaled)?,
                total: of(self.totals)?,
                start_at: self.start_at,
                cliff_at: self.cliff_at,
                cliff_amount: of(self.cliff_amounts)?,
                end_at: self.end_at,
                flags: self.flags,
            },
            amount: of(self.amounts)?,
            committed: of(self.committed)?,
            memo: *self.memos.get(i)?,
        })
    }

    /// Refuses lists of different lengths.
    fn check<H: Host>(&self, h: &H) -> Result<(), Refused> {
        let lists = [self.rates_per_second_scaled, self.totals, self.cliff_amounts, self.amounts, self.committed];
        let all = self.payees.len();
        if self.memos.len() != all || lists.iter().any(|list| list.len() != all) {
            return Err(h.refuse(Error::LengthsDiffer {}));
        }
        Ok(())
    }
}

/// Creates a stream of the caller's, with the caller's money or, for the time being, without any.
pub fn create<H: Host>(h: &mut H, new: &NewStream) -> Result<(StreamNumber, StreamId), Refused> {
    let payer = h.caller();
    create_from(h, &payer, new)
}

/// Creates a stream with the payer's tokens, as the payer signed it; whoever calls pays the fees. Native money cannot be pulled, so a native stream begins
/// without a deposit.
pub fn create_for<H: Host>(
    h: &mut H,
    payer: &Address,
    new: &NewStream,
    nonce: u64,
    deadline: u64,
    signature: &CompactSignature,
) -> Result<(StreamNumber, StreamId), Refused> {
    ledger::refuse_value(h)?;
    let NewStream { payee, token, stated, amount, committed, memo } = *new;
    let Stated { rate_per_second_scaled, total, start_at, cliff_at, cliff_amount, end_at, flags } = stated;
    let message = Create {
        payer: *payer,
        payee,
        token,
        rate_per_second_scaled,
        total,
        start_at,
        cliff_at,
        cliff_amount,
        end_at,
        flags,
        amount,
        committed,
        memo,
        nonce,
        deadline,
    };
    signed::check(h, Domain::Streams, &message, payer, nonce, deadline, signature)?;
    create_from(h, payer, new)
}

/// Creates many streams of one token with the caller's money; all of them or none. What a token moves along with the pull (see
/// [`ledger::take_deposit`]) is the last one's.
pub fn create_many<H: Host>(h: &mut H, many: &NewStreams<'_>) -> Result<Vec<StreamNumber>, Refused> {
    many.check(h)?;
    let payer = h.caller();
    let mut total = 0u128;
    // Twice through the lists: nothing is written before the money has come.
    for new in (0..).map_while(|i| many.get(i)) {
        check(h, &payer, &new)?;
        total = total.saturating_add(new.amount);
    }
    let mut more = take(h, &payer, &many.token, total)?.saturating_sub(total);
    let mut numbers = Vec::with_capacity(many.payees.len());
    for (i, new) in (0usize..).map_while(|i| many.get(i).map(|new| (i, new))) {
        let (schedule, residue) = check(h, &payer, &new)?;
        let along = if i.saturating_add(1) == many.payees.len() { core::mem::take(&mut more) } else { 0 };
        numbers.push(record(h, &payer, &new, &schedule, residue, new.amount.saturating_add(along))?.0);
    }
    Ok(numbers)
}

#[inline(never)]
fn create_from<H: Host>(h: &mut H, payer: &Address, new: &NewStream) -> Result<(StreamNumber, StreamId), Refused> {
    let (schedule, residue) = check(h, payer, new)?;
    let deposit = take(h, payer, &new.token, new.amount)?;
    record(h, payer, new, &schedule, residue, deposit)
}

/// The deposit as it arrived; none is no deposit of zero.
fn take<H: Host>(h: &mut H, payer: &Address, token: &Token, amount: u128) -> Result<u128, Refused> {
    if amount == 0 { ledger::refuse_value(h).map(|()| 0) } else { ledger::take_deposit(h, token, payer, amount) }
}

/// Refuses what cannot be a stream. Its schedule, and what is left for its end.
#[inline(never)]
fn check<H: Host>(h: &H, payer: &Address, new: &NewStream) -> Result<(Schedule, u32), Refused> {
    ledger::check_party(h, payer)?;
    ledger::check_party(h, &new.payee)?;
    if new.payee == *payer {
        return Err(h.refuse(Error::BadParty { party: new.payee }));
    }
    let checked = new.stated.check(&new.token, h.now()).map_err(|e| h.refuse(e))?;
    check_amount(&new.token, new.amount).map_err(|e| h.refuse(e))?;
    check_amount(&new.token, new.committed).map_err(|e| h.refuse(e))?;
    if new.committed > new.amount {
        return Err(h.refuse(ScheduleError::CommittedAboveDeposit.into()));
    }
    if new.stated.total != 0 && new.committed > new.stated.total {
        return Err(h.refuse(ScheduleError::CommittedAboveTotal.into()));
    }
    Ok(checked)
}

/// Writes a stream whose deposit has arrived.
#[inline(never)]
fn record<H: Host>(
    h: &mut H,
    payer: &Address,
    new: &NewStream,
    schedule: &Schedule,
    end_residue_scaled: u32,
    deposit: u128,
) -> Result<(StreamNumber, StreamId), Refused> {
    let NewStream { payee, token, .. } = new;
    let flags = new.stated.flags;
    let number = book::next_number(h, payee, token)?;
    // A remainder that fails later must not grow storage at the cost of who carries it: in a batch it would undo all of it.
    ledger::make_credit(h, payer, token);
    let id = StreamOrigin { number, payer: *payer, payee: *payee, token: *token, created_at: h.now() }.stream_id(&h.deployment(), h);
    let stream = Stream {
        payer: *payer,
        rate_per_second_scaled: schedule.rate_per_second_scaled,
        flow_start: schedule.flow_start(),
        flow_end: schedule.flow_end(),
        deposit,
        paid: 0,
        committed: new.committed,
        snapshot_debt_scaled: 0,
        snapshot_at: schedule.start_at,
        cliff_amount: schedule.cliff.map_or(0, |c| c.amount),
        end_residue_scaled,
        flags,
        state: if schedule.end_at == 0 { State::OPEN_ENDED } else { 0 },
    };
    insert(h, number, &stream, &Details { start_at: schedule.start_at, id, memo: new.memo, ..Details::default() });
    h.emit(&Event::StreamCreated {
        number,
        payer,
        payee,
        token,
        schedule,
        total: new.stated.total,
        flags,
        amount: deposit,
        committed: new.committed,
        memo: &new.memo,
        id,
    });
    Ok((number, id))
}

//! Channels: money one payer locks for one payee, paid out against signed, ever-growing totals.
//!
//! A record lives while its channel does. `claimed` never falls and never passes `deposit`; a request to close starts a timer that nothing shortens;
//! vouchers count until the record is gone.

use alloc::vec::Vec;

use crate::{
    amount::{MAX_AMOUNT, floor_to_grain},
    blob::{Blob, Item, VoucherRow},
    book::{self, Book, Fees, Tally},
    eip712::{Domain, Message, Voucher},
    error::Error,
    event::Event,
    fee::relay_fee,
    host::{Host, Key},
    ids::{Address, ChannelId, ChannelNumber, ChannelTerms, Token},
    ledger::{self, Config},
    outcome::RowOutcome,
    record::{Reader, Writer},
    signature::CompactSignature,
};

/// A channel's record. Payee and token are its book's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    /// Who locked the money.
    pub payer: Address,
    /// Whose vouchers count, beside the payer's own.
    pub voucher_signer: Address,
    /// All that was paid in.
    pub deposit: u128,
    /// All that was paid out to the payee's side.
    pub claimed: u128,
    /// The payee's time to answer a request.
    pub challenge_period_secs: u32,
    /// When it was opened.
    pub opened_at: u64,
    /// When it can be finished; 0: no close was requested.
    pub close_due_at: u64,
    /// The part of the balance asked back; 0: none.
    pub refund_requested: u128,
    /// When that part can be taken; 0: not asked.
    pub refund_due_at: u64,
}

impl Channel {
    /// Bytes of the cell.
    pub const BYTES: usize = 104;

    /// The cell.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut b = [0; Self::BYTES];
        Writer::new(&mut b)
            .address(&self.payer)
            .address(&self.voucher_signer)
            .amount(self.deposit)
            .amount(self.claimed)
            .u32(self.challenge_period_secs)
            .u64(self.opened_at)
            .u64(self.close_due_at)
            .amount(self.refund_requested)
            .u64(self.refund_due_at);
        b
    }

    /// From the cell.
    pub fn from_bytes(b: &[u8; Self::BYTES]) -> Self {
        let mut r = Reader::new(b);
        Self {
            payer: r.address(),
            voucher_signer: r.address(),
            deposit: r.amount(),
            claimed: r.amount(),
            challenge_period_secs: r.u32(),
            opened_at: r.u64(),
            close_due_at: r.u64(),
            refund_requested: r.amount(),
            refund_due_at: r.u64(),
        }
    }

    /// What the payer would get back if the channel ended now.
    pub fn balance(&self) -> u128 {
        self.deposit.saturating_sub(self.claimed)
    }

    /// What a good voucher of this total would do: the outcome, and what it adds. Rounded down to what can move; the rest stays owed.
    pub fn gain(&self, token: &Token, cumulative_amount: u128) -> (RowOutcome, u128) {
        let covered = cumulative_amount.min(self.deposit);
        match floor_to_grain(token, covered).saturating_sub(self.claimed) {
            0 => (RowOutcome::Stale, 0),
            gain if cumulative_amount > self.deposit => (RowOutcome::Capped, gain),
            gain => (RowOutcome::Applied, gain),
        }
    }

    /// The terms, with what the book knows.
    pub fn terms(&self, number: ChannelNumber, book: &Book) -> ChannelTerms {
        ChannelTerms {
            number,
            payer: self.payer,
            payee: book.payee,
            voucher_signer: self.voucher_signer,
            token: book.token,
            challenge_period_secs: self.challenge_period_secs,
            opened_at: self.opened_at,
        }
    }

    fn save<H: Host>(&self, h: &mut H, number: ChannelNumber) {
        h.save(&Key::Record(number), &self.to_bytes());
    }
}

fn load<H: Host>(h: &H, number: ChannelNumber) -> Option<Channel> {
    h.load(&Key::Record(number)).map(|b| Channel::from_bytes(&b))
}

/// The channel and its book.
pub fn find<H: Host>(h: &H, number: ChannelNumber) -> Result<(Channel, Book), Error> {
    let unknown = Error::UnknownNumber { book: number.book, serial: number.serial };
    let book = Book::load(h, number.book).ok_or(unknown)?;
    match load(h, number) {
        Some(channel) => Ok((channel, book)),
        None if book.absent(number.serial) == RowOutcome::Closed => Err(Error::ClosedNumber { book: number.book, serial: number.serial }),
        None => Err(unknown),
    }
}

/// True when the voucher of this total is signed by the channel's voucher signer or its payer.
fn is_signed<H: Host>(h: &H, separator: &[u8; 32], channel: &Channel, id: ChannelId, cumulative_amount: u128, signature: &CompactSignature) -> bool {
    let Some(split) = signature.split() else { return false };
    let digest = Voucher { channel_id: id, cumulative_amount }.digest(separator, h);
    h.recover(&digest, &split).is_some_and(|who| who == channel.voucher_signer || who == channel.payer)
}

/// Opens a channel with the caller's money.
pub fn open<H: Host>(
    h: &mut H,
    payee: Address,
    voucher_signer: Address,
    token: Token,
    challenge_period_secs: u32,
    amount: u128,
) -> Result<(ChannelNumber, ChannelId), Error> {
    let payer = h.caller();
    ledger::check_party(h, &payer)?;
    ledger::check_party(h, &payee)?;
    if payee == payer {
        return Err(Error::BadParty { party: payee });
    }
    if voucher_signer.is_zero() || voucher_signer == payee {
        return Err(Error::BadSigner { signer: voucher_signer });
    }
    let Config { min_period_secs: min_secs, max_period_secs: max_secs, .. } = Config::load(h);
    if challenge_period_secs < min_secs || challenge_period_secs > max_secs {
        return Err(Error::BadPeriod { given_secs: challenge_period_secs, min_secs, max_secs });
    }
    let deposit = ledger::take_deposit(h, &token, amount)?;
    let number = book::next_number(h, &payee, &token)?;
    let opened_at = h.now();
    let channel = Channel {
        payer,
        voucher_signer,
        deposit,
        claimed: 0,
        challenge_period_secs,
        opened_at,
        close_due_at: 0,
        refund_requested: 0,
        refund_due_at: 0,
    };
    channel.save(h, number);
    let terms = ChannelTerms { number, payer, payee, voucher_signer, token, challenge_period_secs, opened_at };
    let id = terms.channel_id(&h.deployment(), h);
    h.emit(&Event::ChannelOpened { terms, amount: deposit, id });
    Ok((number, id))
}

/// Adds the caller's money to the channel, if it is the expected one: after a reorg the number may be another's. Timers go on as they were.
pub fn top_up<H: Host>(h: &mut H, number: ChannelNumber, expected: ChannelId, amount: u128) -> Result<(), Error> {
    let (mut channel, book) = find(h, number)?;
    let actual = channel.terms(number, &book).channel_id(&h.deployment(), h);
    if actual != expected {
        return Err(Error::WrongChannel { expected: expected.0, actual: actual.0 });
    }
    let received = ledger::take_deposit(h, &book.token, amount)?;
    let deposit = channel.deposit.saturating_add(received);
    if deposit > MAX_AMOUNT {
        return Err(Error::TooMuch { amount: deposit, max: MAX_AMOUNT });
    }
    channel.deposit = deposit;
    channel.save(h, number);
    let from = h.caller();
    h.emit(&Event::ToppedUp { number, from, amount: received, deposit });
    Ok(())
}

/// Claims one row into `tally`. The record is written before anything is paid.
fn claim_row<H: Host>(h: &mut H, separator: &[u8; 32], tally: &mut Tally, number: ChannelNumber, row: &VoucherRow) -> (RowOutcome, u128) {
    let Some(book) = tally.book().copied() else {
        tally.add(h, number.serial, RowOutcome::Unknown, 0, 0);
        return (RowOutcome::Unknown, 0);
    };
    let Some(mut channel) = load(h, number) else {
        let outcome = book.absent(number.serial);
        tally.add(h, number.serial, outcome, 0, 0);
        return (outcome, 0);
    };
    let (mut outcome, mut gain) = channel.gain(&book.token, row.cumulative_amount);
    if gain > 0 {
        let id = channel.terms(number, &book).channel_id(&h.deployment(), h);
        if is_signed(h, separator, &channel, id, row.cumulative_amount, &row.signature) {
            channel.claimed = channel.claimed.saturating_add(gain);
            channel.save(h, number);
        } else {
            (outcome, gain) = (RowOutcome::BadSignature, 0);
        }
    }
    tally.add(h, number.serial, outcome, gain, channel.claimed);
    (outcome, gain)
}

/// Claims one voucher. Where a batch would record an outcome that pays nothing, this is refused.
pub fn claim<H: Host>(h: &mut H, number: ChannelNumber, row: VoucherRow) -> Result<(RowOutcome, u128), Error> {
    ledger::refuse_value(h)?;
    let (channel, _) = find(h, number)?;
    let separator = Domain::Channels.separator(&h.deployment(), h);
    let mut tally = Tally::new(h, number.book, 1);
    let (outcome, gain) = claim_row(h, &separator, &mut tally, number, &row);
    match outcome {
        RowOutcome::Stale => return Err(Error::StaleVoucher { cumulative_amount: row.cumulative_amount, claimed: channel.claimed }),
        RowOutcome::BadSignature => return Err(Error::BadSignature {}),
        _ => {}
    }
    let mut fees = Fees::new();
    tally.settle(h, None, false, &mut fees);
    fees.pay(h);
    Ok((outcome, gain))
}

/// Claims many vouchers: each row has its own outcome, one payout a group. The blob is refused whole, or every good row is paid.
pub fn claim_batch<H: Host>(h: &mut H, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    ledger::refuse_value(h)?;
    let blob = Blob::parse::<VoucherRow>(bytes).map_err(|(reason, at)| Error::BadBlob { reason: reason as u8, at })?;
    let separator = Domain::Channels.separator(&h.deployment(), h);
    let mut outcomes = Vec::with_capacity(blob.rows() as usize);
    let mut fees = Fees::new();
    let mut reader = blob.reader::<VoucherRow>();
    let mut open_group: Option<(Tally, bool)> = None;
    // `parse` has read it all before, so it ends by `None`.
    while let Ok(Some(item)) = reader.next_item() {
        match item {
            Item::Group(group) => {
                if let Some((tally, fund_new)) = open_group.take() {
                    tally.settle(h, None, fund_new, &mut fees);
                }
                open_group = Some((Tally::new(h, group.book, group.rows as usize), group.fund_new));
            }
            Item::Row(number, row) => {
                if let Some((tally, _)) = open_group.as_mut() {
                    outcomes.push(claim_row(h, &separator, tally, number, &row).0 as u8);
                }
            }
        }
    }
    if let Some((tally, fund_new)) = open_group {
        tally.settle(h, None, fund_new, &mut fees);
    }
    fees.pay(h);
    Ok(outcomes)
}

/// The payer wants its balance back: from `due_at` on the channel can be finished.
pub fn request_close<H: Host>(h: &mut H, number: ChannelNumber) -> Result<u64, Error> {
    ledger::refuse_value(h)?;
    let (mut channel, _) = find(h, number)?;
    only(h, channel.payer)?;
    if channel.close_due_at != 0 {
        return Err(Error::AlreadyRequested { due_at: channel.close_due_at });
    }
    channel.close_due_at = h.now().saturating_add(u64::from(channel.challenge_period_secs));
    channel.save(h, number);
    h.emit(&Event::CloseRequested { number, due_at: channel.close_due_at });
    Ok(channel.close_due_at)
}

/// Executes a close that is due. Anyone may; the balance goes to the payer.
pub fn finish<H: Host>(h: &mut H, number: ChannelNumber) -> Result<(), Error> {
    ledger::refuse_value(h)?;
    let (channel, book) = find(h, number)?;
    if channel.close_due_at == 0 {
        return Err(Error::NotRequested {});
    }
    if h.now() < channel.close_due_at {
        return Err(Error::NotDue { now: h.now(), due_at: channel.close_due_at });
    }
    end(h, number, &channel, &book, None);
    Ok(())
}

/// The payee closes at once: claims its last voucher, and the rest goes back to the payer. A voucher that adds nothing is not looked at.
pub fn close<H: Host>(h: &mut H, number: ChannelNumber, row: VoucherRow) -> Result<(), Error> {
    ledger::refuse_value(h)?;
    let (channel, book) = find(h, number)?;
    only(h, book.payee)?;
    let mut tally = None;
    if channel.gain(&book.token, row.cumulative_amount).1 > 0 {
        let separator = Domain::Channels.separator(&h.deployment(), h);
        let rows = tally.insert(Tally::new(h, number.book, 1));
        if claim_row(h, &separator, rows, number, &row).0 == RowOutcome::BadSignature {
            return Err(Error::BadSignature {});
        }
    }
    let (channel, book) = find(h, number)?;
    end(h, number, &channel, &book, tally);
    Ok(())
}

/// Deletes the record, then pays: the payee's last rows, and the balance back to the payer.
fn end<H: Host>(h: &mut H, number: ChannelNumber, channel: &Channel, book: &Book, last: Option<Tally>) {
    h.clear(&Key::Record(number));
    let refund = channel.balance();
    if let Some(tally) = last {
        let mut fees = Fees::new();
        tally.settle(h, None, false, &mut fees);
        fees.pay(h);
    }
    h.emit(&Event::Closed { number, claimed: channel.claimed, refund });
    ledger::pay(h, &book.token, &channel.payer, refund, false);
}

fn only<H: Host>(h: &H, expected: Address) -> Result<(), Error> {
    let caller = h.caller();
    if caller == expected { Ok(()) } else { Err(Error::NotAllowed { caller, expected }) }
}

/// What a claim of this total would do now, its signature taken for good: outcome, gain, fee.
pub fn claimable<H: Host>(h: &H, number: ChannelNumber, cumulative_amount: u128) -> (RowOutcome, u128, u128) {
    match find(h, number) {
        Ok((channel, book)) => {
            let (outcome, gain) = channel.gain(&book.token, cumulative_amount);
            (outcome, gain, relay_fee(&book.terms, book.fee_ceiling_bps, &book.token, gain, h.now()))
        }
        Err(Error::ClosedNumber { .. }) => (RowOutcome::Closed, 0, 0),
        Err(_) => (RowOutcome::Unknown, 0, 0),
    }
}

/// The channel's state as the `channel` view tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ChannelStatus {
    /// No such number.
    Unknown = 0,
    /// Open.
    Open = 1,
    /// A close was requested.
    Closing = 2,
    /// Its record is gone.
    Closed = 3,
}

/// The status of a number.
pub fn status<H: Host>(h: &H, number: ChannelNumber) -> ChannelStatus {
    match find(h, number) {
        Ok((channel, _)) if channel.close_due_at != 0 => ChannelStatus::Closing,
        Ok(_) => ChannelStatus::Open,
        Err(Error::ClosedNumber { .. }) => ChannelStatus::Closed,
        Err(_) => ChannelStatus::Unknown,
    }
}

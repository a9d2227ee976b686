//! Claims: one voucher, or many. Records are written before anything is paid.

use alloc::vec::Vec;

use super::record::{Cell, Channel, absent};
use crate::{
    batch::{self, Rows},
    blob::{Group, VoucherRow},
    book::{self, Fees, Tally},
    eip712::{Domain, Message, Voucher},
    error::{Error, Refused},
    host::Host,
    ids::{ChannelId, ChannelNumber},
    ledger,
    outcome::RowOutcome,
    signature::CompactSignature,
};

/// True when the voucher of this total is signed by the channel's voucher signer or its payer.
pub(super) fn is_signed<H: Host>(
    h: &H,
    separator: &[u8; 32],
    channel: &Channel,
    id: ChannelId,
    cumulative_amount: u128,
    signature: &CompactSignature,
) -> bool {
    let Some(split) = signature.split() else { return false };
    let digest = Voucher { channel_id: id, cumulative_amount }.digest(separator, h);
    h.recover(&digest, &split).is_some_and(|who| who == channel.voucher_signer || who == channel.payer)
}

/// Rows of one book being claimed.
struct Claiming {
    tally: Tally,
    separator: [u8; 32],
    cell: Option<Cell>,
}

impl<H: Host> Rows<H> for Claiming {
    type Payload = VoucherRow;
    /// The domain separator.
    type Shared = [u8; 32];

    fn begin(h: &H, group: &Group, separator: &[u8; 32]) -> Self {
        Self { tally: Tally::new(h, group.book, group.rows as usize), separator: *separator, cell: None }
    }

    fn row(&mut self, h: &mut H, number: ChannelNumber, row: &VoucherRow) -> RowOutcome {
        let (outcome, gain, claimed) = self.take(h, number, row);
        self.tally.add(h, number.serial, outcome, gain, claimed);
        outcome
    }

    fn settle(mut self, h: &mut H, fund_new: bool, fees: &mut Fees) {
        if let Some(cell) = &mut self.cell {
            cell.store(h);
        }
        self.tally.settle(h, None, fund_new, fees);
    }
}

impl Claiming {
    /// The outcome, what was gained, and all that is claimed now.
    fn take<H: Host>(&mut self, h: &mut H, number: ChannelNumber, row: &VoucherRow) -> (RowOutcome, u128, u128) {
        let Some(book) = self.tally.book() else { return (RowOutcome::Unknown, 0, 0) };
        if !self.cell.as_ref().is_some_and(|cell| cell.is_of(number)) {
            if let Some(done) = &mut self.cell {
                done.store(h);
            }
            self.cell = Some(Cell::load(h, number));
        }
        let Some((cell, mut channel)) = self.cell.as_mut().and_then(|cell| cell.get(number.serial).map(|channel| (cell, channel))) else {
            return (book.absent(number.serial), 0, 0);
        };
        let (outcome, gain) = channel.take(h, &self.separator, number, book, row.cumulative_amount, &row.signature);
        if gain > 0 {
            cell.put(number.serial, &channel);
        }
        (outcome, gain, channel.claimed)
    }
}

/// Claims one voucher. Where a batch would record an outcome that pays nothing, this is refused.
pub fn claim<H: Host>(h: &mut H, number: ChannelNumber, row: VoucherRow) -> Result<(RowOutcome, u128), Refused> {
    ledger::refuse_value(h)?;
    let separator = Domain::Channels.separator(&h.deployment(), h);
    let mut rows = Claiming::begin(h, &Group { book: number.book, fund_new: false, rows: 1 }, &separator);
    let (outcome, gain, claimed) = rows.take(h, number, &row);
    match outcome {
        RowOutcome::Unknown | RowOutcome::Closed => Err(h.refuse(absent(number, outcome))),
        RowOutcome::Stale => Err(h.refuse(Error::StaleVoucher { cumulative_amount: row.cumulative_amount, claimed })),
        RowOutcome::BadSignature => Err(h.refuse(Error::BadSignature {})),
        _ => {
            rows.tally.add(h, number.serial, outcome, gain, claimed);
            book::settle_one(h, |h, fees| rows.settle(h, false, fees));
            Ok((outcome, gain))
        }
    }
}

/// Claims many vouchers: each row has its own outcome, one payout a group. The blob is refused whole, or every good row is paid.
pub fn claim_batch<H: Host>(h: &mut H, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let separator = Domain::Channels.separator(&h.deployment(), h);
    batch::claim::<H, Claiming>(h, bytes, &separator)
}

//! A batch of claims, of channels or of streams: groups of one book each, one payout a group.

use alloc::vec::Vec;

use crate::{
    blob::{Blob, Group, Item, Payload},
    book::Fees,
    error::Error,
    host::Host,
    ids::Number,
    ledger,
    outcome::RowOutcome,
};

/// The rows of one group while they are taken.
pub trait Rows<H: Host>: Sized {
    /// What a row carries.
    type Payload: Payload;
    /// What all groups share.
    type Shared;
    /// No row taken yet.
    fn begin(h: &H, group: &Group, shared: &Self::Shared) -> Self;
    /// Takes a row. Pays nothing; a bad row changes nothing.
    fn row(&mut self, h: &mut H, number: Number, row: &Self::Payload) -> RowOutcome;
    /// Writes all records, then logs and pays.
    fn settle(self, h: &mut H, fund_new: bool, fees: &mut Fees);
}

/// Claims a blob: refused whole before any change, or each row has its own outcome, in order.
pub fn claim<H: Host, R: Rows<H>>(h: &mut H, bytes: &[u8], shared: &R::Shared) -> Result<Vec<u8>, Error> {
    ledger::refuse_value(h)?;
    let blob = Blob::parse::<R::Payload>(bytes).map_err(|(reason, at)| h.refuse(Error::BadBlob { reason: reason as u8, at }))?;
    let mut outcomes = Vec::with_capacity(blob.rows() as usize);
    let mut fees = Fees::new();
    let mut reader = blob.reader::<R::Payload>();
    let mut open: Option<(R, bool)> = None;
    // `parse` has read it all before, so it ends by `None`.
    while let Ok(item) = reader.next_item() {
        if let Some(Item::Row(number, row)) = item {
            if let Some((rows, _)) = open.as_mut() {
                outcomes.push(rows.row(h, number, &row) as u8);
            }
            continue;
        }
        if let Some((rows, fund_new)) = open.take() {
            rows.settle(h, fund_new, &mut fees);
        }
        match item {
            Some(Item::Group(group)) => open = Some((R::begin(h, &group, shared), group.fund_new)),
            _ => break,
        }
    }
    fees.pay(h);
    Ok(outcomes)
}

//! Follows one payee's channels and streams through blocks.

use super::{Payment, Source, StatementError};
use crate::{
    batch::BookView,
    chain::{BlockHead, ClaimedRow, ContractEvent, ContractKind, EventRecord},
};
use rivulet_core::{
    fee::{RelayTerms, relay_fee},
    ids::{Address, Number},
};
use std::collections::BTreeMap;

/// A channel or stream and what it has paid in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Account {
    source: Source,
    paid: u128,
}

/// Takes blocks in order, none left out, and keeps what they paid the payee.
#[derive(Clone, Debug)]
pub struct Reader {
    payee: Address,
    /// Ceiling of relay fees of the channels and the streams contract, in hundredths of a percent.
    fee_ceiling_bps: [u16; 2],
    /// The payee's books.
    books: BTreeMap<(ContractKind, u32), BookView>,
    accounts: BTreeMap<(ContractKind, Number), Account>,
    payments: Vec<Payment>,
}

impl Reader {
    /// Nothing is known yet: right before the contracts' first block. Later, say with [`Reader::open_book`] and [`Reader::open`] what there was.
    pub fn new(payee: Address, fee_ceiling_bps: [u16; 2]) -> Self {
        Self { payee, fee_ceiling_bps, books: BTreeMap::new(), accounts: BTreeMap::new(), payments: Vec::new() }
    }

    /// A book that there was before the first block. One of another payee is passed over.
    pub fn open_book(&mut self, contract: ContractKind, book: u32, view: BookView) {
        if view.payee == self.payee {
            self.books.insert((contract, book), view);
        }
    }

    /// A channel or stream that there was before the next block, and what it had paid.
    pub fn open(&mut self, number: Number, source: Source, paid: u128) {
        self.accounts.insert((source.contract, number), Account { source, paid });
    }

    /// The streams whose state before this block must be told by [`Reader::open`] before the block is taken: those handed over in it, when one of them
    /// comes to the payee. Those that did not exist before the block need not be.
    pub fn wants(&self, records: &[EventRecord]) -> Vec<Number> {
        let moved = |record: &EventRecord| match record.event {
            ContractEvent::StreamHandedOver { number, to, .. } => Some((number, to)),
            _ => None,
        };
        if !records.iter().filter_map(moved).any(|(_, to)| to == self.payee) {
            return Vec::new();
        }
        let unknown = |number: &Number| !self.accounts.contains_key(&(ContractKind::Streams, *number));
        records.iter().filter_map(moved).map(|(number, _)| number).filter(unknown).collect()
    }

    /// Takes a block's events, in order.
    ///
    /// # Errors
    /// When something does not add up. The reader is of no use then.
    pub fn take(&mut self, head: &BlockHead, records: &[EventRecord]) -> Result<(), StatementError> {
        for EventRecord { contract, extrinsic_index, event } in records {
            self.event(head, *contract, *extrinsic_index, event)?;
        }
        // Others' were only needed in case they came to the payee.
        let books = &self.books;
        self.accounts.retain(|(contract, number), _| books.contains_key(&(*contract, number.book)));
        Ok(())
    }

    fn event(&mut self, head: &BlockHead, contract: ContractKind, extrinsic_index: Option<u32>, event: &ContractEvent) -> Result<(), StatementError> {
        let block = head.block.number;
        match event {
            ContractEvent::BookCreated { book, payee, token } if *payee == self.payee => {
                self.books.insert((contract, *book), BookView { payee: *payee, token: *token, terms: RelayTerms::default() });
            }
            ContractEvent::TermsSet { book, terms } => {
                if let Some(view) = self.books.get_mut(&(contract, *book)) {
                    view.terms = *terms;
                }
            }
            ContractEvent::ChannelOpened { terms, channel_id, .. } if terms.payee == self.payee => {
                let source = Source { contract, id: channel_id.0, payer: terms.payer, token: terms.token, memo: [0; 32] };
                self.open(terms.number, source, 0);
            }
            // Anybody's: it may be handed over in the same block.
            ContractEvent::StreamCreated { number, stream_id, payer, token, memo, .. } => {
                let source = Source { contract, id: stream_id.0, payer: *payer, token: *token, memo: *memo };
                self.open(*number, source, 0);
            }
            ContractEvent::StreamHandedOver { number, new_number, to, .. } => match self.accounts.remove(&(contract, *number)) {
                Some(account) => drop(self.accounts.insert((contract, *new_number), account)),
                None if *to == self.payee => return Err(StatementError::Unknown { block, contract, number: *number }),
                None => {}
            },
            ContractEvent::Claimed { book, gain, fee, rows } => return self.claimed(head, contract, extrinsic_index, (*book, *gain, *fee), rows),
            ContractEvent::StreamEnded { number, paid, .. } | ContractEvent::Closed { number, claimed: paid, .. } => {
                self.check(contract, *number, *paid)?;
                self.accounts.remove(&(contract, *number));
            }
            _ => {}
        }
        Ok(())
    }

    fn claimed(
        &mut self,
        head: &BlockHead,
        contract: ContractKind,
        extrinsic_index: Option<u32>,
        (book, gain, fee): (u32, u128, u128),
        rows: &[ClaimedRow],
    ) -> Result<(), StatementError> {
        let block = head.block.number;
        let view = self.books.get(&(contract, book)).copied();
        let [channels, streams] = self.fee_ceiling_bps;
        let ceiling = if contract == ContractKind::Channels { channels } else { streams };
        let (mut gains, mut fees) = (0u128, 0u128);
        // Unknown and closed rows have no total.
        for row in rows.iter().filter(|row| row.total > 0) {
            let number = Number { book, serial: row.serial };
            let Some(account) = self.accounts.get_mut(&(contract, number)) else {
                match view {
                    Some(_) => return Err(StatementError::Unknown { block, contract, number }),
                    None => continue,
                }
            };
            let before = account.paid;
            let paid = row.total.checked_sub(before).ok_or(StatementError::Fell { block, contract, number, before, found: row.total })?;
            account.paid = row.total;
            let source = account.source;
            let Some(view) = view.filter(|_| paid > 0) else { continue };
            let relay_fee = relay_fee(&view.terms, ceiling, &view.token, paid, head.now);
            (gains, fees) = (gains.saturating_add(paid), fees.saturating_add(relay_fee));
            self.payments.push(Payment { at: head.now, block, extrinsic_index, source, number, paid, relay_fee });
        }
        if view.is_none() {
            return Ok(());
        }
        for (what, added, said) in [("gain", gains, gain), ("relay fee", fees, fee)] {
            if added != said {
                return Err(StatementError::Sum { block, book, what, added, said });
            }
        }
        Ok(())
    }

    /// What the chain says that a number has paid in all, after the last block taken. A number that is not followed is passed over.
    ///
    /// # Errors
    /// [`StatementError::Total`] when its events came to something else.
    pub fn check(&self, contract: ContractKind, number: Number, found: u128) -> Result<(), StatementError> {
        match self.accounts.get(&(contract, number)) {
            Some(account) if account.paid != found => Err(StatementError::Total { contract, number, added: account.paid, found }),
            _ => Ok(()),
        }
    }

    /// The payee's channels and streams that have not ended.
    pub fn open_numbers(&self) -> impl Iterator<Item = (ContractKind, Number)> + '_ {
        self.accounts.keys().copied()
    }

    /// What was paid so far, in order.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }
}

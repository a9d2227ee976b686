//! The payee's side changes hands.

use super::{
    Details, Flags,
    record::{Found, insert},
};
use crate::{
    book,
    error::{Error, Refused},
    event::Event,
    host::Host,
    ids::{Address, StreamNumber},
    ledger,
};

/// A stream is handed over at most once in so many seconds: a day. Were it not so, a payee could hand it over in front of each call of the payer, whose number
/// would then be closed.
pub const HAND_OVER_PAUSE_SECS: u64 = 86_400;

/// The payee gives its side, with all that is owed, to another, where the stream allows it. The record moves to the new payee's book of the same token, under a
/// new number and that book's relay terms; the id stays, and with it delegate, commitment and debt. The old number is closed. Refused within a day of the
/// last hand-over.
pub fn hand_over<H: Host>(h: &mut H, number: StreamNumber, to: &Address) -> Result<StreamNumber, Refused> {
    ledger::refuse_value(h)?;
    let mut found = Found::load(h, number)?;
    let (book, from) = (found.book(h)?, h.caller());
    if from != book.payee {
        return Err(h.refuse(Error::NotAllowed { caller: from, expected: book.payee }));
    }
    if found.stream.flags & Flags::TRANSFERABLE == 0 {
        return Err(h.refuse(Error::NotTransferable {}));
    }
    let (mut details, now) = (Details::load(h, number), h.now());
    let due_at = if details.handed_over_at == 0 { 0 } else { details.handed_over_at.saturating_add(HAND_OVER_PAUSE_SECS) };
    if now < due_at {
        return Err(h.refuse(Error::NotDue { now, due_at }));
    }
    ledger::check_party(h, to)?;
    if *to == found.stream.payer || *to == from {
        return Err(h.refuse(Error::BadParty { party: *to }));
    }
    details.handed_over_at = now;
    found.delete(h);
    // Another payee's book, so another cell.
    let new = book::next_number(h, to, &book.token)?;
    insert(h, new, &found.stream, &details);
    h.emit(&Event::StreamHandedOver { number, new, from, to: *to });
    Ok(new)
}

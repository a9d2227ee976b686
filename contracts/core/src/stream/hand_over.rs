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

/// The payee gives its side, with all that is owed, to another, where the stream allows it. The record moves to the new payee's book of the same token, under a
/// new number and that book's relay terms; the id stays, and with it delegate, commitment and debt. The old number is closed.
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
    ledger::check_party(h, to)?;
    if *to == found.stream.payer || *to == from {
        return Err(h.refuse(Error::BadParty { party: *to }));
    }
    let details = Details::load(h, number);
    found.delete(h);
    // Another payee's book, so another cell.
    let new = book::next_number(h, to, &book.token)?;
    insert(h, new, &found.stream, &details);
    h.emit(&Event::StreamHandedOver { number, new, from, to: *to });
    Ok(new)
}

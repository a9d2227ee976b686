//! Streams: money that flows by the second.
//!
//! A stream owes its payee `rate_per_second_scaled` for every second of its flow, a cliff's amount at the cliff, and never forgets what it could not pay:
//! debt grows on when the deposit has run out, and a top-up pays it. Payee and token are its book's.
//!
//! - [`schedule`]: what flows, when; what create accepts and refuses.
//! - [`accrual`]: what is owed at a time. All of the arithmetic, with its bounds and roundings.
//! - [`record`]: the cell.
//! - [`calls`]: create, top up, pause, resume, cancel. [`mod@claim`]: claim, claim batch.
//! - [`view`]: status, debts, depletion time.

pub mod accrual;
pub mod calls;
pub mod claim;
pub mod record;
pub mod schedule;
pub mod view;

pub use calls::{NewStream, cancel, create, pause, resume, top_up};
pub use claim::{claim, claim_batch};
pub use record::{State, Stream};
pub use schedule::{Cliff, Flags, Schedule, ScheduleError};
pub use view::{Balances, StreamStatus, StreamView, balances, stream};

use crate::{
    book::Book,
    error::Error,
    host::{Host, Key},
    ids::StreamNumber,
    outcome::RowOutcome,
};

/// A stream's record alone, for calls that need not know its payee and token. A number without one is refused.
fn find_record<H: Host>(h: &H, number: StreamNumber) -> Result<Stream, Error> {
    load(h, number).ok_or_else(|| absent(number, Book::load(h, number.book)))
}

/// The stream and its book.
pub fn find<H: Host>(h: &H, number: StreamNumber) -> Result<(Stream, Book), Error> {
    let book = Book::load(h, number.book).ok_or(absent(number, None))?;
    load(h, number).map(|stream| (stream, book)).ok_or(absent(number, Some(book)))
}

fn load<H: Host>(h: &H, number: StreamNumber) -> Option<Stream> {
    h.load(&Key::Record(number)).map(|b| Stream::from_bytes(&b))
}

/// Why there is no record.
fn absent(number: StreamNumber, book: Option<Book>) -> Error {
    match book.map(|b| b.absent(number.serial)) {
        Some(RowOutcome::Closed) => Error::ClosedNumber { book: number.book, serial: number.serial },
        _ => Error::UnknownNumber { book: number.book, serial: number.serial },
    }
}

//! What somebody knows of streams who saw only the events and the times of their blocks.

use rivulet_core::{
    book::{Book, ROW_LOG_BYTES},
    cell::Slot,
    host::Key,
    ids::{Address, StreamId, StreamNumber, Token},
    outcome::RowOutcome,
    stream::{Details, State, Stream},
    testing::MemoryHost,
};
use std::collections::BTreeMap;

#[derive(Default, PartialEq, Debug)]
pub struct Seen {
    /// Payee, token and next serial.
    books: BTreeMap<u32, (Address, Token, u32)>,
    streams: BTreeMap<StreamNumber, (Stream, Details)>,
    credits: BTreeMap<(Address, Token), u128>,
}

/// The text of a field of a printed event.
fn field<'a>(event: &'a str, name: &str) -> &'a str {
    let (_, rest) = event.split_once(&format!(" {name}: ")).unwrap_or_else(|| panic!("no {name} in {event}"));
    rest.split([',', ' ']).next().expect("a value")
}

fn int<T: TryFrom<u128>>(event: &str, name: &str) -> T {
    let value: u128 = field(event, name).parse().expect("an integer");
    T::try_from(value).ok().expect("in range")
}

fn address(event: &str, name: &str) -> Address {
    let hex = &field(event, name)[2..];
    Address(std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex")))
}

fn bytes(event: &str, before: &str) -> Vec<u8> {
    let list = event.split_once(before).and_then(|(_, rest)| rest.split_once(']')).expect("a list").0;
    list.split(", ").map(|b| b.parse().expect("a byte")).collect()
}

fn number(event: &str, name: &str) -> StreamNumber {
    let (_, rest) = event.split_once(&format!(" {name}: Number {{")).expect("a number");
    StreamNumber { book: int(rest, "book"), serial: int(rest, "serial") }
}

/// What an event of creation says.
fn created(e: &str) -> (Stream, Details) {
    // The schedule's fields come first; its cliff has an amount too.
    let (schedule, rest) = e.split_once(" total: ").map(|(a, b)| (a, format!(" total: {b}"))).expect("a schedule");
    let has_cliff = schedule.contains("cliff: Some");
    let (start_at, end_at): (u64, u64) = (int(schedule, "start_at"), int(schedule, "end_at"));
    let (flow_start, cliff_amount) = if has_cliff { (int(schedule, "at"), int(schedule, "amount")) } else { (start_at, 0) };
    let total: u128 = int(&rest, "total");
    let residue = match u128::from(end_at.saturating_sub(flow_start)) {
        _ if total == 0 => 0,
        secs => ((total - cliff_amount) * 1_000_000_000).checked_rem(secs).unwrap_or(0),
    };
    let stream = Stream {
        payer: address(e, "payer"),
        rate_per_second_scaled: int(schedule, "rate_per_second_scaled"),
        flow_start,
        flow_end: if end_at == 0 { start_at + u64::from(u32::MAX) } else { end_at },
        deposit: int(&rest, "amount"),
        paid: 0,
        committed: int(&rest, "committed"),
        snapshot_debt_scaled: 0,
        snapshot_at: start_at,
        cliff_amount,
        end_residue_scaled: residue.try_into().expect("less than the seconds"),
        flags: int(&rest, "flags"),
        state: if end_at == 0 { State::OPEN_ENDED } else { 0 },
    };
    let memo = bytes(&rest, "memo: [").try_into().expect("32 bytes");
    let id = StreamId(bytes(&rest, "StreamId([").try_into().expect("32 bytes"));
    (stream, Details { start_at, delegate: Address::ZERO, rights: 0, rate_cap_scaled: 0, handed_over_at: 0, id, memo })
}

/// What has come to be owed by now is written down, as pauses and new rates do.
fn count(s: &mut Stream, now: u64) {
    if s.state & State::PAUSED == 0 {
        let (from, to) = (s.snapshot_at.max(s.flow_start), now.min(s.flow_end));
        s.snapshot_debt_scaled += s.rate_per_second_scaled * u128::from(to.saturating_sub(from));
        if now >= s.flow_start && s.state & State::CLIFF_COUNTED == 0 {
            s.snapshot_debt_scaled += s.cliff_amount * 1_000_000_000;
            s.state |= State::CLIFF_COUNTED;
        }
    }
    s.snapshot_at = s.snapshot_at.max(now);
}

impl Seen {
    /// From events and the times of their blocks.
    pub fn of_events<'a>(events: impl Iterator<Item = &'a (u64, String)>) -> Self {
        let mut seen = Self::default();
        for (now, e) in events {
            let credit = || (address(e, "owner"), address(e, "token"));
            match e.split(' ').next().expect("a name") {
                "BookCreated" => drop(seen.books.insert(int(e, "book"), (address(e, "payee"), address(e, "token"), 0))),
                "Credited" => *seen.credits.entry(credit()).or_default() += int::<u128>(e, "amount"),
                "Collected" => assert_eq!(seen.credits.remove(&credit()), Some(int(e, "amount"))),
                "TermsSet" | "NonceUsed" => {}
                "StreamCreated" => {
                    let n = number(e, "number");
                    assert_eq!(seen.books[&n.book], (address(e, "payee"), address(e, "token"), n.serial), "serials are given one after another");
                    seen.insert(n, created(e));
                }
                "StreamHandedOver" => {
                    let (n, new) = (number(e, "number"), number(e, "new"));
                    let mut moved = seen.streams.remove(&n).expect("it was there");
                    moved.1.handed_over_at = *now;
                    assert_eq!((seen.books[&n.book].0, seen.books[&new.book].0), (address(e, "from"), address(e, "to")));
                    assert_eq!((seen.books[&n.book].1, seen.books[&new.book].2), (seen.books[&new.book].1, new.serial));
                    seen.insert(new, moved);
                }
                "Claimed" => seen.claimed(e),
                "StreamEnded" => {
                    let (s, _) = seen.streams.remove(&number(e, "number")).expect("it was there");
                    assert_eq!((s.paid, s.deposit - s.paid), (int(e, "paid"), int(e, "remainder")));
                }
                name => seen.changed(name, e, *now),
            }
        }
        seen
    }

    fn insert(&mut self, n: StreamNumber, stream: (Stream, Details)) {
        assert_eq!(self.streams.insert(n, stream), None, "no number is given twice");
        self.books.get_mut(&n.book).expect("created before").2 += 1;
    }

    fn claimed(&mut self, e: &str) {
        let mut gain = 0;
        for row in bytes(e, "rows: [").chunks(ROW_LOG_BYTES) {
            let (serial, total) = (u32::from_be_bytes(row[..4].try_into().expect("4")), u128::from_be_bytes(row[5..].try_into().expect("16")));
            if RowOutcome::from_code(row[4]).expect("known code").is_paid() {
                let s = &mut self.streams.get_mut(&StreamNumber { book: int(e, "book"), serial }).expect("it is there").0;
                gain += total - s.paid;
                s.paid = total;
            }
        }
        assert_eq!(gain, int(e, "gain"));
    }

    fn changed(&mut self, name: &str, e: &str, now: u64) {
        let (s, details) = self.streams.get_mut(&number(e, "number")).expect("it is there");
        match name {
            "ToppedUp" => {
                s.deposit += int::<u128>(e, "amount");
                assert_eq!(s.deposit, int(e, "deposit"));
            }
            "Refunded" => {
                s.deposit -= int::<u128>(e, "amount");
                assert_eq!(s.deposit, int(e, "deposit"));
            }
            "StreamPaused" => {
                count(s, now);
                s.state |= State::PAUSED;
            }
            "StreamResumed" => {
                count(s, now);
                s.state &= !State::PAUSED;
            }
            "RateAdjusted" => {
                count(s, now);
                s.rate_per_second_scaled = int(e, "rate_per_second_scaled");
            }
            "StreamRenounced" => s.flags &= !1,
            "StreamCancelled" => {
                s.deposit -= int::<u128>(e, "refund");
                s.state |= State::CANCELLED;
                assert_eq!(s.deposit - s.paid, int(e, "due"));
            }
            "StreamVoided" => {
                s.snapshot_debt_scaled = (s.paid + int::<u128>(e, "due")) * 1_000_000_000;
                s.state |= State::VOIDED;
            }
            "DelegateSet" => {
                (details.delegate, details.rights) = (address(e, "delegate"), int(e, "rights"));
                details.rate_cap_scaled = int(e, "rate_cap_scaled");
            }
            _ => panic!("no call here logs {e}"),
        }
    }

    /// From storage.
    pub fn of_cells(h: &MemoryHost) -> Self {
        let mut seen = Self::default();
        for (key, cell) in &h.cells {
            match key {
                Key::Book(book) => {
                    let b = Book::load(h, *book).expect("a book");
                    seen.books.insert(*book, (b.payee, b.token, b.next_serial));
                }
                Key::Streams(book, index) => {
                    for slot in cell.chunks_exact(1 + Stream::BYTES) {
                        let n = StreamNumber { book: *book, serial: index * Stream::PER_CELL + u32::from(slot[0]) };
                        seen.streams.insert(n, (Stream::read(&slot[1..]), Details::load(h, n)));
                    }
                }
                Key::Credit(owner, token) => {
                    let amount = rivulet_core::ledger::credit_of(h, owner, token);
                    if amount > 0 {
                        seen.credits.insert((*owner, *token), amount);
                    }
                }
                _ => {}
            }
        }
        let details = h.cells.keys().filter(|key| matches!(key, Key::Details(_))).count();
        assert_eq!(details, seen.streams.len(), "details without a stream, or a stream without");
        seen
    }
}

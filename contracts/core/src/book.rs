//! Books: all channels or streams of one payee and token, their relay terms, their serial counter. And what a batch does with a book's rows.

use alloc::vec::Vec;

use crate::{
    amount::MAX_AMOUNT,
    eip712::{Domain, Terms},
    error::{Error, Refused},
    event::Event,
    fee::{RelayTerms, relay_fee},
    host::{Host, Key},
    ids::{Address, Number, Token},
    ledger::{self, Config, TokenState},
    outcome::RowOutcome,
    record::{Reader, Writer},
    signature::CompactSignature,
    signed,
};

/// A book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Book {
    /// Whose it is.
    pub payee: Address,
    /// Of what.
    pub token: Token,
    /// The next serial.
    pub next_serial: u32,
    /// The ceiling of deployment, kept here so that a claim need not read it.
    pub fee_ceiling_bps: u16,
    /// What relayers earn.
    pub terms: RelayTerms,
}

impl Book {
    /// Bytes of the cell. Terms take their place from the start, so setting them grows nothing.
    pub const BYTES: usize = 100;

    fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut b = [0; Self::BYTES];
        Writer::new(&mut b)
            .address(&self.payee)
            .address(&self.token)
            .u32(self.next_serial)
            .u16(self.fee_ceiling_bps)
            .address(&self.terms.beneficiary)
            .u16(self.terms.fee_bps)
            .amount(self.terms.flat_fee)
            .amount(self.terms.min_gain)
            .u64(self.terms.until);
        b
    }

    /// Reads it; `None` when there is none.
    pub fn load<H: Host>(h: &H, book: u32) -> Option<Self> {
        let b: [u8; Self::BYTES] = h.load(&Key::Book(book))?;
        let mut r = Reader::new(&b);
        Some(Self {
            payee: r.address(),
            token: r.address(),
            next_serial: r.u32(),
            fee_ceiling_bps: r.u16(),
            terms: RelayTerms { beneficiary: r.address(), fee_bps: r.u16(), flat_fee: r.amount(), min_gain: r.amount(), until: r.u64() },
        })
    }

    fn save<H: Host>(&self, h: &mut H, book: u32) {
        h.save(&Key::Book(book), &self.to_bytes());
    }

    /// Why a number without a record has none.
    pub fn absent(&self, serial: u32) -> RowOutcome {
        if serial < self.next_serial { RowOutcome::Closed } else { RowOutcome::Unknown }
    }
}

/// The number of a pair's book, 0 when there is none.
pub fn book_of<H: Host>(h: &H, payee: &Address, token: &Token) -> u32 {
    h.load::<4>(&Key::BookOf(*payee, *token)).map_or(0, u32::from_be_bytes)
}

/// The pair's book, made if there is none.
pub fn open_book<H: Host>(h: &mut H, payee: &Address, token: &Token) -> Result<(u32, Book), Refused> {
    let known = book_of(h, payee, token);
    if let Some(book) = Book::load(h, known) {
        return Ok((known, book));
    }
    TokenState::load(h, token).ok_or_else(|| h.refuse(Error::NotListed { token: *token }))?;
    let mut config = Config::load(h);
    config.books = config.books.checked_add(1).ok_or_else(|| h.refuse(Error::TooMuch { amount: u128::from(u32::MAX), max: u128::from(u32::MAX) }))?;
    config.save(h);
    let number = config.books;
    let book = Book { payee: *payee, token: *token, next_serial: 0, fee_ceiling_bps: config.fee_ceiling_bps, terms: RelayTerms::default() };
    book.save(h, number);
    h.save(&Key::BookOf(*payee, *token), &number.to_be_bytes());
    ledger::make_credit(h, payee, token);
    h.emit(&Event::BookCreated { book: number, payee: *payee, token: *token });
    Ok((number, book))
}

/// The next number of the pair's book.
pub fn next_number<H: Host>(h: &mut H, payee: &Address, token: &Token) -> Result<Number, Refused> {
    let (number, mut book) = open_book(h, payee, token)?;
    let serial = book.next_serial;
    let full = Error::TooMuch { amount: u128::from(serial), max: u128::from(u32::MAX) };
    book.next_serial = serial.checked_add(1).ok_or_else(|| h.refuse(full))?;
    book.save(h, number);
    Ok(Number { book: number, serial })
}

/// Sets the relay terms of the caller's book. Before `until` of the present ones they can only get better for their beneficiary. A zero beneficiary: no terms.
pub fn set_terms<H: Host>(h: &mut H, token: &Token, terms: RelayTerms) -> Result<(), Refused> {
    ledger::refuse_value(h)?;
    let payee = h.caller();
    agree(h, &payee, token, terms)
}

/// The same in a payee's name, as it signed it.
pub fn set_terms_signed<H: Host>(h: &mut H, domain: Domain, message: &Terms, signature: &CompactSignature) -> Result<(), Refused> {
    ledger::refuse_value(h)?;
    signed::check(h, domain, message, &message.payee, message.nonce, message.deadline, signature)?;
    let Terms { beneficiary, fee_bps, flat_fee, min_gain, until, .. } = *message;
    agree(h, &message.payee, &message.token, RelayTerms { beneficiary, fee_bps, flat_fee, min_gain, until })
}

fn agree<H: Host>(h: &mut H, payee: &Address, token: &Token, terms: RelayTerms) -> Result<(), Refused> {
    ledger::check_party(h, payee)?;
    if !terms.beneficiary.is_zero() {
        ledger::check_party(h, &terms.beneficiary)?;
    }
    if let Some(amount) = [terms.flat_fee, terms.min_gain].into_iter().find(|a| *a > MAX_AMOUNT) {
        return Err(h.refuse(Error::TooMuch { amount, max: MAX_AMOUNT }));
    }
    let (number, mut book) = open_book(h, payee, token)?;
    if terms.fee_bps > book.fee_ceiling_bps {
        return Err(h.refuse(Error::FeeAboveCeiling { given_bps: terms.fee_bps, ceiling_bps: book.fee_ceiling_bps }));
    }
    let held = !book.terms.beneficiary.is_zero() && h.now() < book.terms.until;
    if held && !book.terms.is_no_worse(&terms) {
        return Err(h.refuse(Error::TermsHeld { until: book.terms.until }));
    }
    if !terms.beneficiary.is_zero() {
        ledger::make_credit(h, &terms.beneficiary, token);
    }
    book.terms = terms;
    book.save(h, number);
    h.emit(&Event::TermsSet { book: number, terms });
    Ok(())
}

/// Rows of one book being claimed: what they gain, what of it is fee, and their log.
#[derive(Debug)]
pub struct Tally {
    book_number: u32,
    book: Option<Book>,
    gain: u128,
    fee: u128,
    rows: Vec<u8>,
}

/// Bytes a row takes in the event's log.
pub const ROW_LOG_BYTES: usize = 21;

impl Tally {
    /// No rows yet; room for `rows`.
    pub fn new<H: Host>(h: &H, book_number: u32, rows: usize) -> Self {
        Self::of(book_number, Book::load(h, book_number), rows)
    }

    /// The same, of a book that has been read.
    pub fn of(book_number: u32, book: Option<Book>, rows: usize) -> Self {
        let rows = Vec::with_capacity(rows.saturating_mul(ROW_LOG_BYTES));
        Self { book_number, book, gain: 0, fee: 0, rows }
    }

    /// The book, if there is one.
    pub fn book(&self) -> Option<&Book> {
        self.book.as_ref()
    }

    /// Takes a row that gained `gain` (0 unless the outcome is paid) and stands at `total`.
    pub fn add<H: Host>(&mut self, h: &H, serial: u32, outcome: RowOutcome, gain: u128, total: u128) {
        let fee = self.book.as_ref().map_or(0, |b| relay_fee(&b.terms, b.fee_ceiling_bps, &b.token, gain, h.now()));
        // Gains were deposits, whose sum is at most MAX_AMOUNT.
        self.gain = self.gain.saturating_add(gain);
        self.fee = self.fee.saturating_add(fee);
        self.rows.extend_from_slice(&serial.to_be_bytes());
        self.rows.push(outcome as u8);
        self.rows.extend_from_slice(&total.to_be_bytes());
    }

    /// Logs the rows and pays the payee, or whom it names, once; the fee goes to `fees`.
    pub fn settle<H: Host>(self, h: &mut H, to: Option<&Address>, fund_new: bool, fees: &mut Fees) {
        h.emit(&Event::Claimed { book: self.book_number, gain: self.gain, fee: self.fee, rows: &self.rows });
        if let Some(book) = self.book {
            fees.add(h, &book.terms.beneficiary, &book.token, self.fee);
            ledger::pay_for(h, &book.token, &book.payee, to.unwrap_or(&book.payee), self.gain.saturating_sub(self.fee), fund_new);
        }
    }
}

/// Relay fees on their way: consecutive groups with the same beneficiary and token are paid at once.
#[derive(Debug, Default)]
pub struct Fees {
    beneficiary: Address,
    token: Token,
    amount: u128,
}

/// Settles the rows of one call, and pays their fees.
pub fn settle_one<H: Host>(h: &mut H, settle: impl FnOnce(&mut H, &mut Fees)) {
    let mut fees = Fees::new();
    settle(h, &mut fees);
    fees.pay(h);
}

impl Fees {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn add<H: Host>(&mut self, h: &mut H, beneficiary: &Address, token: &Token, amount: u128) {
        if amount == 0 {
            return;
        }
        if (self.beneficiary, self.token) != (*beneficiary, *token) {
            self.pay(h);
            (self.beneficiary, self.token) = (*beneficiary, *token);
        }
        self.amount = self.amount.saturating_add(amount);
    }

    /// Pays what has gathered.
    pub fn pay<H: Host>(&mut self, h: &mut H) {
        let amount = core::mem::take(&mut self.amount);
        ledger::pay(h, &self.token, &self.beneficiary, amount, false);
    }
}

//! Channels as `contracts/README.md` tells of them, in plain Rust that knows neither core nor the pallet: own records, own arithmetic, own reading of
//! the raw storage. A test puts the same call to this and to the compiled contract, and compares.

use super::super::{
    base::{Addr, GRAIN, MAX_AMOUNT, NATIVE, Number, Refused, Result, Word, answer_of, movable, no_money, only, word, word_of, words_of},
    blobs::Group,
    cells::Cell,
    ledger::{Contract, Ledger, Shared, Signed},
    money::{Rows, Waiting},
};
use alloy_primitives::keccak256;
use std::collections::BTreeMap;

/// What the tests' deployment fixes.
const PERIODS: (u32, u32) = (60, 2_592_000);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    pub payer: Addr,
    pub signer: Addr,
    pub deposit: u128,
    pub claimed: u128,
    pub period: u32,
    pub opened_at: u64,
    pub close_due_at: u64,
    pub asked: u128,
    pub refund_due_at: u64,
}

impl Channel {
    pub fn lapses_at(&self) -> u64 {
        self.refund_due_at + u64::from(self.period)
    }

    pub fn cover(&self, now: u64) -> u128 {
        let pending = self.refund_due_at != 0 && now < self.lapses_at();
        match (self.close_due_at != 0, pending) {
            (true, _) => self.claimed,
            (false, true) => self.deposit.saturating_sub(self.asked).max(self.claimed),
            (false, false) => self.deposit,
        }
    }
}

/// A voucher in a call: whom its signature of this channel's id and this total recovers to; `None` when to nobody of the test.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub total: u128,
    pub by: Option<Addr>,
}

#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pub payee: Addr,
    pub signer: Addr,
    pub amount: u128,
}

#[derive(Clone, Debug)]
pub enum Call {
    Open { one: Opening, token: Addr, period: u32 },
    OpenMany { many: Vec<Opening>, token: Addr, period: u32 },
    OpenFor { payer: Addr, one: Opening, token: Addr, period: u32, signed: Signed },
    TopUp { number: Number, id: Word, amount: u128 },
    Claim { number: Number, row: Row },
    Batch { groups: Vec<Group<Row>> },
    RequestClose { number: Number },
    RequestRefund { number: Number, amount: u128 },
    RequestRefundFor { number: Number, amount: u128, signed: Signed },
    Finish { number: Number },
    Close { number: Number, row: Row },
    CloseFor { number: Number, total: u128, signed: Signed },
    Shared(Shared),
}

impl From<Shared> for Call {
    fn from(call: Shared) -> Self {
        Self::Shared(call)
    }
}

/// Codes of a row's outcome.
const APPLIED: u8 = 0;
const CAPPED: u8 = 1;
const STALE: u8 = 2;
const BAD_SIGNATURE: u8 = 3;
const UNKNOWN: u8 = 4;
const CLOSED: u8 = 5;

impl Contract for Channel {
    type Record = Self;
    type Call = Call;
    const DOMAIN: &'static str = "Rivulet Channels";

    fn read(cells: Vec<Cell<'_>>) -> Result<BTreeMap<Number, Self>, String> {
        let mut channels = BTreeMap::new();
        for (tag, mut k, mut v) in cells {
            let (book, index) = (k.int(4)? as u32, k.int(4)? as u32);
            let bytes = v.0.len();
            if tag != 7 || bytes == 0 || !bytes.is_multiple_of(96) || bytes > 4 * 96 {
                return Err(format!("a cell with the tag {tag} has {bytes} bytes"));
            }
            while !v.0.is_empty() {
                let low = v.int(1)? as u32;
                let channel = Self {
                    payer: v.addr()?,
                    signer: v.addr()?,
                    deposit: v.int(12)?,
                    claimed: v.int(12)?,
                    period: v.int(4)? as u32,
                    opened_at: v.int(5)? as u64,
                    close_due_at: v.int(5)? as u64,
                    asked: v.int(12)?,
                    refund_due_at: v.int(5)? as u64,
                };
                if low > 3 || channels.insert((book, 4 * index + low), channel).is_some() {
                    return Err(format!("slot {low} in a cell of book {book} twice, or of no channel"));
                }
            }
            k.end()?;
        }
        Ok(channels)
    }

    fn record(&self) -> Self {
        *self
    }

    fn balance(&self) -> u128 {
        self.deposit - self.claimed
    }

    fn run(model: &mut Model, caller: Addr, value: u128, call: &Call) -> Result<Vec<Word>> {
        if !matches!(call, Call::Open { .. } | Call::OpenMany { .. } | Call::TopUp { .. }) {
            no_money(value)?;
        }
        match *call {
            Call::Open { one, token, period } => model.open(caller, caller, value, one, token, period),
            Call::OpenFor { payer, one, token, period, signed } => {
                model.check_signed(payer, signed)?;
                model.open(caller, payer, value, one, token, period)
            }
            Call::OpenMany { ref many, token, period } => model.open_many(caller, value, many, token, period),
            Call::TopUp { number, id, amount } => model.top_up(caller, value, number, id, amount),
            Call::Claim { number, row } => model.claim(number, row),
            Call::Batch { ref groups } => Ok(model.batch(groups)),
            Call::RequestClose { number } => model.request_close(caller, number),
            Call::RequestRefund { number, amount } => {
                only(caller, model.find(number)?.0.payer)?;
                model.ask_back(number, amount)
            }
            Call::RequestRefundFor { number, amount, signed } => {
                let payer = model.find(number)?.0.payer;
                model.check_signed(payer, signed)?;
                model.ask_back(number, amount)
            }
            Call::Finish { number } => model.finish(number),
            Call::Close { number, row } => {
                only(caller, model.find(number)?.1.payee)?;
                let (outcomes, rows) = model.rows(number.0, &[(number.1, row)]);
                if outcomes[0] == BAD_SIGNATURE {
                    return Err(Refused::BadSignature);
                }
                Ok(model.end(number, Some(rows).filter(|rows| rows.gain > 0)))
            }
            Call::CloseFor { number, total, signed } => {
                let (c, book) = model.find(number)?;
                model.check_signed(book.payee, signed)?;
                if c.claimed != total {
                    return Err(Refused::Unpaid { claimed: c.claimed, expected: total });
                }
                Ok(model.end(number, None))
            }
            Call::Shared(ref call) => model.shared(caller, value, call),
        }
    }
}

pub type Model = Ledger<Channel>;

impl Model {
    /// `keccak256(abi.encode(chainId, contract, book, serial, payer, payee, voucherSigner, token, challengePeriodSecs, openedAt))`
    pub fn id(&self, number: Number) -> Word {
        let Ok((c, book)) = self.find(number) else { return [0; 32] };
        let words = [
            word(self.chain_id),
            word_of(self.contract),
            word(number.0),
            word(number.1),
            word_of(c.payer),
            word_of(book.payee),
            word_of(c.signer),
            word_of(book.token),
            word(c.period),
            word(c.opened_at),
        ];
        keccak256(words.concat()).0
    }

    /// What a voucher's signer signs.
    pub fn voucher(&self, id: Word, total: u128) -> Word {
        self.digest("Voucher(bytes32 channelId,uint128 cumulativeAmount)", &[id, word(total)])
    }

    fn check_opening(&self, payer: Addr, one: &Opening, period: u32) -> Result<()> {
        self.party(payer)?;
        self.party(one.payee)?;
        if one.payee == payer {
            return Err(Refused::BadParty { party: payer });
        }
        if one.signer == NATIVE || one.signer == one.payee {
            return Err(Refused::BadSigner { signer: one.signer });
        }
        let (min_secs, max_secs) = PERIODS;
        if period < min_secs || period > max_secs {
            return Err(Refused::BadPeriod { given_secs: period, min_secs, max_secs });
        }
        Ok(())
    }

    fn open(&mut self, caller: Addr, payer: Addr, value: u128, one: Opening, token: Addr, period: u32) -> Result<Vec<Word>> {
        self.check_opening(payer, &one, period)?;
        let deposit = self.take(caller, payer, value, token, one.amount)?;
        let number = self.opened(payer, &one, token, period, deposit)?;
        Ok(vec![word(number.0), word(number.1), self.id(number)])
    }

    fn open_many(&mut self, payer: Addr, value: u128, many: &[Opening], token: Addr, period: u32) -> Result<Vec<Word>> {
        for one in many {
            self.check_opening(payer, one, period)?;
            if one.amount == 0 {
                return Err(Refused::ZeroAmount);
            }
            if movable(token, one.amount) != one.amount {
                return Err(Refused::NotMovable { amount: one.amount, grain: GRAIN });
            }
        }
        let total: u128 = many.iter().map(|one| one.amount).sum();
        let more = self.take(payer, payer, value, token, total)? - total;
        let mut answer = vec![word(many.len() as u128)];
        for (i, one) in many.iter().enumerate() {
            let deposit = one.amount + if i + 1 == many.len() { more } else { 0 };
            answer.push(word(self.opened(payer, one, token, period, deposit)?.1));
        }
        Ok(answer_of(answer))
    }

    fn opened(&mut self, payer: Addr, one: &Opening, token: Addr, period: u32, deposit: u128) -> Result<Number> {
        let (opened_at, Opening { payee, signer, .. }) = (self.now, *one);
        let (claimed, close_due_at, asked, refund_due_at) = (0, 0, 0, 0);
        let new = Channel { payer, signer, deposit, claimed, period, opened_at, close_due_at, asked, refund_due_at };
        let number = self.put(payee, token, new)?;
        let data = vec![word(number.1), word_of(signer), word_of(token), word(period), word(opened_at), word(deposit), self.id(number)];
        let signature = "ChannelOpened(address,address,uint32,uint32,address,address,uint32,uint64,uint128,bytes32)";
        self.log(signature, &[word_of(payer), word_of(payee), word(number.0)], data);
        Ok(number)
    }

    fn top_up(&mut self, caller: Addr, value: u128, number: Number, id: Word, amount: u128) -> Result<Vec<Word>> {
        let (token, actual) = (self.find(number)?.1.token, self.id(number));
        if id != actual {
            return Err(Refused::WrongChannel { expected: id, actual });
        }
        let received = self.take(caller, caller, value, token, amount)?;
        self.at(number).deposit += received;
        let data = vec![word_of(caller), word(received), word(self.at(number).deposit)];
        self.log_of(number, "ToppedUp(uint32,uint32,address,uint128,uint128)", data);
        Ok(vec![])
    }

    fn claim(&mut self, number: Number, row: Row) -> Result<Vec<Word>> {
        let claimed = self.find(number)?.0.claimed;
        let mut fees = Waiting::default();
        let (outcomes, rows) = self.rows(number.0, &[(number.1, row)]);
        match outcomes[0] {
            STALE => Err(Refused::StaleVoucher { cumulative_amount: row.total, claimed }),
            BAD_SIGNATURE => Err(Refused::BadSignature),
            outcome => {
                self.settle(number.0, &rows, None, false, &mut fees);
                self.pay_fees(&mut fees);
                Ok(vec![word(outcome), word(rows.gain)])
            }
        }
    }

    fn batch(&mut self, groups: &[Group<Row>]) -> Vec<Word> {
        let (mut all, mut fees) = (Vec::new(), Waiting::default());
        for (book, fund_new, rows) in groups {
            let (outcomes, rows) = self.rows(*book, rows);
            all.extend(outcomes);
            self.settle(*book, &rows, None, *fund_new, &mut fees);
        }
        self.pay_fees(&mut fees);
        answer_of(words_of(&all))
    }

    /// Takes rows of one book: outcomes, and what is to be settled.
    fn rows(&mut self, book: u32, list: &[(u32, Row)]) -> (Vec<u8>, Rows) {
        let mut rows = Rows::default();
        for (serial, row) in list {
            let number = (book, *serial);
            let mut tell = |outcome, claimed| rows.log.push((*serial, outcome, claimed));
            let (c, of) = match self.find(number) {
                Ok(found) => found,
                Err(Refused::ClosedNumber { .. }) => {
                    tell(CLOSED, 0);
                    continue;
                }
                Err(_) => {
                    tell(UNKNOWN, 0);
                    continue;
                }
            };
            let good_for = movable(of.token, row.total.min(c.deposit));
            if good_for <= c.claimed {
                tell(STALE, c.claimed);
                continue;
            }
            if row.by != Some(c.signer) && row.by != Some(c.payer) {
                tell(BAD_SIGNATURE, c.claimed);
                continue;
            }
            let gain = good_for - c.claimed;
            self.at(number).claimed = good_for;
            tell(if row.total > c.deposit { CAPPED } else { APPLIED }, good_for);
            rows.gain += gain;
            rows.fee += self.fee(&of, gain);
        }
        (rows.log.iter().map(|(_, outcome, _)| *outcome).collect(), rows)
    }

    /// What a claim of the most that can be signed would do: outcome, gain, fee.
    pub fn claimable(&self, number: Number) -> (u8, u128, u128) {
        match self.find(number) {
            Ok((c, _)) if c.balance() == 0 => (STALE, 0, 0),
            Ok((c, book)) => (CAPPED, c.balance(), self.fee(&book, c.balance())),
            Err(Refused::ClosedNumber { .. }) => (CLOSED, 0, 0),
            Err(_) => (UNKNOWN, 0, 0),
        }
    }

    fn request_close(&mut self, caller: Addr, number: Number) -> Result<Vec<Word>> {
        let (c, _) = self.find(number)?;
        only(caller, c.payer)?;
        if c.close_due_at != 0 {
            return Err(Refused::AlreadyRequested { due_at: c.close_due_at });
        }
        let due_at = self.now + u64::from(c.period);
        self.at(number).close_due_at = due_at;
        self.log_of(number, "CloseRequested(uint32,uint32,uint64)", vec![word(due_at)]);
        Ok(vec![word(due_at)])
    }

    fn ask_back(&mut self, number: Number, amount: u128) -> Result<Vec<Word>> {
        let (c, book) = self.find(number)?;
        let (asked, due_at) = if amount == 0 {
            if c.refund_due_at == 0 {
                return Err(Refused::NotRequested);
            }
            (0, 0)
        } else {
            let asked = movable(book.token, amount.min(MAX_AMOUNT));
            if asked == 0 {
                return Err(Refused::NotMovable { amount, grain: GRAIN });
            }
            (asked, self.now + u64::from(c.period))
        };
        let c = self.at(number);
        (c.asked, c.refund_due_at) = (asked, due_at);
        self.log_of(number, "RefundRequested(uint32,uint32,uint128,uint64)", vec![word(asked), word(due_at)]);
        Ok(vec![word(due_at)])
    }

    fn finish(&mut self, number: Number) -> Result<Vec<Word>> {
        let ((c, book), now) = (self.find(number)?, self.now);
        if c.close_due_at != 0 && now >= c.close_due_at {
            return Ok(self.end(number, None));
        }
        let pending = c.refund_due_at != 0 && now < c.lapses_at();
        if pending && now >= c.refund_due_at {
            let refund = c.asked.min(c.balance());
            if refund == 0 {
                return Err(Refused::NothingToPay);
            }
            let c = self.at(number);
            (c.deposit, c.asked, c.refund_due_at) = (c.deposit - refund, 0, 0);
            let (payer, deposit) = (c.payer, c.deposit);
            self.log_of(number, "Refunded(uint32,uint32,uint128,uint128)", vec![word(refund), word(deposit)]);
            self.pay(book.token, payer, payer, refund, false);
            return Ok(vec![]);
        }
        Err(match (c.close_due_at, c.refund_due_at) {
            (0, 0) => Refused::NotRequested,
            (0, due_at) if pending => Refused::NotDue { now, due_at },
            (0, _) => Refused::Lapsed { now, lapsed_at: c.lapses_at() },
            (due_at, refund) => Refused::NotDue { now, due_at: if pending { due_at.min(refund) } else { due_at } },
        })
    }

    /// The record goes; the payee's last rows are paid, then the payer.
    fn end(&mut self, number: Number, last: Option<Rows>) -> Vec<Word> {
        let token = self.state.books[&number.0].token;
        let c = self.state.records.remove(&number).expect("it was found before");
        if let Some(rows) = last {
            let mut fees = Waiting::default();
            self.settle(number.0, &rows, None, false, &mut fees);
            self.pay_fees(&mut fees);
        }
        self.log_of(number, "Closed(uint32,uint32,uint128,uint128)", vec![word(c.claimed), word(c.balance())]);
        self.pay(token, c.payer, c.payer, c.balance(), false);
        vec![]
    }
}

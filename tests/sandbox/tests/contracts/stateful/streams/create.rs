//! Streams come into being: what can be stated, and what becomes of it.

use super::super::base::{Addr, GRAIN, Id, MAX_AMOUNT, NATIVE, Number, Refused, Result, Word, answer_of, movable, no_money, word, word_of};
use super::{
    model::{MAX_RATE, Model},
    stream::{CANCELLABLE, CLIFF, Fate, MAX_SECS, Period, SCALE, Stream, TRANSFERABLE},
};
use alloy_primitives::keccak256;

/// A start may lie this far from now.
const MAX_DISTANCE: u64 = 1 << 31;

/// A stream as it is stated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stated {
    pub payee: Addr,
    pub rate: u128,
    pub total: u128,
    pub start_at: u64,
    pub cliff_at: u64,
    pub cliff_amount: u128,
    pub end_at: u64,
    pub flags: u8,
    pub amount: u128,
    pub committed: u128,
    pub memo: Id,
}

fn amount(token: Addr, amount: u128) -> Result<()> {
    if amount > MAX_AMOUNT {
        return Err(Refused::TooMuch { amount, max: MAX_AMOUNT });
    }
    if movable(token, amount) != amount {
        return Err(Refused::NotMovable { amount, grain: GRAIN });
    }
    Ok(())
}

impl Model {
    fn check(&self, payer: Addr, one: &Stated, token: Addr) -> Result<Stream> {
        self.party(payer)?;
        self.party(one.payee)?;
        if one.payee == payer {
            return Err(Refused::BadParty { party: payer });
        }
        let bad = |reason| Err(Refused::BadSchedule { reason });
        if one.flags & !(CANCELLABLE | TRANSFERABLE | CLIFF) != 0 {
            return bad(10);
        }
        amount(token, one.total)?;
        amount(token, one.cliff_amount)?;
        let start_at = if one.start_at == 0 { self.now } else { one.start_at };
        if start_at.abs_diff(self.now) > MAX_DISTANCE {
            return bad(2);
        }
        if one.end_at != 0 && one.end_at <= start_at {
            return bad(3);
        }
        let flow_end = if one.end_at == 0 { start_at + MAX_SECS } else { one.end_at };
        if flow_end > start_at + MAX_SECS {
            return bad(4);
        }
        let cliff = match one.flags & CLIFF {
            0 if (one.cliff_at, one.cliff_amount) != (0, 0) => return bad(5),
            0 => None,
            _ if one.cliff_at < start_at => return bad(6),
            _ if one.cliff_at > flow_end => return bad(if one.end_at == 0 { 4 } else { 7 }),
            _ => Some((one.cliff_at, one.cliff_amount)),
        };
        let secs = u128::from(flow_end - cliff.map_or(start_at, |(at, _)| at));
        let (rate, residue) = match (one.total, one.rate) {
            (0, 0) => return Err(Refused::BadRate { given_scaled: 0, max_scaled: MAX_RATE }),
            (0, _) if secs == 0 => return bad(9),
            (0, rate) => (rate, 0),
            (_, rate) if rate != 0 => return bad(0),
            (_, _) if one.end_at == 0 => return bad(1),
            (total, _) if one.cliff_amount > total => return bad(8),
            (total, _) if one.cliff_amount == total => (0, 0),
            (_, _) if secs == 0 => return bad(9),
            (total, _) => ((total - one.cliff_amount) * SCALE / secs, (total - one.cliff_amount) * SCALE % secs),
        };
        if rate > MAX_RATE {
            return Err(Refused::BadRate { given_scaled: rate, max_scaled: MAX_RATE });
        }
        amount(token, one.amount)?;
        amount(token, one.committed)?;
        if one.committed > one.amount {
            return bad(11);
        }
        if one.total != 0 && one.committed > one.total {
            return bad(12);
        }
        Ok(Stream {
            payer,
            start_at,
            cliff,
            end_at: one.end_at,
            flags: one.flags,
            total: one.total,
            residue,
            deposit: 0,
            paid: 0,
            committed: one.committed,
            memo: one.memo,
            id: Id::default(),
            delegate: NATIVE,
            rights: 0,
            cap: 0,
            handed_over_at: 0,
            periods: vec![Period { from: 0, rate, runs: true }],
            fate: Fate::GoesOn,
        })
    }

    fn first_deposit(&mut self, caller: Addr, payer: Addr, value: u128, token: Addr, amount: u128) -> Result<u128> {
        if amount == 0 { no_money(value).map(|()| 0) } else { self.take(caller, payer, value, token, amount) }
    }

    pub fn create(&mut self, caller: Addr, payer: Addr, value: u128, one: Stated, token: Addr) -> Result<Vec<Word>> {
        let stream = self.check(payer, &one, token)?;
        let deposit = self.first_deposit(caller, payer, value, token, one.amount)?;
        let number = self.created(Stream { deposit, ..stream }, one.payee, token)?;
        Ok(vec![word(number.0), word(number.1), self.at(number).id.0])
    }

    pub fn create_many(&mut self, payer: Addr, value: u128, many: &[Stated], token: Addr) -> Result<Vec<Word>> {
        let streams = many.iter().map(|one| self.check(payer, one, token)).collect::<Result<Vec<_>>>()?;
        let total: u128 = many.iter().map(|one| one.amount).sum();
        let more = self.first_deposit(payer, payer, value, token, total)? - total;
        let mut answer = vec![word(many.len() as u128)];
        for (i, (one, stream)) in many.iter().zip(streams).enumerate() {
            let deposit = one.amount + if i + 1 == many.len() { more } else { 0 };
            answer.push(word(self.created(Stream { deposit, ..stream }, one.payee, token)?.1));
        }
        Ok(answer_of(answer))
    }

    /// Puts it into its book. Its id is `keccak256(abi.encode(chainId, contract, book, serial, payer, payee, token, createdAt))`.
    fn created(&mut self, stream: Stream, payee: Addr, token: Addr) -> Result<Number> {
        let number = self.put(payee, token, stream.clone())?;
        let (who, now) = ([stream.payer, payee, token].map(word_of), word(self.now));
        let words = [word(self.chain_id), word_of(self.contract), word(number.0), word(number.1), who[0], who[1], who[2], now];
        let id = keccak256(words.concat()).0;
        self.at(number).id = Id(id);
        let (cliff_at, cliff_amount) = stream.cliff.unwrap_or((0, 0));
        let data = vec![
            word(number.1),
            word_of(token),
            word(stream.last().rate),
            word(stream.total),
            word(stream.start_at),
            word(cliff_at),
            word(cliff_amount),
            word(stream.end_at),
            word(stream.flags),
            word(stream.deposit),
            word(stream.committed),
            stream.memo.0,
            id,
        ];
        let signature =
            "StreamCreated(address,address,uint32,uint32,address,uint128,uint128,uint64,uint64,uint128,uint64,uint8,uint128,uint128,bytes32,bytes32)";
        self.log(signature, &[who[0], who[1], word(number.0)], data);
        Ok(number)
    }
}

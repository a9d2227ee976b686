//! Who takes part, and what calls of either contract are made of, named so that a counterexample can be read.

use proptest::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    PayerA,
    /// Has little USDC: its remainders move along, then its allowance covers more than it has.
    PayerB,
    Payee,
    /// Has no account to begin with. Its key signs, others submit.
    NewPayee,
    /// A contract that does not behave.
    ContractPayee,
    Relayer,
    Stranger,
}
use Who::*;

pub const KEYS: [Who; 6] = [PayerA, PayerB, Payee, NewPayee, Relayer, Stranger];

/// What the contract payee does when it is paid.
#[derive(Clone, Copy, Debug)]
pub enum Habit {
    Reverts,
    BurnsGas,
    InsistsOnCallingBack,
    CallsBackAndTakes,
}
pub const HABITS: [Habit; 4] = [Habit::Reverts, Habit::BurnsGas, Habit::InsistsOnCallingBack, Habit::CallsBackAndTakes];

/// An address in a call: mostly a party.
#[derive(Clone, Copy, Debug)]
pub enum To {
    Party(Who),
    Nobody,
    Token,
    TheContract,
}

/// In units of 1e13 wei or of 10 micro-USDC, so that a thousand are the least an account holds.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    Units(u16),
    /// One wei or micro-USDC more, which native money cannot be.
    Odd(u16),
    /// All USDC of payer B but the least that an account holds, and so much more or less.
    LeavesTheLeast(i8),
}

/// Whose credit.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// The n-th of all credits, in its own token.
    OfCredit(u8),
    Party(Who, bool),
}

/// How a form is signed: by its party or somebody else, with a fresh nonce or one of few, good until so many seconds from now.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub honest: bool,
    pub nonce: Option<u8>,
    pub good_for_secs: i16,
}

/// What is wrong with a blob.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    Cut,
    Trailing,
    Version,
    Flags,
    NoRows,
    TheLastRowTwice,
    LongCount,
}

#[derive(Clone, Copy, Debug)]
pub struct TermsOf {
    pub beneficiary: To,
    pub bps: u16,
    pub flat: u16,
    pub min_gain: u16,
    pub until_secs: i16,
}

/// What a unit of an amount is.
pub fn unit(native: bool) -> u128 {
    if native { 10_000_000_000_000 } else { 10 }
}

pub fn any_of<T: Clone + std::fmt::Debug + 'static>(list: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(list.to_vec())
}

pub fn payer() -> impl Strategy<Value = Who> {
    any_of(&[PayerA, PayerA, PayerB])
}

pub fn payee() -> impl Strategy<Value = Who> {
    any_of(&[Payee, Payee, NewPayee, ContractPayee])
}

pub fn owner() -> impl Strategy<Value = Who> {
    any_of(&[PayerA, PayerB, Payee, NewPayee, ContractPayee, Relayer, Stranger])
}

/// Who submits what anybody may.
pub fn by() -> impl Strategy<Value = Who> {
    any_of(&[Relayer, Relayer, Stranger, PayerA, Payee, ContractPayee])
}

pub fn yes() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.9)
}

pub fn no() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.05)
}

pub fn to() -> impl Strategy<Value = To> {
    prop_oneof![30 => payee().prop_map(To::Party), 1 => owner().prop_map(To::Party), 1 => any_of(&[To::Nobody, To::Token, To::TheContract])]
}

pub fn amount() -> impl Strategy<Value = Amount> {
    use Amount::*;
    let some = || 1u16..4_000;
    prop_oneof![1 => Just(Units(0)), 40 => some().prop_map(Units), 2 => some().prop_map(Odd), 3 => (-1i8..2).prop_map(LeavesTheLeast)]
}

pub fn form() -> impl Strategy<Value = Form> {
    let nonce = prop_oneof![2 => Just(None), 1 => (0u8..6).prop_map(Some)];
    let good_for = prop_oneof![12 => Just(1_000i16), 3 => -1i16..2];
    (yes(), nonce, good_for).prop_map(|(honest, nonce, good_for_secs)| Form { honest, nonce, good_for_secs })
}

pub fn damage() -> impl Strategy<Value = Option<Damage>> {
    use Damage::*;
    prop_oneof![12 => Just(None), 1 => any_of(&[Cut, Trailing, Version, Flags, NoRows, TheLastRowTwice, LongCount]).prop_map(Some)]
}

pub fn terms() -> impl Strategy<Value = TermsOf> {
    let beneficiary = prop_oneof![
        8 => any_of(&[Relayer, Stranger, NewPayee, ContractPayee, ContractPayee]).prop_map(To::Party),
        2 => any_of(&[To::Nobody, To::Token, To::TheContract])
    ];
    let until = any_of(&[0i16, 1, -1, 60, 200, 1_000, 1_000, 30_000]);
    (beneficiary, 0u16..540, 0u16..100, 0u16..800, until).prop_map(|(beneficiary, bps, flat, min_gain, until_secs)| TermsOf {
        beneficiary,
        bps,
        flat,
        min_gain,
        until_secs,
    })
}

/// A second before, at, or a second after.
pub fn around() -> impl Strategy<Value = i8> {
    -1i8..2
}

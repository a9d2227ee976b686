//! What a sequence is made of: calls and jumps of time, named so that a counterexample can be read.

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

/// A voucher's total.
#[derive(Clone, Copy, Debug)]
pub enum Total {
    // Units, and a bit more that does not fit the grain or the fee.
    Units(u16, bool),
    /// So much more than is claimed.
    More(u16),
    WhatIsClaimed,
    /// So much that its gain is the least that a fee is paid for, or one unit of it less or more.
    AboutTheLeastForAFee(i8),
    TheDeposit,
    Most,
}

/// Who signs a voucher.
#[derive(Clone, Copy, Debug)]
pub enum Hand {
    Session,
    ThePayer,
    SomebodyElse,
    SessionForAnotherChannel,
    Scribble,
}

#[derive(Clone, Copy, Debug)]
pub enum Signer {
    Session,
    ThePayer,
    ThePayee,
    Nobody,
}

/// One of the channels, by the order of their opening.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    Open(u8),
    /// Open, and something was requested.
    Asked(u8),
    OpenOrClosed(u8),
    Unknown(u8),
}

/// Whose credit.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// The n-th of all credits, in its own token.
    OfCredit(u8),
    Party(Who, bool),
}

#[derive(Clone, Copy, Debug)]
pub enum Ask {
    TakeBack,
    Units(u16),
    Odd,
    All,
}

/// How a form is signed: by its party or somebody else, with a fresh nonce or one of few, good until so many seconds from now.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub honest: bool,
    pub nonce: Option<u8>,
    pub good_for_secs: i16,
}

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
pub enum Jump {
    Secs(u32),
    /// To when one of those that wait is due, and so many seconds beyond.
    CloseDue(u8, i8),
    RefundDue(u8, i8),
    RefundLapses(u8, i8),
    TermsEnd(u8, i8),
}

#[derive(Clone, Copy, Debug)]
pub struct TermsOf {
    pub beneficiary: To,
    pub bps: u16,
    pub flat: u16,
    pub min_gain: u16,
    pub until_secs: i16,
}

#[derive(Clone, Debug)]
pub enum Step {
    Open { payer: Who, payee: To, native: bool, period: u32, amount: Amount, signer: Signer },
    OpenMany { payer: Who, native: bool, period: u32, many: Vec<(To, Amount, Signer)> },
    OpenFor { payer: Who, payee: To, native: bool, period: u32, amount: Amount, signer: Signer, form: Form },
    TopUp { by: Who, which: Pick, amount: Amount, wrong_id: bool },
    Claim { by: Who, which: Pick, total: Total, hand: Hand },
    Batch { by: Who, rows: Vec<(Pick, Total, Hand)>, fund_new: u8, damage: Option<Damage> },
    RequestClose { which: Pick, by_payer: bool },
    RequestRefund { which: Pick, ask: Ask, by_payer: bool },
    RequestRefundFor { which: Pick, ask: Ask, form: Form },
    Finish { by: Who, which: Pick },
    Close { which: Pick, total: Total, hand: Hand, by_payee: bool },
    CloseFor { which: Pick, total: Total, form: Form },
    SetTerms { payee: Who, native: bool, terms: TermsOf },
    SetTermsFor { payee: Who, native: bool, terms: TermsOf, form: Form },
    Collect { owner: Owner, to: To },
    CollectFor { owner: Owner, to: To, form: Form },
    Push { owner: Owner },
    Sweep { native: bool },
    Revoke { signer: Who, nonce: u8 },
    Give { native: bool, units: u16 },
    // Native money without a call, which goes back.
    SendBare,
    // The last call once more, byte by byte; with some money, or more of it, if there is a tip.
    Again { tip: bool },
    Wait(Jump),
}

pub fn any_of<T: Clone + std::fmt::Debug + 'static>(list: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(list.to_vec())
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let payer = || any_of(&[PayerA, PayerA, PayerB]);
    let payee = || any_of(&[Payee, Payee, NewPayee, ContractPayee]);
    let owner = || any_of(&[PayerA, PayerB, Payee, NewPayee, ContractPayee, Relayer, Stranger]);
    let credit =
        || prop_oneof![4 => any::<u8>().prop_map(Owner::OfCredit), 1 => (owner(), any::<bool>()).prop_map(|(who, native)| Owner::Party(who, native))];
    let by = || any_of(&[Relayer, Relayer, Stranger, PayerA, Payee, ContractPayee]);
    let native = any::<bool>;
    let yes = || prop::bool::weighted(0.9);
    let no = || prop::bool::weighted(0.05);
    let to =
        || prop_oneof![30 => payee().prop_map(To::Party), 1 => owner().prop_map(To::Party), 1 => any_of(&[To::Nobody, To::Token, To::TheContract])];
    let period = || prop_oneof![24 => any_of(&[60u32, 60, 60, 100, 100, 3_600, 2_592_000]), 1 => any_of(&[59u32, 2_592_001])];
    let amount = || {
        use Amount::*;
        let some = || 1u16..4_000;
        prop_oneof![1 => Just(Units(0)), 40 => some().prop_map(Units), 2 => some().prop_map(Odd), 3 => (-1i8..2).prop_map(LeavesTheLeast)]
    };
    let total = || {
        prop_oneof![
            10 => (0u16..4_000, native()).prop_map(|(units, odd)| Total::Units(units, odd)),
            6 => (1u16..1_500).prop_map(Total::More),
            2 => (-1i8..2).prop_map(Total::AboutTheLeastForAFee),
            1 => Just(Total::WhatIsClaimed), 2 => Just(Total::TheDeposit), 1 => Just(Total::Most)
        ]
    };
    let hand = || {
        use Hand::*;
        prop_oneof![12 => Just(Session), 3 => Just(ThePayer), 3 => any_of(&[SomebodyElse, SessionForAnotherChannel, Scribble])]
    };
    let signer = || {
        use Signer::*;
        prop_oneof![24 => Just(Session), 4 => Just(ThePayer), 1 => any_of(&[ThePayee, Nobody])]
    };
    let pick = || {
        let open = any::<u8>().prop_map(Pick::Open);
        prop_oneof![16 => open, 2 => any::<u8>().prop_map(Pick::OpenOrClosed), 1 => any::<u8>().prop_map(Pick::Unknown)]
    };
    let ask = || prop_oneof![2 => Just(Ask::TakeBack), 8 => (0u16..4_000).prop_map(Ask::Units), 1 => Just(Ask::Odd), 2 => Just(Ask::All)];
    let form = || {
        let nonce = prop_oneof![2 => Just(None), 1 => (0u8..6).prop_map(Some)];
        (yes(), nonce, prop_oneof![12 => Just(1_000i16), 3 => -1i16..2]).prop_map(|(honest, nonce, good_for_secs)| Form {
            honest,
            nonce,
            good_for_secs,
        })
    };
    let damage = || {
        use Damage::*;
        prop_oneof![12 => Just(None), 1 => any_of(&[Cut, Trailing, Version, Flags, NoRows, TheLastRowTwice, LongCount]).prop_map(Some)]
    };
    let terms = || {
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
    };
    let around = || -1i8..2;
    let jump = prop_oneof![
        2 => (0u32..5_000).prop_map(Jump::Secs),
        3 => (any::<u8>(), around()).prop_map(|(p, n)| Jump::CloseDue(p, n)),
        4 => (any::<u8>(), around()).prop_map(|(p, n)| Jump::RefundDue(p, n)),
        2 => (any::<u8>(), around()).prop_map(|(p, n)| Jump::RefundLapses(p, n)),
        1 => (any::<u8>(), around()).prop_map(|(b, n)| Jump::TermsEnd(b, n)),
    ];
    prop_oneof![
        12 => (payer(), to(), native(), period(), amount(), signer())
            .prop_map(|(payer, payee, native, period, amount, signer)| Open { payer, payee, native, period, amount, signer }),
        3 => (payer(), native(), period(), prop::collection::vec((to(), amount(), signer()), 0..6))
            .prop_map(|(payer, native, period, many)| OpenMany { payer, native, period, many }),
        5 => (payer(), to(), prop::bool::weighted(0.1), period(), amount(), signer(), form())
            .prop_map(|(payer, payee, native, period, amount, signer, form)| OpenFor { payer, payee, native, period, amount, signer, form }),
        6 => (any_of(&[PayerA, PayerB, Stranger, Relayer]), pick(), amount(), no())
            .prop_map(|(by, which, amount, wrong_id)| TopUp { by, which, amount, wrong_id }),
        12 => (by(), pick(), total(), hand()).prop_map(|(by, which, total, hand)| Claim { by, which, total, hand }),
        14 => (by(), prop::collection::vec((pick(), total(), hand()), 1..9), any::<u8>(), damage())
            .prop_map(|(by, rows, fund_new, damage)| Batch { by, rows, fund_new: fund_new & 0x0f & (fund_new >> 4), damage }),
        4 => (pick(), yes()).prop_map(|(which, by_payer)| RequestClose { which, by_payer }),
        7 => (pick(), ask(), yes()).prop_map(|(which, ask, by_payer)| RequestRefund { which, ask, by_payer }),
        4 => (pick(), ask(), form()).prop_map(|(which, ask, form)| RequestRefundFor { which, ask, form }),
        14 => (by(), prop_oneof![3 => any::<u8>().prop_map(Pick::Asked), 1 => pick()]).prop_map(|(by, which)| Finish { by, which }),
        3 => (pick(), total(), hand(), yes()).prop_map(|(which, total, hand, by_payee)| Close { which, total, hand, by_payee }),
        3 => (pick(), prop_oneof![2 => Just(Total::WhatIsClaimed), 1 => total()], form())
            .prop_map(|(which, total, form)| CloseFor { which, total, form }),
        5 => (any_of(&[Payee, ContractPayee, Payee, Relayer]), native(), terms())
            .prop_map(|(payee, native, terms)| SetTerms { payee, native, terms }),
        3 => (payee(), native(), terms(), form()).prop_map(|(payee, native, terms, form)| SetTermsFor { payee, native, terms, form }),
        3 => (credit(), any_of(&[To::Party(Relayer), To::Party(Payee), To::Party(ContractPayee), To::Party(NewPayee), To::TheContract]))
            .prop_map(|(owner, to)| Collect { owner, to }),
        3 => (credit(), any_of(&[To::Party(Relayer), To::Party(NewPayee), To::Token]), form())
            .prop_map(|(owner, to, form)| CollectFor { owner, to, form }),
        4 => credit().prop_map(|owner| Push { owner }),
        2 => native().prop_map(|native| Sweep { native }),
        2 => (any_of(&[PayerA, PayerB, Payee]), 0u8..6).prop_map(|(signer, nonce)| Revoke { signer, nonce }),
        2 => (native(), 1u16..4_000).prop_map(|(native, units)| Give { native, units }),
        1 => Just(SendBare),
        5 => no().prop_map(|tip| Again { tip }),
        18 => jump.prop_map(Wait),
    ]
}

/// What most sequences begin with, so that there is something to call: channels, and terms that earn their beneficiary something.
pub fn first() -> impl Strategy<Value = Step> {
    let payee = || any_of(&[Payee, NewPayee, ContractPayee]);
    let open = (any_of(&[PayerA, PayerB]), payee(), any::<bool>(), any_of(&[60u32, 100]), 500u16..4_000).prop_map(
        |(payer, payee, native, period, units)| Step::Open {
            payer,
            payee: To::Party(payee),
            native,
            period,
            amount: Amount::Units(units),
            signer: Signer::Session,
        },
    );
    let beneficiary = any_of(&[Relayer, ContractPayee, ContractPayee]).prop_map(To::Party);
    let terms = (payee(), any::<bool>(), beneficiary, 100u16..500, 0u16..200).prop_map(|(payee, native, beneficiary, bps, min_gain)| {
        let terms = TermsOf { beneficiary, bps, flat: 3, min_gain, until_secs: 1_000 };
        // Who has no account signs, and a contract cannot.
        match payee {
            ContractPayee => Step::SetTerms { payee, native, terms },
            _ => Step::SetTermsFor { payee, native, terms, form: Form { honest: true, nonce: None, good_for_secs: 1 } },
        }
    });
    prop_oneof![2 => open, 1 => terms]
}

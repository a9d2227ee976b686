//! What a sequence on channels is made of: calls and jumps of time.

use super::super::{
    parties::{Amount, Damage, Form, To, Who, Who::*, amount, any_of, around, by, damage, form, no, payer, to, yes},
    shared,
};
use proptest::prelude::*;

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

#[derive(Clone, Copy, Debug)]
pub enum Ask {
    TakeBack,
    Units(u16),
    Odd,
    All,
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
    Wait(Jump),
    Shared(shared::Step),
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let native = any::<bool>;
    let period = || prop_oneof![24 => any_of(&[60u32, 60, 60, 100, 100, 3_600, 2_592_000]), 1 => any_of(&[59u32, 2_592_001])];
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
        shared::WEIGHT => shared::step().prop_map(Shared),
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
    prop_oneof![2 => open, 1 => shared::earning().prop_map(Step::Shared)]
}
